//! Whether the program is well.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::route::json_response;

/// What a question for health is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// All there is to know.
    All,
    /// Whether only a restart can help, if down.
    Liveness,
    /// Whether requests should be sent here.
    Readiness,
    /// Whether the start is over.
    Startup,
}

/// Knows how the program's parts are. Asked at each request; must answer at once.
pub trait Health: Send + Sync + 'static {
    /// The parts that matter for a probe. It is up when all of them are.
    fn components(&self, probe: Probe) -> Vec<Component>;
}

/// One part of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name, unique within the answer.
    pub name: String,
    /// Whether it is well.
    pub up: bool,
    /// What is to be said about it, or empty.
    pub detail: String,
}

pub(crate) fn answer(health: &dyn Health, probe: Probe) -> Response<Full<Bytes>> {
    let components = health.components(probe);
    let up = components.iter().all(|component| component.up);
    let word = |up| if up { "UP" } else { "DOWN" };
    let mut told = Map::new();
    for Component { name, up, detail } in components {
        let mut component = json!({ "status": word(up) });
        if !detail.is_empty() {
            component["details"] = json!({ "message": detail });
        }
        told.insert(name, component);
    }
    let mut body = json!({ "status": word(up) });
    if !told.is_empty() {
        body["components"] = Value::Object(told);
    }
    if probe == Probe::All {
        body["groups"] = json!(["liveness", "readiness", "startup"]);
    }
    json_response(if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}
