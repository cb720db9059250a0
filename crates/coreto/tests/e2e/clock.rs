//! The controlled clock, over restarts.

use serde_json::Value;

use crate::support::{Directory, Server, Settings, ask, get, one_task};

/// Moves the clock, which must go well.
fn clock(server: &Server, method: &str, path: &str, body: &str) {
    let (status, body) = ask(&server.management, method, &format!("/actuator/clock{path}"), body);
    assert_eq!(status, 200, "{body}");
}

fn now(server: &Server) -> i64 {
    let (status, body) = get(&server.management, "/actuator/clock");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["epochMilli"].as_i64().unwrap()
}

/// A time long before any test runs.
const PAST: i64 = 1_000_000_000_000;

#[tokio::test]
async fn pin_outlives_a_kill_and_a_reset_does_too() {
    let directory = Directory::new();
    let settings = Settings::new(&directory).configure("[clock]\nmode = \"controlled\"\n");
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    clock(&server, "POST", "/pin", &format!(r#"{{"epochMilli":{PAST}}}"#));
    server.kill();

    let server = settings.start();
    assert_eq!(now(&server), PAST);
    clock(&server, "POST", "/add", r#"{"offsetMilli":5000}"#);
    let client = server.client().await;
    client.create("order", "{}").await.unwrap();
    server.kill();

    let server = settings.start();
    assert_eq!(now(&server), PAST + 5000);
    let client = server.client().await;
    client.create("order", "{}").await.unwrap();
    assert!(!server.log().contains("ahead of the clock"), "{}", server.log());
    clock(&server, "DELETE", "", "");
    server.kill();

    let server = settings.start();
    assert!(now(&server) > PAST * 3 / 2, "the clock runs");
}
