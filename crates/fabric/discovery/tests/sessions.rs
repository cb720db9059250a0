//! Sessions whose time runs out, and the locks that they hold.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::{Duration, Instant};

use support::{Ground, Server};

/// How long a session lives that nobody renews.
const TTL: Duration = Duration::from_secs(2);

/// Sessions may live shorter than users' may, so that nobody waits for long.
fn ground() -> Ground {
    let mut ground = Ground::new();
    ground.limits.session_ttl_ms_min = 1;
    ground
}

fn create(server: &Server, more: &str) -> String {
    let body = format!(r#"{{"TTL": "{}s"{more}}}"#, TTL.as_secs());
    let created = server.ask("PUT", "/v1/session/create", &body);
    assert_eq!(created.status, 200, "{created:?}");
    let created: serde_json::Value = serde_json::from_str(&created.body).unwrap();
    created["ID"].as_str().unwrap().to_owned()
}

fn acquire(server: &Server, key: &str, session: &str) -> String {
    server.ask("PUT", &format!("/v1/kv/{key}?acquire={session}"), "me").body
}

fn renew(server: &Server, session: &str) -> u16 {
    server.ask("PUT", &format!("/v1/session/renew/{session}"), "").status
}

fn info(session: &str) -> String {
    format!("/v1/session/info/{session}")
}

#[test]
fn a_session_lives_for_as_long_as_it_is_renewed_and_its_locks_go_with_it() {
    let server = ground().start();
    let (holder, other) = (create(&server, r#", "LockDelay": "3s""#), create(&server, ""));
    let fleeting = create(&server, r#", "LockDelay": "0s", "Behavior": "delete""#);
    assert_eq!(acquire(&server, "leader", &holder), "true");
    assert_eq!(acquire(&server, "leader", &other), "false", "it is held");
    assert_eq!(acquire(&server, "mine", &fleeting), "true");
    let known = server.handle.statistics().durable;
    let begun = Instant::now();
    while begun.elapsed() < TTL * 2 {
        for session in [&holder, &other, &fleeting] {
            assert_eq!(renew(&server, session), 200, "after {:?}", begun.elapsed());
        }
        std::thread::sleep(TTL / 10);
    }
    assert_eq!(server.handle.statistics().durable, known, "a renewal writes nothing");
    let held = server.ask("GET", "/v1/kv/leader", "");
    assert!(held.body.contains(&holder), "{held:?}");

    let waiting = format!("/v1/kv/leader?index={}&wait=20s", held.index());
    let gone = server.ask("GET", &waiting, "");
    assert!(!gone.body.contains(&holder) && gone.body.contains("\"LockIndex\":1"), "it was let go: {gone:?}");
    let renewed = create(&server, "");
    assert_eq!(acquire(&server, "leader", &renewed), "false", "and is not to be taken for a while");
    server.until(&info(&holder), |answer| answer.body == "[]");
    assert_eq!(renew(&server, &holder), 404, "it has ended");
    server.until("/v1/kv/mine", |answer| answer.status == 404);
    let begun = Instant::now();
    while acquire(&server, "leader", &renewed) == "false" {
        assert!(begun.elapsed() < support::PATIENCE, "the delay has no end");
        assert_eq!(renew(&server, &renewed), 200);
        std::thread::sleep(TTL / 10);
    }
    assert!(server.ask("GET", "/v1/kv/leader", "").body.contains(&renewed));
    server.stop();
}

#[test]
fn the_time_of_a_session_begins_anew_with_a_restart() {
    let ground = ground();
    let server = ground.start();
    let session = create(&server, "");
    assert_eq!(acquire(&server, "leader", &session), "true");
    server.stop();
    std::thread::sleep(TTL + TTL / 4);
    let server = ground.start();
    assert!(server.ask("GET", &info(&session), "").body.contains(&session), "nobody could renew it");
    server.until(&info(&session), |answer| answer.body == "[]");
    assert_eq!(renew(&server, &session), 404, "it has ended");
    let key = server.ask("GET", "/v1/kv/leader", "");
    assert!(key.status == 200 && !key.body.contains(&session), "{key:?}");
    server.stop();
}
