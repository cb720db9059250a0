//! Where a catalog is, and how it is asked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use coreto_proxy::listen::TlsError;
use coreto_proxy::upstream::authorities;
use http::HeaderValue;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;

/// What a file says of a catalog.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Where it is served.
    pub address: SocketAddr,
    /// What is shown to it as `X-Consul-Token`.
    pub token: Option<String>,
    /// Nothing, when it is asked without TLS.
    pub tls: Option<SeatTls>,
}

/// TLS to a catalog.
#[derive(Clone, Debug, Default)]
pub struct SeatTls {
    /// The name that its certificate must have; its address without it.
    pub name: Option<String>,
    /// Whom to believe, a PEM file; the authorities of the system without it.
    pub ca: Option<PathBuf>,
}

impl Default for Seat {
    fn default() -> Self {
        Self { address: (IpAddr::from(Ipv4Addr::LOCALHOST), 8500).into(), token: None, tls: None }
    }
}

/// Why a catalog cannot be asked as the file says.
#[derive(Debug, thiserror::Error)]
pub enum SeatError {
    /// TLS cannot be set up.
    #[error("`catalog.tls` cannot be used")]
    Tls(#[from] TlsError),
    /// No certificate could have this name.
    #[error("`catalog.tls.name` is `{0}`, which is no name that a certificate could have")]
    Name(String),
    /// The token cannot be sent.
    #[error("the catalog's token has other characters than visible ones")]
    Token,
}

/// A seat that can be asked: all files are read.
#[derive(Clone)]
pub(crate) struct Way {
    pub(super) address: SocketAddr,
    pub(super) token: Option<HeaderValue>,
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Way {
    /// Of a catalog that asks for nothing.
    pub(super) const fn plain(address: SocketAddr) -> Self {
        Self { address, token: None, tls: None }
    }

    /// As a file says; `usual` is the token where it says none.
    pub(super) fn new(seat: &Seat, usual: Option<&str>) -> Result<Self, SeatError> {
        let token = seat.token.as_deref().or(usual).filter(|token| !token.is_empty());
        let token = token.map(hidden).transpose()?;
        let tls = seat.tls.as_ref().map(|tls| encrypted(tls, seat.address.ip())).transpose()?;
        Ok(Self { address: seat.address, token, tls })
    }
}

fn hidden(token: &str) -> Result<HeaderValue, SeatError> {
    let mut token = HeaderValue::try_from(token).map_err(|_| SeatError::Token)?;
    token.set_sensitive(true);
    Ok(token)
}

fn encrypted(tls: &SeatTls, address: IpAddr) -> Result<(TlsConnector, ServerName<'static>), SeatError> {
    let name = match &tls.name {
        Some(name) => ServerName::try_from(name.clone()).map_err(|_| SeatError::Name(name.clone()))?,
        None => ServerName::from(address),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_root_certificates(authorities(tls.ca.as_deref())?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsConnector::from(Arc::new(config)), name))
}
