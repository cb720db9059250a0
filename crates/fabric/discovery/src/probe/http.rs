//! A request over HTTP: 2xx passes, 429 warns, anything else is critical.

use bytes::Bytes;
use coreto_catalog::{Definition, Status};
use http::header::{AUTHORIZATION, HOST};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{Found, connect};
use crate::answer::Fault;
use crate::asked::decode;
use crate::base64;
use crate::read::without_user;

/// What servers are told that want to know who asks, and for what: some refuse who does not say.
const AGENT: &str = concat!("coreto/", env!("CARGO_PKG_VERSION"), " (health check)");
const ACCEPT: &str = "text/plain, text/*, */*";

/// Bytes of the answer's body that are told.
const BODY_BYTES: usize = 1024;

pub(super) async fn ask(definition: &Definition) -> Result<Found, String> {
    let uri: Uri = definition.target.parse().map_err(|_| "this is no URL".to_owned())?;
    let host = uri.host().ok_or("the URL has no host")?;
    let port = uri.port_u16().unwrap_or(if definition.tls { 443 } else { 80 });
    let stream = connect(definition, (host, port), "http/1.1").await?;
    let told = |error: hyper::Error| format!("the request failed: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    let connection = tokio::spawn(connection);
    let method = if definition.method.is_empty() { "GET" } else { &definition.method };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let (user, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut request = Request::builder().method(method).uri(path);
    let is_given = |name| definition.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
    if !is_given("host") {
        request = request.header(HOST, authority);
    }
    for (name, value) in [("user-agent", AGENT), ("accept", ACCEPT)] {
        if !is_given(name) {
            request = request.header(name, value);
        }
    }
    if !user.is_empty() && !is_given("authorization") {
        let user = decode(user, false).map_err(Fault::sentence)?;
        request = request.header(AUTHORIZATION, format!("Basic {}", base64::encode(user.as_bytes())));
    }
    for header in &definition.headers {
        request = request.header(&*header.name, &*header.value);
    }
    let body = Bytes::copy_from_slice(definition.body.as_bytes());
    let request = request.body(Full::new(body)).map_err(|error| format!("this is no request: {error}"))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(told)?;
        let status = response.status();
        let body = beginning(response.into_body()).await;
        Ok((judged(status), format!("{method} {}: {status} {body}", without_user(&definition.target))))
    };
    let found = answered.await;
    connection.abort();
    found
}

/// The first bytes of a body. A longer one is not read to its end.
async fn beginning(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    // Bound: BODY_BYTES, and the time that the check has.
    while bytes.len() < BODY_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        bytes.extend_from_slice(frame.data_ref().map(|data| &data[..]).unwrap_or_default());
    }
    bytes.truncate(BODY_BYTES);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn judged(status: StatusCode) -> Status {
    match status {
        status if status.is_success() => Status::Passing,
        StatusCode::TOO_MANY_REQUESTS => Status::Warning,
        _ => Status::Critical,
    }
}
