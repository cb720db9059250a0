//! A request over HTTP: 2xx passes, 429 warns, anything else is critical.

use bytes::Bytes;
use coreto_catalog::{Definition, Status};
use http::header::HOST;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::{Found, connect};

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
    let mut request = Request::builder().method(method).uri(path);
    if !definition.headers.iter().any(|header| header.name.eq_ignore_ascii_case("host")) {
        request = request.header(HOST, authority);
    }
    for header in &definition.headers {
        request = request.header(&*header.name, &*header.value);
    }
    let body = Bytes::copy_from_slice(definition.body.as_bytes());
    let request = request.body(Full::new(body)).map_err(|error| format!("this is no request: {error}"))?;
    let answered = async {
        let response = sender.send_request(request).await.map_err(told)?;
        let status = response.status();
        // A longer body is not read to its end.
        let body = Limited::new(response.into_body(), BODY_BYTES).collect().await;
        let body =
            body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        Ok((judged(status), format!("{method} {}: {status} {body}", definition.target)))
    };
    let found = answered.await;
    connection.abort();
    found
}

fn judged(status: StatusCode) -> Status {
    match status {
        status if status.is_success() => Status::Passing,
        StatusCode::TOO_MANY_REQUESTS => Status::Warning,
        _ => Status::Critical,
    }
}
