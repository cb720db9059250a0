//! TLS to endpoints: whom we believe, and who we are.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::listen::{TlsError, chain, private_key};
use crate::model::{Protocol, UpstreamTls};

/// How connections to a cluster's endpoints are encrypted, made once for each cluster.
#[derive(Clone)]
pub(crate) struct Security {
    connector: TlsConnector,
    /// The name that certificates must have; that of the request's host without it.
    name: Option<ServerName<'static>>,
    /// Of all that was read to make it.
    hash: u64,
}

impl PartialEq for Security {
    /// Whether both were made of the same.
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.name == other.name
    }
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where systems keep the authorities that they believe.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

impl Security {
    pub(super) fn build(tls: &UpstreamTls, protocol: Protocol) -> Result<Self, TlsError> {
        let roots = authorities(tls.ca.as_deref())?;
        let mut hasher = DefaultHasher::new();
        roots.roots.hash(&mut hasher);
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(roots);
        let mut config = match (&tls.cert, &tls.key) {
            (Some(cert), Some(key)) => {
                let (chain, private) = (chain(cert)?, private_key(key)?);
                (&chain, private.secret_der()).hash(&mut hasher);
                builder.with_client_auth_cert(chain, private).map_err(|source| TlsError::Pair {
                    certificate: cert.clone(),
                    key: key.clone(),
                    source,
                })?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = match protocol {
            Protocol::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        let name = tls.name.as_deref().map(server_name).transpose()?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name, hash: hasher.finish() })
    }

    /// Whether connections depend on the host of the request.
    pub(crate) fn goes_by_host(&self) -> bool {
        self.name.is_none()
    }

    pub(super) fn connector(&self) -> &TlsConnector {
        &self.connector
    }

    /// The name that the certificate must have; none when the host is no name that a certificate could have.
    pub(super) fn name_for(&self, host: &str) -> Option<ServerName<'static>> {
        self.name.clone().or_else(|| server_name(host).ok())
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let inner = inner.strip_suffix('.').unwrap_or(inner);
    ServerName::try_from(inner.to_owned()).map_err(|_| TlsError::Name { name: host.to_owned() })
}

/// Whom to believe: the authorities of a PEM file, or those of the system.
///
/// # Errors
/// When there are none.
pub fn authorities(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    match ca {
        Some(path) => named(path),
        None => system(),
    }
}

fn named(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots.add(certificate).map_err(|error| TlsError::File {
            what: "an authority",
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// The authorities of the system. Those among them that cannot be read are left out.
fn system() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for path in SYSTEM.map(Path::new).into_iter().filter(|path| path.exists()) {
        if let Ok(certificates) = CertificateDer::pem_file_iter(path) {
            roots.add_parsable_certificates(certificates.flatten());
        }
        if !roots.is_empty() {
            return Ok(roots);
        }
    }
    Err(TlsError::NoSystemAuthorities)
}
