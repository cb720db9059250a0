//! TLS of a listener: names, protocols, reload, certificates of clients, resumption.

#[path = "attack/origin.rs"]
mod origin;
#[path = "run/proxy.rs"]
mod proxy;
#[path = "run/service.rs"]
mod service;

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use coreto_proxy::balance::Fitness;
use coreto_proxy::listen::Tls;
use coreto_proxy::model::{
    Certificate, ClientCertificate, Model, Network, Outlier, Protocol, Tls as Asked, UpstreamTls,
};
use coreto_proxy::plane::{Allows, Plane};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

use proxy::{Proxy, model, plan};
use service::until;

/// An authority and a folder for what it issues.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

struct Issued {
    files: Certificate,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    fn new(test: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are fine");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("ca.pem"), issuer.pem()).expect("a file");
        Self { issuer, folder }
    }

    fn issue(&self, file: &str, names: &[&str]) -> Issued {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new(names)
            .expect("names")
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        let files = Certificate {
            cert: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}.key")),
        };
        std::fs::write(&files.cert, certificate.pem()).expect("a file");
        std::fs::write(&files.key, key.serialize_pem()).expect("a file");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        Issued { files, certificate: certificate.der().clone(), key }
    }

    fn client(&self, own: Option<&Issued>, protocols: &[&[u8]]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("an authority");
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => builder
                .with_client_auth_cert(vec![own.certificate.clone()], own.key.clone_key())
                .expect("a certificate"),
        };
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    }
}

type Secure = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: SocketAddr, config: &Arc<ClientConfig>, name: &'static str) -> Secure {
    let name = ServerName::try_from(name).expect("a name");
    let session = ClientConnection::new(Arc::clone(config), name).expect("a session");
    StreamOwned::new(session, TcpStream::connect(address).expect("the proxy listens"))
}

fn ask(stream: &mut Secure, host: &str) -> std::io::Result<String> {
    let request =
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nClient-Cert: forged\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn shown(stream: &Secure) -> CertificateDer<'static> {
    stream.conn.peer_certificates().expect("a handshake")[0].clone().into_owned()
}

/// TLS that asks no client for a certificate.
fn build(certificates: &[&Issued]) -> Asked {
    let certificates = certificates.iter().map(|issued| issued.files.clone()).collect();
    Asked { certificates, ..Asked::default() }
}

fn secure(tls: &Asked, upstream: SocketAddr) -> Model {
    let mut model = model(&[upstream], Protocol::Http1);
    model.listeners[0].tls = Some(tls.clone());
    model
}

fn start(tls: &Asked) -> (Proxy, Arc<std::sync::Mutex<origin::Seen>>) {
    let (upstream, seen) = origin::start(None, false);
    (Proxy::start(secure(tls, upstream)), seen)
}

#[test]
fn the_name_that_is_asked_for_chooses_the_certificate() {
    let authority = Authority::new("names");
    let (a, wild) = (authority.issue("a", &["a.example"]), authority.issue("wild", &["*.b.example"]));
    let tls = build(&[&a, &wild]);
    let (proxy, _) = start(&tls);
    let client = authority.client(None, &[]);
    for (name, host, certificate, status) in [
        ("a.example", "a.example", &a, "200"),
        ("x.b.example", "x.b.example:443", &wild, "200"),
        ("x.b.example", "y.b.example", &wild, "200"),
        // No certificate is for it, and the connection is as good as another.
        ("x.b.example", "x.y.b.example", &wild, "200"),
        ("a.example", "other.example", &a, "200"),
        ("a.example", "x.b.example", &a, "421"),
        ("x.b.example", "a.example", &wild, "421"),
    ] {
        let mut stream = connect(proxy.address, &client, name);
        let answer = ask(&mut stream, host).expect("an answer");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name} {host}: {answer}");
        assert_eq!(shown(&stream), certificate.certificate, "{name}");
    }
    let accounts = proxy.accounts.lock().expect("no test panics with it");
    let errors = accounts.iter().filter_map(|account| account.error).collect::<Vec<_>>();
    assert_eq!(errors, ["http_request_error"; 2]);
    drop(accounts);
    let (upstream, _) = origin::start(None, false);
    let mut model = secure(&tls, upstream);
    model.listeners[0].trusted_hops = 1;
    let behind = Proxy::start(model);
    let mut stream = connect(behind.address, &client, "a.example");
    let answer = ask(&mut stream, "x.b.example").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "a proxy that is believed asks for all hosts: {answer}");
}

