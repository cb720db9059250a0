//! The catalog of services, over Consul's HTTP and DNS: killed and found again, and not reachable by other doors.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Chance, Directory, Server, Settings, ask, get, number, skip};

pub(crate) const WEB: &str = r#"{"Name": "web", "ID": "web-1", "Address": "10.1.2.3", "Port": 80}"#;

pub(crate) fn settings(directory: &Directory) -> Settings {
    let any = Path::new("127.0.0.1:0");
    Settings::new(directory).argument("--catalog", any).argument("--dns", any)
}

pub(crate) fn put(server: &Server, path: &str, body: &str) -> String {
    let (status, body) = ask(server.catalog(), "PUT", path, body);
    assert_eq!(status, 200, "{path}: {body}");
    body
}

#[tokio::test]
async fn services_outlive_a_kill_and_are_told_of_to_management() {
    let directory = Directory::new();
    let settings = settings(&directory);
    let server = settings.start();
    put(&server, "/v1/agent/service/register", WEB);
    put(&server, "/v1/kv/config", "1");
    for path in ["/v1/catalog/services", "/v1/kv/config"] {
        assert_eq!(get(&server.management, path).0, 404, "{path} is not served by another door");
        let url = format!("http://{}{path}", server.grpc);
        let Ok(asked) = Command::new("curl")
            .args(["-si", "--http2-prior-knowledge", "-H", "content-type: application/grpc", &url])
            .output()
        else {
            skip("there is no `curl`");
            continue;
        };
        let answer = String::from_utf8_lossy(&asked.stdout);
        assert!(answer.contains("grpc-status: 12") && !answer.contains("web"), "{path}: {answer}");
    }
    server.kill();
    let server = settings.start();
    let (_, found) = get(server.catalog(), "/v1/catalog/service/web");
    assert!(found.contains("10.1.2.3"), "{found}");
    assert_eq!(get(server.catalog(), "/v1/kv/config?raw"), (200, "1".to_owned()));
    let (status, health) = get(&server.management, "/actuator/health/readiness");
    assert!(status == 200 && health.contains("\"catalog\""), "{health}");
    let (_, metrics) = get(&server.management, "/metrics");
    assert!(metrics.contains("coreto_partition_commands_total{partition=\"catalog\"}"), "{metrics}");
    server.stop().await;
}

#[tokio::test]
async fn names_are_found_over_udp_and_tcp() {
    let directory = Directory::new();
    let server = settings(&directory).start();
    put(&server, "/v1/agent/service/register", WEB);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let question =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03web\x07service\x06consul\x00\x00\x01\x00\x01";
    socket.send_to(question, server.dns()).unwrap();
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply).unwrap();
    assert_eq!(reply[..4], [0x12, 0x34, 0x85, 0x00], "an answer of its own, to this question");
    assert_eq!(reply[length - 4..length], [10, 1, 2, 3]);

    let dig = |options: &[&str]| dig(&server, options);
    if dig(&["-v"]).is_none() {
        skip("there is no `dig`");
    } else {
        let srv = dig(&["_web._tcp.service.consul", "SRV"]).unwrap();
        assert!(srv.contains("SRV\t1 1 80 0a010203.addr.dc1.consul."), "{srv}");
        assert!(srv.contains("0a010203.addr.dc1.consul. 0\tIN\tA\t10.1.2.3"), "{srv}");
        assert!(!srv.contains("WARNING") || srv.contains("recursion requested but not available"), "{srv}");
        assert_eq!(dig(&["+tcp", "+short", "WEB.service.consul"]).unwrap(), "10.1.2.3\n");
        assert!(dig(&["web.service.consul", "AAAA"]).unwrap().contains("NOERROR"));
        assert!(dig(&["no.service.consul"]).unwrap().contains("NXDOMAIN"));
        assert!(dig(&["example.org"]).unwrap().contains("REFUSED"));
    }
    server.stop().await;
}

