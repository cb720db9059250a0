//! Clients of both kinds, and what they have seen of each request.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;

use crate::plan::brings;
use crate::wire::{read_body, read_head};

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A whole answer.
    Whole(u16, String),
    /// The head of an answer, and not all of its body.
    Broken(u16),
    /// A stream that was reset, which may take the head of its answer along.
    Reset,
    /// No answer.
    Nothing(String),
}

/// Longer than any request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks one request after the other on connections of HTTP/1.
pub(crate) fn one(address: SocketAddr, seed: u64, requests: &[(u64, String)]) -> Vec<(u64, Outcome)> {
    let mut open: Option<BufReader<TcpStream>> = None;
    let mut outcomes = Vec::new();
    for (id, path) in requests {
        let outcome = ask_one(&mut open, address, path, brings(seed, *id).as_deref());
        if !matches!(outcome, Outcome::Whole(..)) {
            open = None;
        }
        outcomes.push((*id, outcome));
    }
    outcomes
}

fn ask_one(
    open: &mut Option<BufReader<TcpStream>>,
    address: SocketAddr,
    path: &str,
    body: Option<&str>,
) -> Outcome {
    let stream = open.get_or_insert_with(|| {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    });
    let request = match body {
        Some(body) => {
            format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
        None => format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"),
    };
    // An answer may be there before all is sent.
    let sent = stream.get_mut().write_all(request.as_bytes());
    let mut head = match read_head(stream) {
        Ok(head) => head,
        Err(error) => return Outcome::Nothing(format!("{error}, {sent:?}")),
    };
    while head.starts_with("HTTP/1.1 1") {
        match read_head(stream) {
            Ok(next) => head = next,
            Err(error) => return Outcome::Nothing(format!("{error} after `{head}`")),
        }
    }
    let status = head[9..12].parse().unwrap();
    let body = read_body(stream, &head);
    if head.contains("\r\nconnection: close\r\n") {
        *open = None;
    }
    match body.map(String::from_utf8) {
        Ok(Ok(body)) => Outcome::Whole(status, body),
        _ => Outcome::Broken(status),
    }
}

/// Asks one request after the other on a connection of HTTP/2, which is never taken away.
pub(crate) async fn two(
    sender: h2::client::SendRequest<Bytes>,
    seed: u64,
    requests: Vec<(u64, String)>,
) -> Vec<(u64, Outcome)> {
    let mut outcomes = Vec::new();
    for (id, path) in requests {
        let body = brings(seed, id);
        let asked = tokio::time::timeout(PATIENCE, ask_two(sender.clone(), &path, body.as_deref())).await;
        outcomes.push((id, asked.unwrap_or_else(|_| Outcome::Nothing("no answer in time".to_owned()))));
    }
    outcomes
}

async fn ask_two(sender: h2::client::SendRequest<Bytes>, path: &str, body: Option<&str>) -> Outcome {
    let nothing = |error: h2::Error| Outcome::Nothing(error.to_string());
    let mut sender = match sender.ready().await {
        Ok(sender) => sender,
        Err(error) => return nothing(error),
    };
    let method = if body.is_some() { "POST" } else { "GET" };
    let request = http::Request::builder().method(method).uri(format!("http://a{path}")).body(()).unwrap();
    let (response, mut stream) = match sender.send_request(request, body.is_none()) {
        Ok(sent) => sent,
        Err(error) => return nothing(error),
    };
    if let Some(body) = body {
        // An answer may be there before all is sent.
        let _ = stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true);
    }
    let response = match response.await {
        Ok(response) => response,
        Err(error) if error.is_reset() && error.is_remote() => return Outcome::Reset,
        Err(error) => return nothing(error),
    };
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut whole = Vec::new();
    while let Some(piece) = body.data().await {
        let Ok(piece) = piece else { return Outcome::Broken(status) };
        let _ = body.flow_control().release_capacity(piece.len());
        whole.extend_from_slice(&piece);
    }
    Outcome::Whole(status, String::from_utf8(whole).unwrap())
}
