//! What a catalog says of the instances of a service, as endpoints.

use std::net::{IpAddr, SocketAddr};

use coreto_proxy::model::Endpoint;
use serde::Deserialize;

/// Why it cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("it is not JSON of this form")]
    Json(#[from] serde_json::Error),
}

/// The most instances of one service.
const INSTANCES_MAX: usize = 10_000;
/// The largest weight.
const WEIGHT_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    node: Node,
    service: Service,
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(default)]
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(default)]
    address: String,
    port: u16,
    #[serde(default)]
    weights: Weights,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Weights {
    passing: u32,
    warning: u32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { passing: 1, warning: 1 }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    status: String,
}

/// The instances that are not critical, with the weight of how they are. One whose address is a name that cannot be
/// looked up is left out, and told of.
pub(super) async fn read(body: &[u8]) -> Result<Vec<Endpoint>, Error> {
    let rows: Vec<Row> = serde_json::from_slice(body)?;
    let mut endpoints = Vec::new();
    for row in rows.iter().take(INSTANCES_MAX) {
        let Some(weight) = weight(row) else { continue };
        let host = if row.service.address.is_empty() { &row.node.address } else { &row.service.address };
        if let Some(address) = address(host, row.service.port).await {
            endpoints.push(Endpoint { address, weight });
        } else {
            tracing::warn!(host, port = row.service.port, "an instance is nowhere; it is left out");
        }
    }
    Ok(endpoints)
}

/// None of an instance that is critical.
fn weight(row: &Row) -> Option<u32> {
    let is = |status: &str| row.checks.iter().any(|check| check.status == status);
    let Weights { passing, warning } = row.service.weights;
    // What is neither is no status of a catalog, and not trusted.
    if row.checks.iter().any(|check| !matches!(check.status.as_str(), "passing" | "warning")) {
        return None;
    }
    Some(if is("warning") { warning } else { passing }.min(WEIGHT_MAX))
}

async fn address(host: &str, port: u16) -> Option<SocketAddr> {
    if port == 0 {
        return None;
    }
    match host.parse::<IpAddr>() {
        Ok(ip) => Some(SocketAddr::new(ip, port)),
        Err(_) => tokio::net::lookup_host((host, port)).await.ok()?.next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Result<Vec<(String, u32)>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let found = runtime.block_on(read(body.as_bytes())).map_err(|error| error.to_string())?;
        Ok(found.iter().map(|endpoint| (endpoint.address.to_string(), endpoint.weight)).collect())
    }

    #[test]
    fn takes_who_is_not_critical_by_its_weight() {
        let of = |service: &str, checks: &str| {
            found(&format!(r#"[{{"Node":{{"Address":"10.0.0.1"}},"Service":{service},"Checks":{checks}}}]"#))
                .expect("it is an answer")
        };
        let plain = r#"{"Address":"","Port":80,"Weights":{"Passing":5,"Warning":2}}"#;
        let at = |address: &str, weight| vec![(address.to_owned(), weight)];
        assert_eq!(of(plain, "[]"), at("10.0.0.1:80", 5));
        assert_eq!(of(plain, r#"[{"Status":"passing"},{"Status":"warning"}]"#), at("10.0.0.1:80", 2));
        for status in ["critical", "maintenance", ""] {
            assert_eq!(of(plain, &format!(r#"[{{"Status":"passing"}},{{"Status":"{status}"}}]"#)), []);
        }
        assert_eq!(of(r#"{"Address":"::1","Port":81}"#, "[]"), at("[::1]:81", 1));
        assert_eq!(of(r#"{"Address":"10.0.0.2","Port":0}"#, "[]"), []);
        let heavy = r#"{"Address":"10.0.0.2","Port":1,"Weights":{"Passing":5000}}"#;
        assert_eq!(of(heavy, "[]"), at("10.0.0.2:1", 1_000));
    }

    #[test]
    fn refuses_what_is_no_answer() {
        for body in [
            "",
            "{}",
            "[{}]",
            r#"[{"Node":{},"Service":{"Port":"80"}}]"#,
            r#"[{"Node":{},"Service":{"Port":70000}}]"#,
        ] {
            assert!(found(body).is_err(), "{body}");
        }
    }
}
