//! As much HTTP/1.1 as a bulk request needs: one connection, kept alive.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long the other side may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers of more bytes are cut.
const ANSWER_MAX: u64 = 64 << 20;

/// A client for one server.
pub(super) struct Client {
    host: String,
    connection: Option<BufReader<TcpStream>>,
}

/// What a server said.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// A client for `host:port`.
    pub(super) const fn new(host: String) -> Self {
        Self { host, connection: None }
    }

    /// Sends a request. A connection that was idle may have been closed meanwhile, so one that fails before it
    /// answers is tried once more on a new one; requests are safe to repeat.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let reused = self.connection.is_some();
        match self.attempt(method, path, content_type, body) {
            Err(_) if reused => {
                self.connection = None;
                self.attempt(method, path, content_type, body)
            }
            other => other,
        }
        .inspect_err(|_| self.connection = None)
    }

    fn attempt(&mut self, method: &str, path: &str, content_type: &str, body: &[u8]) -> io::Result<Answer> {
        if self.connection.is_none() {
            let stream = TcpStream::connect(&self.host)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            self.connection = Some(BufReader::new(stream));
        }
        let connection = self.connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let stream = connection.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let (answer, stays) = read(connection)?;
        if !stays {
            self.connection = None;
        }
        Ok(answer)
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads an answer; says whether the connection may be used again.
fn read(connection: &mut BufReader<TcpStream>) -> io::Result<(Answer, bool)> {
    let first = line(connection)?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| bad("no status line"))?;
    let mut length = None;
    let mut chunked = false;
    let mut stays = first.starts_with("HTTP/1.1");
    loop {
        let header = line(connection)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = Some(value.parse::<u64>().map_err(|_| bad("no length"))?),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" if value.eq_ignore_ascii_case("close") => stays = false,
            "connection" if value.eq_ignore_ascii_case("keep-alive") => stays = true,
            _ => (),
        }
    }
    let mut body = Vec::new();
    if chunked {
        read_chunks(connection, &mut body)?;
    } else if let Some(length) = length {
        if length > ANSWER_MAX {
            return Err(bad("the answer is too long"));
        }
        connection.take(length).read_to_end(&mut body)?;
        if body.len() as u64 != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    } else {
        connection.take(ANSWER_MAX).read_to_end(&mut body)?;
        stays = false;
    }
    Ok((Answer { status, body }, stays))
}

fn read_chunks(connection: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let size = line(connection)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("no chunk size"))?;
        if body.len() as u64 + size > ANSWER_MAX {
            return Err(bad("the answer is too long"));
        }
        let before = body.len() as u64;
        connection.take(size).read_to_end(body)?;
        if body.len() as u64 - before != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let end = line(connection)?;
        if size == 0 {
            // Trailers end with an empty line; the first may be it already.
            let mut rest = end;
            while !rest.is_empty() {
                rest = line(connection)?;
            }
            return Ok(());
        }
    }
}

/// A line without its end; of a bounded length.
fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    const LINE_MAX: u64 = 64 << 10;
    let mut line = Vec::new();
    connection.take(LINE_MAX).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| bad("a header that is no text"))
}
