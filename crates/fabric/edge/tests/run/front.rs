//! Proxies before services, for what the services themselves do not speak: HTTP/2 and TLS.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coreto_proxy::forward::Account;
use coreto_proxy::listen;
use coreto_proxy::model::{
    Action, Certificate, Cluster, EncodedSlash, Endpoint, Forward, Listener, Model, Plan, Route, Source,
    Split, Tls,
};
use coreto_proxy::plane::{Allows, Plane};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Issues certificates into a folder.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    pub(crate) file: PathBuf,
}

impl Authority {
    pub(crate) fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, folder: folder.to_owned(), file }
    }

    /// A certificate for a host, and for others beside it.
    pub(crate) fn issue(&self, host: &str, others: &[String]) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let names = [&[host.to_owned()], others].concat();
        let params = CertificateParams::new(names).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = Certificate {
            cert: self.folder.join(format!("{host}.pem")),
            key: self.folder.join(format!("{host}.key")),
        };
        std::fs::write(&files.cert, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    /// A client's side of TLS that wants to see a host.
    pub(crate) fn connect(&self, stream: TcpStream, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Who is shown another certificate than that of the host does not look at it here.
        let shown = if host == "other.example" { "shop.example" } else { host };
        let name = ServerName::try_from(shown.to_owned()).unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
    }
}

/// A proxy that runs until it is dropped.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    plane: Arc<Plane>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Silent;

impl listen::Ledger for Silent {
    fn note(&self, _: usize, _: &Account) {}
}

impl Front {
    pub(crate) fn start(service: SocketAddr, certificate: Option<Certificate>) -> Self {
        let tls = certificate.map(|certificate| Tls { certificates: vec![certificate], ..Tls::default() });
        let listener = Listener {
            name: "front".to_owned(),
            address: "127.0.0.1:0".parse().unwrap(),
            tls,
            ..Listener::default()
        };
        let to = vec![Split { cluster: "service".to_owned(), weight: 1 }];
        let route = Route {
            name: "all".to_owned(),
            action: Action::Forward(Forward { to, ..Forward::default() }),
            encoded_slash: EncodedSlash::Keep,
            ..Route::default()
        };
        let source = Source::Static(vec![Endpoint { address: service, weight: 1 }]);
        let cluster = Cluster { name: "service".to_owned(), source, ..Cluster::default() };
        let model = Model { listeners: vec![listener], routes: vec![route], clusters: vec![cluster] };
        let plane = Plane::build(Plan::build(model).unwrap(), Allows(Box::new(|_, _| true))).unwrap();
        let running = listen::Service::new(Arc::clone(&plane), 1, Arc::new(Silent));
        let thread = std::thread::spawn(move || running.run().unwrap());
        Self { address: plane.addresses()[0].1, plane, thread: Some(thread) }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.plane.drain();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
