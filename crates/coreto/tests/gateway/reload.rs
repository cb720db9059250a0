//! Another configuration, and other certificates, under load.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::Signal;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::calls::Calls;
use crate::support::client::Caller;
use crate::support::kind;
use crate::support::load::Load;
use crate::support::program::{Program, SWITCHES, access_log, cluster, config, folder, until};
use crate::support::upstream::Upstream;
use crate::support::way::{Way, secured};

#[test]
fn another_configuration_twenty_times_under_load_costs_no_request() {
    let folder = folder("reload");
    let upstreams = [Upstream::start("one"), Upstream::start("other")];
    let services = [Calls::start(), Calls::start()];
    let text = |at: usize| {
        let extra = "[[listener]]\nname = \"extra\"\naddress = \"127.0.0.1:0\"\n\n".to_owned();
        let shop = cluster("shop", &[upstreams[at % 2].address], "", SWITCHES);
        let calls = cluster("calls", &[services[at % 2].address], "protocol = \"http2\"", "");
        // A listener, a route and a cluster that come and go, and endpoints that change.
        let more = if at.is_multiple_of(3) {
            extra + &cluster("more", &[upstreams[0].address], "", "")
        } else {
            String::new()
        };
        config(0, "", &(more + &shop + &calls))
    };
    std::fs::write(folder.join("edge.toml"), text(0)).unwrap();
    let gateway = Program::start(&folder, &[]);
    let mut socket = Caller::connect(gateway.address).unwrap();
    kind::open(&mut socket, "/shop/socket").unwrap();
    let load = Load::of_all_kinds(&Way { address: gateway.address, trust: None }, true);
    for at in 1..=20 {
        load.all_go_on();
        std::fs::write(folder.join("edge.toml"), text(at)).unwrap();
        gateway.reload();
        kind::echoed(&mut socket, "still here").unwrap();
    }
    load.all_go_on();
    let (answered, failed) = load.end();
    assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    drop(socket);
    gateway.end();
    // One more is the WebSocket that was open all the time.
    assert_eq!(access_log(&folder).len() as u64, answered + 1);
    let asked = upstreams.iter().map(Upstream::requests).chain(services.iter().map(Calls::count));
    assert_eq!(asked.sum::<u64>(), answered + 1, "each was asked for once");
}

#[test]
fn a_reload_without_descriptors_changes_nothing() {
    let folder = folder("descriptors");
    let upstream = Upstream::start("shop");
    let extra = "[[listener]]\nname = \"extra\"\naddress = \"127.0.0.1:0\"\n\n";
    let text = |more: &str| config(0, "", &format!("{more}{}", cluster("shop", &[upstream.address], "", "")));
    std::fs::write(folder.join("edge.toml"), text("")).unwrap();
    let gateway = Program::start(&folder, &[]);
    let mut kept: Vec<_> = (0..8).map(|_| Caller::connect(gateway.address).unwrap()).collect();
    let mut all_are_served = || {
        kept.iter_mut().all(|caller| caller.ask("GET /shop/a", "").is_ok_and(|answer| answer.status == 200))
    };
    assert!(all_are_served());
    std::fs::write(folder.join("edge.toml"), text(extra)).unwrap();
    // For who asks and for the socket, and none for a worker's copy of it.
    gateway.leave_descriptors(Some(2));
    let refused = crate::support::client::ask(gateway.admin, "POST /reload", "").unwrap();
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("listener `extra`"), "{}", refused.body);
    assert!(all_are_served());
    gateway.leave_descriptors(None);
    gateway.reload();
    assert!(all_are_served());
    gateway.end();
}

#[test]
fn signals_that_other_programs_know_end_nothing() {
    let folder = folder("signals");
    let upstream = Upstream::start("shop");
    std::fs::write(folder.join("edge.toml"), config(0, "", &cluster("shop", &[upstream.address], "", "")))
        .unwrap();
    let gateway = Program::start(&folder, &[]);
    let mut caller = Caller::connect(gateway.address).unwrap();
    for signal in [Signal::USR1, Signal::USR2, Signal::HUP] {
        let moved = folder.join("access.log.1");
        std::fs::rename(folder.join("access.log"), &moved).unwrap();
        gateway.signal(signal);
        if signal == Signal::USR2 {
            std::fs::rename(&moved, folder.join("access.log")).unwrap();
        } else {
            until("the log has a new file", || folder.join("access.log").exists());
        }
        assert_eq!(caller.ask("GET /shop/a", "").unwrap().status, 200);
    }
    gateway.end();
}

/// Who vouches for the gateway, and what clients believe.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    trust: Arc<ClientConfig>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let trust = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { issuer, trust: Arc::new(trust) }
    }

    /// Puts a new pair where the gateway reads it.
    fn issue(&self, folder: &Path) -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
        certificate.der().clone()
    }
}

#[test]
fn another_certificate_under_load_costs_no_request() {
    let folder = folder("certificate");
    let upstream = Upstream::start("shop");
    let authority = Authority::new();
    let mut shown = authority.issue(&folder);
    let tls = "tls = { certificate = [{ cert = \"cert.pem\", key = \"key.pem\" }] }";
    let text = config(0, tls, &cluster("shop", &[upstream.address], "", SWITCHES));
    std::fs::write(folder.join("edge.toml"), text).unwrap();
    let gateway = Program::start(&folder, &[]);
    let way = Way { address: gateway.address, trust: Some(Arc::clone(&authority.trust)) };
    let load = Load::of_all_kinds(&way, false);
    let mut anew = ClientConfig::clone(&authority.trust);
    // A session that is resumed shows no certificate.
    anew.resumption = Resumption::disabled();
    let anew = Arc::new(anew);
    let seen = || {
        let link = secured(way.address, &anew).unwrap();
        link.conn.peer_certificates().unwrap()[0].clone()
    };
    for _ in 0..5 {
        load.all_go_on();
        assert_eq!(seen(), shown);
        shown = authority.issue(&folder);
        gateway.signal(Signal::HUP);
        until("the new certificate is shown", || seen() == shown);
    }
    load.all_go_on();
    let (answered, failed) = load.end();
    assert!(failed.is_empty(), "{answered} were answered; not: {failed:#?}");
    gateway.end();
}
