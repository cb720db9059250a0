//! Certificates of a listener, and of its clients.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{
    ClientHello, ParsedCertificate, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier,
};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};

use crate::model::{self, Certificate, ClientCertificate};
use crate::plane::Challenges;

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file holds not what it is to hold.
    #[error("cannot read {what} from `{path}`: {reason}")]
    File {
        /// What it is to hold.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A certificate and a key that do not fit, or that are not to be used.
    #[error("cannot use certificate `{certificate}` with key `{key}`")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// There is no certificate.
    #[error("no certificate is given")]
    Empty,
    /// Clients are to show certificates that nobody vouches for.
    #[error("no authorities are given for the certificates of clients")]
    NoAuthorities,
    /// The authorities for clients cannot be used.
    #[error("cannot use the authorities of `{path}` for clients")]
    Authorities {
        /// Their file.
        path: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
    /// The system has no list of authorities.
    #[error("the system has no authorities to believe; write `ca`")]
    NoSystemAuthorities,
    /// A name that no certificate can have.
    #[error("`{name}` is no name that a certificate could have")]
    Name {
        /// The name.
        name: String,
    },
    /// The settings do not fit together.
    #[error("cannot set TLS up")]
    Setup(#[source] rustls::Error),
}

/// TLS of a listener, shared by its workers.
#[derive(Clone)]
pub struct Tls {
    server: Arc<ServerConfig>,
    shown: Arc<Shown>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificates", &self.shown.list.len()).finish_non_exhaustive()
    }
}

/// The certificates in use. The first is for clients that ask for no name, or for one that none has.
#[derive(Debug)]
struct Shown {
    list: Vec<Arc<CertifiedKey>>,
    challenges: Arc<Challenges>,
}

/// What the authority of a certificate speaks when it checks that a host is ours (RFC 8737 §4).
const ACME: &[u8] = b"acme-tls/1";

impl Tls {
    /// Reads and checks certificates and keys.
    ///
    /// # Errors
    /// When a file cannot be read, or a certificate not be used.
    pub fn build(tls: &model::Tls, challenges: &Arc<Challenges>) -> Result<Self, TlsError> {
        let provider = Arc::new(default_provider());
        let ordered =
            tls.acme.iter().map(|acme| Certificate { cert: acme.file.clone(), key: acme.file.clone() });
        let certificates: Vec<Certificate> = tls.certificates.iter().cloned().chain(ordered).collect();
        let list = read(&certificates, &provider)?;
        let shown = Arc::new(Shown { list, challenges: Arc::clone(challenges) });
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let builder = match tls.client_certificate {
            ClientCertificate::Off => builder.with_no_client_auth(),
            asked @ (ClientCertificate::Optional | ClientCertificate::Required) => {
                let path = tls.client_ca.as_ref().ok_or(TlsError::NoAuthorities)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(authorities(path)?, provider);
                let optional = asked == ClientCertificate::Optional;
                let verifier = if optional { verifier.allow_unauthenticated() } else { verifier };
                let unusable = |source| TlsError::Authorities { path: path.clone(), source };
                builder.with_client_cert_verifier(verifier.build().map_err(unusable)?)
            }
        };
        let mut server = builder.with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if tls.acme.is_some() {
            server.alpn_protocols.push(ACME.to_vec());
        }
        // Its keys change every six hours, and the ones before are good for as long again.
        server.ticketer = Ticketer::new().map_err(TlsError::Setup)?;
        Ok(Self { server: Arc::new(server), shown })
    }

    /// Whether a connection is no more than the check of an authority, which is over with its handshake.
    pub(super) fn is_check(protocol: Option<&[u8]>) -> bool {
        protocol == Some(ACME)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.server))
    }

    /// Whether one of the certificates is for a host.
    pub(crate) fn covers(&self, host: &str) -> bool {
        self.shown.named(host).is_some()
    }

    /// What a client that asked for a name has been shown.
    pub(super) fn shown_for(&self, name: &str) -> Option<CertificateDer<'static>> {
        self.shown.choose(Some(name))?.cert.first().cloned()
    }
}

impl Shown {
    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        name.and_then(|name| self.named(name)).or(self.list.first()).cloned()
    }

    fn named(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let is_for = |key: &&Arc<CertifiedKey>| key.cert.first().is_some_and(|found| covers(found, name));
        self.list.iter().find(is_for)
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ACME)) {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.choose(hello.server_name())
    }
}

/// Whether a certificate is for a host: by name, by a `*` for its first label, or by address.
pub fn covers(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let (Ok(certificate), Ok(name)) = (ParsedCertificate::try_from(certificate), ServerName::try_from(host))
    else {
        return false;
    };
    verify_server_name(&certificate, &name).is_ok()
}

fn read(certificates: &[Certificate], provider: &CryptoProvider) -> Result<Vec<Arc<CertifiedKey>>, TlsError> {
    if certificates.is_empty() {
        return Err(TlsError::Empty);
    }
    certificates
        .iter()
        .map(|Certificate { cert, key }| {
            let chain = chain(cert)?;
            let read = private_key(key)?;
            let unusable = |source| TlsError::Pair { certificate: cert.clone(), key: key.clone(), source };
            Ok(Arc::new(CertifiedKey::from_der(chain, read, provider).map_err(unusable)?))
        })
        .collect()
}

pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| file_error("a private key", path, error.to_string()))
}

pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| file_error("certificates", path, error.to_string()))?;
    if read.is_empty() {
        return Err(file_error("certificates", path, "there is no PEM block `CERTIFICATE` in it".to_owned()));
    }
    Ok(read)
}

fn authorities(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in chain(path)? {
        store.add(certificate).map_err(|error| file_error("an authority", path, error.to_string()))?;
    }
    Ok(Arc::new(store))
}

fn file_error(what: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File { what, path: path.to_path_buf(), reason }
}
