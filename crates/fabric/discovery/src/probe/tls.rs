//! TLS of checks: whom we believe.

use std::sync::{Arc, OnceLock};

use coreto_catalog::Definition;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The authorities of the system, read with the first check that needs them.
static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();

/// Speaks TLS on a connection to `host`, and `protocol` within.
pub(super) async fn encrypt(
    stream: TcpStream,
    definition: &Definition,
    host: &str,
    protocol: &str,
) -> Result<TlsStream<TcpStream>, String> {
    let name = match &*definition.tls_server_name {
        "" => host.trim_start_matches('[').trim_end_matches(']'),
        name => name,
    };
    let no_name = |_| format!("`{name}` is no name that a certificate could have");
    let name = ServerName::try_from(name.to_owned()).map_err(no_name)?;
    let config = config(definition.tls_skip_verify, protocol).map_err(|error| format!("no TLS: {error}"))?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| format!("TLS failed: {error}"))
}

fn config(skip_verify: bool, protocol: &str) -> Result<ClientConfig, Error> {
    let provider = Arc::new(default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        builder.with_root_certificates(Arc::clone(ROOTS.get_or_init(system)))
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Ok(config)
}

/// What cannot be read among the authorities of the system is left out.
fn system() -> Arc<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some authorities of the system cannot be read; checks over TLS do not believe them");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    Arc::new(roots)
}

/// Believes any certificate whose key the server has, as a check asks for by `TLSSkipVerify`.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
