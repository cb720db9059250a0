//! How commands reach a catalog: over HTTP, as any client of Consul does, and by the streams that are our own.

mod events;
mod lease;

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http::header::HOST;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::error::CliError;

pub(crate) use events::Event;
pub use lease::Lease;

/// Where the catalog is when nobody says.
const DEFAULT: &str = "127.0.0.1:8500";

/// Where the catalog is. The environment variables are those of Consul's clients.
#[derive(Args, Clone, Debug)]
pub struct CatalogArgs {
    /// The catalog's address: host:port, or a URL with http://.
    #[arg(long, env = "CONSUL_HTTP_ADDR", value_name = "ADDR", default_value = DEFAULT)]
    catalog: String,

    /// The token to send as `X-Consul-Token`.
    #[arg(long, env = "CONSUL_HTTP_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    catalog_token: Option<String>,
}

/// A catalog, as a client knows it.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Host and port.
    authority: String,
    token: Option<HeaderValue>,
}

/// The port of Consul's HTTP.
const PORT: u16 = 8500;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// The task that moves the bytes of a connection; it ends with this.
pub(crate) struct Driven(JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl CatalogArgs {
    /// The catalog that is meant.
    pub(crate) fn catalog(&self) -> Result<Catalog, CliError> {
        // A variable that is set and empty is as one that is not set.
        let address = if self.catalog.is_empty() { DEFAULT } else { &self.catalog };
        let token = self.catalog_token.as_deref().filter(|token| !token.is_empty());
        let token = token.map(HeaderValue::try_from).transpose().map_err(|_| CliError::Token)?;
        Ok(Catalog { token, ..Catalog::at(address)? })
    }
}

impl Catalog {
    /// The catalog at an address: host and port, or a URL with `http://`.
    ///
    /// # Errors
    /// When that is no address.
    pub fn at(address: &str) -> Result<Self, CliError> {
        Ok(Self { authority: authority(address)?, token: None })
    }

    /// Reads; nothing when what is asked for is not there.
    ///
    /// # Errors
    /// When the catalog cannot be reached, or says no.
    pub async fn read(&self, path: &str, timeout: Duration) -> Result<Option<Bytes>, CliError> {
        let (status, body) = self.ask(Method::GET, path, Bytes::new(), timeout).await?;
        // Whatever else is missing is told of in words.
        if status == StatusCode::NOT_FOUND && body.is_empty() {
            return Ok(None);
        }
        sound(status, body).map(Some)
    }

    /// Writes or removes.
    pub(crate) async fn write(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, CliError> {
        let (status, body) = self.ask(method, path, body, timeout).await?;
        sound(status, body)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), CliError> {
        let asked = async {
            let (response, _driven) = self.send(method, path, body).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((status, body.map_err(|error| self.unreached(&error))?.to_bytes()))
        };
        tokio::time::timeout(timeout, asked).await.map_err(|_| self.late(timeout))?
    }

    /// Sends a request on a connection of its own; the answer comes for as long as that is driven.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(Response<Incoming>, Driven), CliError> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| self.unreached(&error))?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| self.unreached(&error))?;
        let driven = Driven(tokio::spawn(async move { drop(connection.await) }));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| CliError::Usage(format!("`{path}` is no path")))?;
        let host = HeaderValue::try_from(&self.authority).map_err(|error| self.unreached(&error))?;
        request.headers_mut().insert(HOST, host);
        self.authorize(&mut request);
        let response = sender.send_request(request).await.map_err(|error| self.unreached(&error))?;
        Ok((response, driven))
    }

    fn authorize<B>(&self, request: &mut Request<B>) {
        if let Some(token) = &self.token {
            request.headers_mut().insert("x-consul-token", token.clone());
        }
    }

    fn late(&self, timeout: Duration) -> CliError {
        CliError::CatalogLate { address: self.authority.clone(), millis: timeout.as_millis() }
    }

    fn unreached(&self, error: &impl std::fmt::Display) -> CliError {
        CliError::NoCatalog { address: self.authority.clone(), reason: error.to_string() }
    }
}

/// Host and port of what a person or the environment says.
fn authority(given: &str) -> Result<String, CliError> {
    let wrong = |what: &str| {
        let expected = "expected host:port, or a URL with http:// and nothing behind the port";
        CliError::Usage(format!("`{given}` is no address of a catalog: {what}; {expected}"))
    };
    let rest = match given.split_once("://") {
        None => given,
        Some(("http", rest)) => rest,
        Some((scheme, _)) => return Err(wrong(&format!("it is not served by `{scheme}`"))),
    };
    let rest = rest.trim_end_matches('/');
    // A host that is left out is this machine.
    let local = rest.strip_prefix(':').map(|port| format!("127.0.0.1:{port}"));
    let rest = local.as_deref().unwrap_or(rest);
    rest.parse::<http::uri::Authority>().map_err(|error| wrong(&error.to_string()))?;
    // A colon within brackets is one of the address.
    let port = rest.rsplit_once(':').filter(|(host, _)| !host.starts_with('[') || host.ends_with(']'));
    match port.map(|(_, port)| port.parse::<u16>()) {
        Some(Ok(_)) => Ok(rest.to_owned()),
        Some(Err(error)) => Err(wrong(&format!("its port is none: {error}"))),
        None => Ok(format!("{rest}:{PORT}")),
    }
}

fn sound(status: StatusCode, body: Bytes) -> Result<Bytes, CliError> {
    if status.is_success() {
        return Ok(body);
    }
    let told = String::from_utf8_lossy(&body);
    let reason = if told.is_empty() { status.to_string() } else { told.into_owned() };
    Err(CliError::CatalogRefused { status: status.as_u16(), reason })
}

/// A text as one part of a path.
pub(crate) fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
            path.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    path
}

/// Where a key is, behind `/v1/`.
pub(crate) fn key_path(key: &str) -> String {
    let parts: Vec<String> = key.split('/').map(segment).collect();
    format!("kv/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(segment("a/b c"), "a%2Fb%20c");
        assert_eq!(key_path("a/b?/é"), "kv/a/b%3F/%C3%A9");
    }

    #[test]
    fn addresses_are_completed_or_refused() {
        for (given, found) in [
            ("127.0.0.1:8500", "127.0.0.1:8500"),
            ("catalog", "catalog:8500"),
            ("http://catalog:1/", "catalog:1"),
            ("[::1]", "[::1]:8500"),
            ("[::1]:7", "[::1]:7"),
            (":7", "127.0.0.1:7"),
        ] {
            assert_eq!(authority(given).unwrap(), found);
        }
        for wrong in ["https://catalog", "unix:///run/consul", "a:99999", "a/b", "", "a b", ":x"] {
            assert!(authority(wrong).is_err(), "{wrong}");
        }
    }
}
