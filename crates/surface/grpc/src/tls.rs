//! Certificate and key from files.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{Error, Tls};

/// Accepts TLS connections that speak HTTP/2.
pub(crate) fn acceptor(files: &Tls) -> Result<TlsAcceptor, Error> {
    let file_error = |what, path: &std::path::Path, reason: String| Error::TlsFile {
        what,
        path: path.to_path_buf(),
        reason,
    };
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| file_error("a certificate", &files.certificate, error.to_string()))?;
    if certificates.is_empty() {
        let reason = "there is no PEM block `CERTIFICATE` in it".to_owned();
        return Err(file_error("a certificate", &files.certificate, reason));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| file_error("a private key", &files.key, error.to_string()))?;
    let unusable =
        |source| Error::Tls { certificate: files.certificate.clone(), key: files.key.clone(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
