//! `/status/…`, `/agent/self` and the like: who answers here.

use serde_json::json;

use crate::answer::Answer;
use crate::desk::Desk;

pub(crate) fn leader(desk: &Desk) -> Answer {
    Answer::json(&json!(desk.config.address.to_string()))
}

pub(crate) fn peers(desk: &Desk) -> Answer {
    Answer::json(&json!([desk.config.address.to_string()]))
}

pub(crate) fn datacenters(desk: &Desk) -> Answer {
    Answer::json(&json!([&*desk.config.datacenter]))
}

pub(crate) fn this(desk: &Desk) -> Answer {
    let config = &desk.config;
    Answer::json(&json!({
        "Config": {
            "Datacenter": &*config.datacenter,
            "NodeName": &*config.node,
            "NodeID": "",
            "Server": true,
            "Version": env!("CARGO_PKG_VERSION"),
        },
        "Member": member(desk),
        "Meta": {},
    }))
}

pub(crate) fn members(desk: &Desk) -> Answer {
    Answer::json(&json!([member(desk)]))
}

fn member(desk: &Desk) -> serde_json::Value {
    let config = &desk.config;
    // 1 is for a member that is alive.
    json!({
        "Name": &*config.node,
        "Addr": &*config.node_address,
        "Port": config.address.port(),
        "Tags": { "dc": &*config.datacenter, "role": "consul" },
        "Status": 1,
    })
}