#[test]
fn the_protocol_is_agreed_on_in_the_handshake() {
    let authority = Authority::new("protocols");
    let tls = build(&[&authority.issue("a", &["a"])]);
    let (proxy, _) = start(&tls);
    for (offered, agreed) in [(&[&b"h2"[..], b"http/1.1"][..], &b"h2"[..]), (&[b"http/1.1"], b"http/1.1")] {
        let mut stream = connect(proxy.address, &authority.client(None, offered), "a");
        stream.conn.complete_io(&mut stream.sock).expect("a handshake");
        assert_eq!(stream.conn.alpn_protocol(), Some(agreed));
    }
    let mut stream = connect(proxy.address, &authority.client(None, &[b"other"]), "a");
    assert!(stream.conn.complete_io(&mut stream.sock).is_err(), "nothing is agreed on");
}

#[test]
fn new_certificates_are_for_new_handshakes_and_bad_ones_change_nothing() {
    let authority = Authority::new("reload");
    let (old, new) = (authority.issue("old", &["a"]), authority.issue("new", &["a"]));
    let tls = build(&[&old]);
    let (upstream, _) = origin::start(None, false);
    let proxy = Proxy::start(secure(&tls, upstream));
    let reload = |files: &Certificate| {
        let tls = Asked { certificates: vec![files.clone()], ..Asked::default() };
        proxy.plane.replace(plan(secure(&tls, upstream)))
    };
    let client = authority.client(None, &[]);
    let mut before = connect(proxy.address, &client, "a");
    before.conn.complete_io(&mut before.sock).expect("a handshake");
    let mixed = Certificate { key: old.files.key.clone(), ..new.files.clone() };
    let refused = reload(&mixed).expect_err("the key is that of another certificate");
    let reason = refused.source().expect("a reason").to_string();
    assert!(reason.contains("new.pem"), "{reason}");
    let missing = Certificate { key: "/nowhere".into(), ..new.files.clone() };
    assert!(reload(&missing).is_err());
    let mut between = connect(proxy.address, &client, "a");
    between.conn.complete_io(&mut between.sock).expect("a handshake");
    assert_eq!(shown(&between), old.certificate);
    reload(&new.files).expect("certificates");
    // A session of before would be resumed without a look at the certificate.
    let mut after = connect(proxy.address, &authority.client(None, &[]), "a");
    assert!(ask(&mut after, "a").expect("an answer").starts_with("HTTP/1.1 200 "));
    assert_eq!(shown(&after), new.certificate);
    assert!(ask(&mut before, "a").expect("an answer").starts_with("HTTP/1.1 200 "), "it goes on");
}

