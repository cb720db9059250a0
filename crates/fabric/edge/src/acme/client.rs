//! Requests to the authority: HTTP/1.1 over TLS, a connection for each.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coreto_proxy::listen::TlsError;
use coreto_proxy::upstream::authorities;
use http::Request;
use http::header::{HOST, HeaderValue};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Acme, Error};
use crate::fault::chain;

/// A client of the authority.
pub(super) struct Http {
    tls: TlsConnector,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is larger.
const ANSWER_BYTES_MAX: usize = 1 << 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Http {
    pub(super) fn new(settings: &Acme) -> Result<Self, Error> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_root_certificates(authorities(settings.ca.as_deref())?)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let tls = self.tls.clone();
        Box::pin(async move {
            let uri = request.uri().clone();
            let answered = match tokio::time::timeout(PATIENCE, send(tls, request)).await {
                Ok(answered) => answered,
                Err(_) => Err("there was no answer in time".into()),
            };
            // Whoever is told this does not ask for causes.
            let failed = |failure: Failure| format!("cannot ask `{uri}`: {}", chain(&*failure));
            answered.map_err(|failure| instant_acme::Error::Other(failed(failure).into()))
        })
    }
}

async fn send(tls: TlsConnector, mut request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Failure> {
    let uri = request.uri().clone();
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https"));
    let authority = authority.ok_or("it is no `https` URL")?;
    let name = ServerName::try_from(authority.host().to_owned())?;
    let stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(443))).await?;
    let stream = tls.connect(name, stream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its sender, and what it fails at is told to that.
    tokio::spawn(connection);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    *request.uri_mut() = path.parse()?;
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    Ok(BytesResponse { parts, body: Box::new(body) })
}
