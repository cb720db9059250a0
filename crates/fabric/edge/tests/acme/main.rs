//! Certificates that a gateway orders for itself, from an authority of the test.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod authority;
mod base64;
mod check;

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coreto_edge::{Gateway, Output, Serving, Shared};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection};

use authority::{Authority, State};

/// A gateway with a listener of each kind, and the authority that it asks.
struct Stage {
    folder: PathBuf,
    authority: Authority,
    shared: Arc<Shared>,
    serving: Option<Serving>,
    tls: u16,
}

const HOSTS: [&str; 2] = ["shop.example", "www.shop.example"];

fn config(folder: &Path, authority: &Authority, check: &str, hosts: &[&str]) -> String {
    let folder = folder.display();
    format!(
        r#"
[admin]
address = "127.0.0.1:0"

[acme]
directory = "https://{}/directory"
contacts = ["mailto:ops@shop.example"]
terms-agreed = true
account = "{folder}/kept/account.json"
check = "{check}"
ca = "{}"
back-off = "100ms"

[[listener]]
name = "plain"
address = "127.0.0.1:0"

[[listener]]
name = "secure"
address = "127.0.0.2:0"
tls = {{ acme = {{ names = {hosts:?}, file = "{folder}/kept/shop.pem" }} }}

[[route]]
name = "secure-instead"
listeners = ["plain"]
redirect = {{ status = 308, scheme = "https" }}

[[route]]
name = "shop"
listeners = ["secure"]
respond = {{ body = "shop" }}
"#,
        authority.address,
        authority.file.display(),
    )
}

impl Stage {
    fn start(test: &str, check: &str, life: Duration, told: impl FnOnce(&mut State)) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("acme").join(test);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Authority::start(&folder, life);
        let file = folder.join("edge.toml");
        std::fs::write(&file, config(&folder, &authority, check, &HOSTS)).unwrap();
        let gateway = Gateway::build(&file, 1, Output::Off).unwrap();
        let shared = Arc::clone(gateway.shared());
        let port =
            |name: &str| shared.addresses().into_iter().find(|(found, _)| found == name).unwrap().1.port();
        let tls = port("secure");
        authority.state(|state| {
            (state.http, state.tls) = (port("plain"), tls);
            told(state);
        });
        let serving = Some(gateway.start().unwrap());
        Self { folder, authority, shared, serving, tls }
    }

    /// What a client that believes the authority is shown for a host; none when it does not believe that.
    fn shown(&self, host: &str) -> Option<CertificateDer<'static>> {
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.authority.roots())
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(("127.0.0.2", self.tls)).unwrap();
        session.complete_io(&mut stream).ok()?;
        Some(session.peer_certificates().unwrap()[0].clone().into_owned())
    }

    fn until_shown(&self, host: &str) -> CertificateDer<'static> {
        let mut shown = None;
        until(
            || {
                format!(
                    "a certificate is shown: {:#?}",
                    self.authority.state(|state| format!("{:#?}", state.orders))
                )
            },
            || {
                shown = self.shown(host);
                shown.is_some()
            },
        );
        shown.unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.drain();
        if let Some(serving) = self.serving.take() {
            serving.wait().unwrap();
        }
    }
}

fn until(what: impl Fn() -> String, mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never came to be that {}", what());
}

#[test]
fn orders_and_renews_by_http() {
    let stage = Stage::start("http", "http-01", Duration::from_secs(6), |_| ());
    let first = stage.until_shown(HOSTS[0]);
    assert_eq!(stage.shown(HOSTS[1]), Some(first.clone()), "one certificate has all names");
    for kept in ["kept/shop.pem", "kept/account.json"] {
        let mode = std::fs::metadata(stage.folder.join(kept)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{kept}");
    }
    // Before it ends another one takes its place.
    until(|| "it is renewed".to_owned(), || stage.shown(HOSTS[0]).is_some_and(|shown| shown != first));
    // Other names are another certificate, of the same account.
    let more = [HOSTS[0], HOSTS[1], "new.shop.example"];
    let text = config(&stage.folder, &stage.authority, "http-01", &more);
    stage.authority.state(|state| state.life = Duration::from_hours(1));
    std::fs::write(stage.folder.join("edge.toml"), text).unwrap();
    stage.shared.reload().unwrap();
    stage.until_shown("new.shop.example");
    stage.authority.state(|state| {
        assert_eq!(state.accounts.len(), 1);
        let orders: Vec<&[String]> = state.orders.iter().map(|order| &order.hosts[..]).collect();
        assert!(orders.len() >= 3 && orders[0] == HOSTS && *orders.last().unwrap() == more, "{orders:?}");
    });
}

#[test]
fn orders_by_tls_and_again_after_a_pause_when_it_fails() {
    let stage = Stage::start("tls", "tls-alpn-01", Duration::from_hours(1), |state| {
        state.refuse = 2;
        state.doubt = 1;
    });
    stage.until_shown(HOSTS[1]);
    stage.authority.state(|state| {
        assert_eq!(state.refuse, 0, "two orders were refused");
        let given: Vec<bool> = state.orders.iter().map(|order| order.chain.is_some()).collect();
        assert_eq!(given, [false, true], "of one a check failed");
    });
}

#[test]
fn a_correction_is_not_kept_waiting_by_what_failed_before() {
    let stage =
        Stage::start("corrected", "http-01", Duration::from_hours(1), |state| state.refuse = 1_000_000);
    let file = stage.folder.join("edge.toml");
    let change = |from: &str, to: &str| {
        std::fs::write(&file, std::fs::read_to_string(&file).unwrap().replace(from, to)).unwrap();
        stage.shared.reload().unwrap();
    };
    let left = || stage.authority.state(|state| state.refuse);
    until(|| "an order is refused".to_owned(), || left() < 1_000_000);
    let before = left();
    change("100ms", "10h");
    until(|| "another one is refused".to_owned(), || left() < before);
    stage.authority.state(|state| state.refuse = 0);
    change("mailto:ops@", "mailto:other@");
    stage.until_shown(HOSTS[0]);
}