/// What `dig` says of a server's names; nothing when it is not here.
fn dig(server: &Server, options: &[&str]) -> Option<String> {
    let (host, port) = server.dns().rsplit_once(':').unwrap();
    let mut command = Command::new("dig");
    command.args([&format!("@{host}"), "-p", port, "+time=5", "+tries=1"]).args(options);
    command.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn names_of_others_are_asked_of_others() {
    let (one, two) = (Directory::new(), Directory::new());
    let other = settings(&two).configure("dns.domain = \"other\"").start();
    for number in 1..=100 {
        let body = format!(r#"{{"Name": "web", "ID": "web-{number}", "Address": "10.1.2.{number}"}}"#);
        put(&other, "/v1/agent/service/register", &body);
    }
    let server = settings(&one).configure(&format!("dns.recursors = [\"{}\"]", other.dns())).start();
    let Some(found) = dig(&server, &["+short", "+bufsize=512", "web.service.other"]) else {
        skip("there is no `dig`");
        server.stop().await;
        return other.stop().await;
    };
    assert_eq!(found.lines().count(), 100, "cut over UDP, whole over TCP: {found}");
    let missing = dig(&server, &["no.service.other"]).unwrap();
    assert!(missing.contains("NXDOMAIN") && missing.contains("SOA\tns.other."), "{missing}");
    assert!(!missing.contains("recursion requested but not available"), "{missing}");
    let own = dig(&server, &["web.service.consul"]).unwrap();
    assert!(own.contains("NXDOMAIN") && own.contains("SOA\tns.consul."), "{own}");
    other.stop().await;
    assert!(dig(&server, &["web.service.other"]).unwrap().contains("SERVFAIL"));
    server.stop().await;
}

#[tokio::test]
async fn more_clients_wait_than_programs_may_usually_open_files() {
    let directory = Directory::new();
    let limited = ["sh", "-c", "ulimit -Sn 128 && exec \"$0\" \"$@\""].map(str::to_owned);
    let server = settings(&directory).run_by(limited).start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|at| line.split_whitespace().nth(at).unwrap());
    assert_eq!(soft, hard);
    // As many as there is room for in this test, too, which has an end of each.
    let waiting: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(server.catalog()).unwrap();
            let head = "GET /v1/catalog/service/none?index=1&wait=1m HTTP/1.1\r\nhost: localhost\r\n\r\n";
            std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
            stream
        })
        .collect();
    assert_eq!(get(server.catalog(), "/v1/catalog/nodes").0, 200);
    drop(waiting);
    server.stop().await;
}

/// Writers that count up their keys, and what of it was acknowledged.
const WRITERS: usize = 4;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let directory = Directory::new();
    let settings = settings(&directory);
    let acknowledged: Arc<Mutex<Vec<u64>>> = Arc::default();
    let next = Arc::new(AtomicU64::new(1));
    let mut chance = Chance::new(number("CORETO_E2E_SEED", 1));
    for _ in 0..number("CORETO_E2E_KILLS", 3) {
        let server = settings.start();
        let address = server.catalog().to_owned();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                let (address, acknowledged, next) =
                    (address.clone(), Arc::clone(&acknowledged), Arc::clone(&next));
                std::thread::spawn(move || {
                    // Ends when the server is gone, by a panic that is meant.
                    loop {
                        let key = next.fetch_add(1, Ordering::Relaxed);
                        let path = format!("/v1/kv/k{key}");
                        let (status, _) = ask(&address, "PUT", &path, &key.to_string());
                        assert_eq!(status, 200);
                        acknowledged.lock().unwrap().push(key);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(100 + chance.below(400))).await;
        server.kill();
        for writer in writers {
            let _ = writer.join();
        }
    }
    let server = settings.start();
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(!acknowledged.is_empty());
    let (_, all) = get(server.catalog(), "/v1/kv/k?keys");
    let found: Vec<String> = serde_json::from_str(&all).unwrap();
    let found: std::collections::HashSet<&str> = found.iter().map(String::as_str).collect();
    let lost: Vec<_> = acknowledged.iter().filter(|key| !found.contains(&*format!("k{key}"))).collect();
    assert!(lost.is_empty(), "{lost:?} of {} are lost", acknowledged.len());
    server.stop().await;
}