#[test]
fn clients_show_certificates_and_upstreams_are_told_which() {
    let authority = Authority::new("clients");
    let own = authority.issue("client", &["client"]);
    let asking = Asked {
        certificates: vec![authority.issue("a", &["a"]).files],
        client_ca: Some(authority.folder.join("ca.pem")),
        client_certificate: ClientCertificate::Required,
        ..Asked::default()
    };
    let tls = asking.clone();
    assert!(
        Tls::build(&Asked { client_ca: None, ..asking }, &Arc::default(), None).is_err(),
        "nobody vouches for clients"
    );
    let (proxy, seen) = start(&tls);
    let (own_origin, own_seen) = origin::start(None, false);
    let mut stream = connect(proxy.address, &authority.client(Some(&own), &[]), "a");
    assert!(ask(&mut stream, "a").expect("an answer").starts_with("HTTP/1.1 200 "));
    let told = String::from_utf8_lossy(&seen.lock().expect("no test panics with it").bytes).into_owned();
    let field = told.lines().find_map(|line| line.strip_prefix("client-cert: ")).expect("it is told");
    assert!(field.starts_with(":MII") && field.ends_with(':'), "{field}");
    assert!(!told.contains("forged"), "{told}");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &own.certificate);
    let hash = hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    assert!(told.contains(&format!("x-forwarded-client-cert: Hash={hash}\r\n")), "{told}");
    assert!(told.contains("x-forwarded-proto: https\r\n"), "{told}");
    let mut stream = connect(proxy.address, &authority.client(None, &[]), "a");
    assert!(ask(&mut stream, "a").is_err(), "a client without a certificate is not served");
    let mut believing = secure(&tls, own_origin);
    believing.listeners[0].trusted_proxies = vec![Network::read("127.0.0.0/8").expect("a network")];
    let behind = Proxy::start(believing);
    let mut stream = connect(behind.address, &authority.client(Some(&own), &[]), "a");
    assert!(ask(&mut stream, "a").expect("an answer").starts_with("HTTP/1.1 200 "));
    let told = String::from_utf8_lossy(&own_seen.lock().expect("no test panics with it").bytes).into_owned();
    assert!(told.contains("client-cert: forged\r\n"), "a proxy that is believed tells of its client: {told}");
    let stranger = Authority::new("strangers").issue("client", &["client"]);
    let mut stream = connect(proxy.address, &authority.client(Some(&stranger), &[]), "a");
    assert!(ask(&mut stream, "a").is_err(), "a certificate of another authority is not believed");
    let force = proxy.plane.in_force();
    until("both are counted", || {
        force.listeners().all(|(.., refused)| refused.handshake.load(Ordering::Relaxed) == 2)
    });
}

#[test]
fn a_session_is_resumed_until_something_else_is_asked_of_clients() {
    let authority = Authority::new("sessions");
    let own = authority.issue("client", &["client"]);
    let tls = build(&[&authority.issue("a", &["a"])]);
    let (upstream, _) = origin::start(None, false);
    let proxy = Proxy::start(secure(&tls, upstream));
    let client = authority.client(Some(&own), &[]);
    let asking = Asked {
        client_ca: Some(authority.folder.join("ca.pem")),
        client_certificate: ClientCertificate::Optional,
        ..build(&[&authority.issue("b", &["a"])])
    };
    let ask_again = |kind| {
        let mut stream = connect(proxy.address, &client, "a");
        assert!(ask(&mut stream, "a").expect("an answer").starts_with("HTTP/1.1 200 "));
        assert_eq!(stream.conn.handshake_kind(), Some(kind));
    };
    ask_again(HandshakeKind::Full);
    ask_again(HandshakeKind::Resumed);
    for (next, kind) in [
        (build(&[&authority.issue("b", &["a"])]), HandshakeKind::Resumed),
        (asking.clone(), HandshakeKind::Full),
        (asking, HandshakeKind::Resumed),
    ] {
        proxy.plane.replace(plan(secure(&next, upstream))).expect("it is sound");
        ask_again(kind);
    }
}

/// An upstream that is encrypted: it tells which name it was asked for and whether it saw a certificate.
fn encrypted(authority: &Authority, names: &[&str], clients: bool) -> SocketAddr {
    let issued = authority.issue(names[0], names);
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = if clients {
        let mut roots = RootCertStore::empty();
        roots.add(authority.issuer.der().clone()).expect("an authority");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(vec![issued.certificate], issued.key).expect("a certificate");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(session, stream);
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                head.push(byte[0]);
            }
            let name = stream.conn.server_name().unwrap_or("-").to_owned();
            let shown = stream.conn.peer_certificates().is_some();
            let body = format!("{name} {shown}");
            let answer = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}

