//! The management port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Asks for a path; gives the status and the body.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    ask(address, "GET", path, "")
}

/// Asks by any method and with a body; gives the status and the body of the answer.
pub(crate) fn ask(address: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    try_ask(address, method, path, body).unwrap()
}

/// The same; nothing, when there is nobody, or no whole answer.
pub(crate) fn try_ask(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
