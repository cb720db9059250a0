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
use tokio_rustls::rustls::{self, CertificateError, InconsistentKeys, RootCertStore, ServerConfig};

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
    /// The key is that of another certificate.
    #[error("the key in `{key}` is not that of the certificate in `{certificate}`")]
    OtherKey {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A certificate without extensions, which has no place for names.
    #[error(
        "the certificate in `{certificate}` is of version 1; one of version 3 with `subjectAltName` is wanted"
    )]
    OldCertificate {
        /// Its file.
        certificate: PathBuf,
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
    trust: Trust,
}

/// Whose certificates clients are to show. Who has shown one resumes the session without it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trust {
    asked: ClientCertificate,
    authorities: Vec<CertificateDer<'static>>,
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
    /// Reads and checks certificates and keys. Sessions of the listener as it was `before` can be resumed, as long as
    /// the same is asked of clients.
    ///
    /// # Errors
    /// When a file cannot be read, or a certificate not be used.
    pub fn build(
        tls: &model::Tls,
        challenges: &Arc<Challenges>,
        before: Option<&Self>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(default_provider());
        let ordered =
            tls.acme.iter().map(|acme| Certificate { cert: acme.file.clone(), key: acme.file.clone() });
        let certificates: Vec<Certificate> = tls.certificates.iter().cloned().chain(ordered).collect();
        let list = read(&certificates, &provider)?;
        let shown = Arc::new(Shown { list, challenges: Arc::clone(challenges) });
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let mut trust = Trust { asked: tls.client_certificate, authorities: Vec::new() };
        let builder = match tls.client_certificate {
            ClientCertificate::Off => builder.with_no_client_auth(),
            asked @ (ClientCertificate::Optional | ClientCertificate::Required) => {
                let path = tls.client_ca.as_ref().ok_or(TlsError::NoAuthorities)?;
                trust.authorities = chain(path)?;
                let roots = authorities(path, &trust.authorities)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
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
        server.ticketer = match before.filter(|before| before.trust == trust) {
            Some(before) => Arc::clone(&before.server.ticketer),
            None => Ticketer::new().map_err(TlsError::Setup)?,
        };
        Ok(Self { server: Arc::new(server), shown, trust })
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
            let pair = CertifiedKey::from_der(chain, read, provider);
            Ok(Arc::new(pair.map_err(|source| unusable(cert, key, source))?))
        })
        .collect()
}

/// Why a certificate cannot be used with its key, where that can be said in other words than those of a library.
fn unusable(certificate: &Path, key: &Path, source: rustls::Error) -> TlsError {
    let (certificate, key) = (certificate.to_path_buf(), key.to_path_buf());
    match &source {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            TlsError::OtherKey { certificate, key }
        }
        // It has no name of its own there.
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().contains("UnsupportedCertVersion") =>
        {
            TlsError::OldCertificate { certificate }
        }
        _ => TlsError::Pair { certificate, key, source },
    }
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

fn authorities(path: &Path, list: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in list {
        store
            .add(certificate.clone())
            .map_err(|error| file_error("an authority", path, error.to_string()))?;
    }
    Ok(Arc::new(store))
}

fn file_error(what: &'static str, path: &Path, reason: String) -> TlsError {
    TlsError::File { what, path: path.to_path_buf(), reason }
}