#[test]
fn an_upstream_proves_who_it_is_and_so_do_we() {
    let authority = Authority::new("upstreams");
    let plain = encrypted(&authority, &["inner.example"], false);
    let strict = encrypted(&authority, &["strict.example"], true);
    let own = authority.issue("own", &["gateway"]);
    let ca = Some(authority.folder.join("ca.pem"));
    let name =
        |name: &str| UpstreamTls { name: Some(name.to_owned()), ca: ca.clone(), ..UpstreamTls::default() };
    let with_own = UpstreamTls {
        cert: Some(own.files.cert.clone()),
        key: Some(own.files.key),
        ..name("strict.example")
    };
    let by_host = UpstreamTls { ca: ca.clone(), ..UpstreamTls::default() };
    let stranger = UpstreamTls { ca: None, ..name("inner.example") };
    for (upstream, tls, host, expected) in [
        (plain, name("inner.example"), "shop.example", Ok("inner.example false")),
        (plain, name("other.example"), "shop.example", Err("tls_certificate_error")),
        (plain, by_host.clone(), "inner.example:8080", Ok("inner.example false")),
        (plain, by_host, "shop.example", Err("tls_certificate_error")),
        (plain, stranger, "inner.example", Err("tls_certificate_error")),
        (strict, with_own, "shop.example", Ok("strict.example true")),
    ] {
        let mut model = model(&[upstream], Protocol::Auto);
        model.clusters[0].tls = Some(tls);
        let proxy = Proxy::start(model);
        let mut stream = TcpStream::connect(proxy.address).expect("the proxy listens");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is read");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        match expected {
            Ok(body) => assert!(answer.ends_with(body), "{host}: {answer}"),
            Err(error) => assert!(answer.contains(&format!("error={error}")), "{host}: {answer}"),
        }
    }
    let missing = UpstreamTls { ca: Some("/nowhere".into()), ..UpstreamTls::default() };
    let mut model = model(&[plain], Protocol::Auto);
    model.clusters[0].tls = Some(missing);
    assert!(Plane::build(plan(model), Allows(Box::new(|_, _| true))).is_err());
}

#[test]
fn a_host_that_a_client_makes_up_speaks_against_no_endpoint() {
    let authority = Authority::new("made-up");
    let upstreams = [(); 2].map(|()| encrypted(&authority, &["inner.example"], false));
    let mut model = model(&upstreams, Protocol::Auto);
    let ca = Some(authority.folder.join("ca.pem"));
    model.clusters[0].tls = Some(UpstreamTls { ca, ..UpstreamTls::default() });
    model.clusters[0].outlier = Some(Outlier { failures: 1, ..Outlier::default() });
    let proxy = Proxy::start(model);
    for host in ["nobody.example", "no_name", "nobody.example", "inner.example"] {
        let mut stream = TcpStream::connect(proxy.address).expect("the proxy listens");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is read");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let expected = if host == "inner.example" { "HTTP/1.1 200 " } else { "HTTP/1.1 502 " };
        assert!(answer.starts_with(expected), "{host}: {answer}");
        let members = proxy.plane.in_force().upstreams()[0].members();
        assert!(members.iter().all(|(_, fitness)| *fitness == Fitness::Fit), "{host}");
    }
    assert!(proxy.end().iter().all(|account| account.attempts == 1));
}

#[test]
fn a_reload_makes_connections_to_upstreams_anew_only_for_other_certificates() {
    let authority = Authority::new("same");
    let mut model = model(&[encrypted(&authority, &["a"], false)], Protocol::Auto);
    let ca = authority.folder.join("ca.pem");
    model.clusters[0].tls = Some(UpstreamTls { ca: Some(ca.clone()), ..UpstreamTls::default() });
    let proxy = Proxy::start(model.clone());
    let upstream = || Arc::clone(&proxy.plane.in_force().upstreams()[0]);
    let first = upstream();
    proxy.plane.replace(plan(model.clone())).expect("it is sound");
    assert!(Arc::ptr_eq(&first, &upstream()));
    std::fs::write(&ca, Authority::new("another").issuer.pem()).expect("a file");
    proxy.plane.replace(plan(model)).expect("it is sound");
    assert!(!Arc::ptr_eq(&first, &upstream()));
}
