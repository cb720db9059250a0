//! As much HTTP/1.1 as a bulk request needs: one connection, kept alive.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long the other side may take for a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Answers of more bytes are refused.
const ANSWER_MAX: u64 = 64 << 20;

/// Bytes of a header line at most, and lines of headers or trailers.
const LINE_MAX: u64 = 64 << 10;
const LINES_MAX: usize = 200;

/// A client for one server.
pub(super) struct Client {
    host: String,
    /// How long a request and its answer may take.
    patience: Duration,
    connection: Option<BufReader<Wire>>,
}

/// What a server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// What is asked of a server.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
}

/// A connection with a deadline for all that is done with it.
struct Wire {
    stream: TcpStream,
    deadline: Instant,
}

impl Wire {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Client {
    /// A client for `host:port`.
    pub(super) const fn new(host: String, patience: Duration) -> Self {
        Self { host, patience, connection: None }
    }

    /// Sends a request. A connection that was idle may have been closed meanwhile, so one that fails is tried once
    /// more on a new one; requests are safe to repeat.
    pub(super) fn send(&mut self, request: Request<'_>) -> io::Result<Answer> {
        let reused = self.connection.is_some();
        match self.attempt(request) {
            Err(error) if reused && error.kind() != io::ErrorKind::TimedOut => self.attempt(request),
            other => other,
        }
    }

    fn attempt(&mut self, request: Request<'_>) -> io::Result<Answer> {
        let deadline = Instant::now() + self.patience;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => BufReader::with_capacity(64 << 10, Wire { stream: connect(&self.host)?, deadline }),
        };
        connection.get_mut().deadline = deadline;
        let Request { method, path, content_type, body } = request;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        );
        let wire = connection.get_mut();
        wire.write_all(head.as_bytes()).and_then(|()| wire.write_all(body)).map_err(timely)?;
        let (answer, stays) = read(&mut connection).map_err(timely)?;
        // Bytes behind an answer belong to no request.
        if stays && connection.buffer().is_empty() {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

/// A socket's timeout by the name that it has elsewhere.
fn timely(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

fn connect(host: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
    stays: bool,
}

/// Reads an answer; says whether the connection may be used again.
fn read(connection: &mut impl BufRead) -> io::Result<(Answer, bool)> {
    let mut head = read_head(connection)?;
    let mut interim = 0;
    while (100..200).contains(&head.status) {
        interim += 1;
        if interim > LINES_MAX {
            return Err(bad("too many interim answers"));
        }
        head = read_head(connection)?;
    }
    let Head { status, length, chunked, mut stays } = head;
    let mut body = Vec::new();
    if chunked {
        read_chunks(connection, &mut body)?;
    } else if let Some(length) = length {
        read_exactly(connection, length, &mut body)?;
    } else if status != 204 && status != 304 {
        stays = false;
        if connection.take(ANSWER_MAX + 1).read_to_end(&mut body)? as u64 > ANSWER_MAX {
            return Err(bad("the answer is too long"));
        }
    }
    Ok((Answer { status, body }, stays))
}

fn read_head(connection: &mut impl BufRead) -> io::Result<Head> {
    let first = line(connection)?;
    let mut words = first.split(' ');
    let version = words.next().filter(|version| version.starts_with("HTTP/1."));
    let status = words.next().and_then(|status| status.parse().ok());
    let (Some(version), Some(status)) = (version, status) else { return Err(bad("no status line")) };
    let mut head = Head { status, length: None, chunked: false, stays: version == "HTTP/1.1" };
    for _ in 0..LINES_MAX {
        let header = line(connection)?;
        if header.is_empty() {
            return Ok(head);
        }
        let (name, value) = header.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                head.length = Some(value.parse().map_err(|_| bad("a length that is no number"))?);
            }
            "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" if value.eq_ignore_ascii_case("close") => head.stays = false,
            "connection" if value.eq_ignore_ascii_case("keep-alive") => head.stays = true,
            _ => (),
        }
    }
    Err(bad("too many headers"))
}

fn read_exactly(connection: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if length.saturating_add(body.len() as u64) > ANSWER_MAX {
        return Err(bad("the answer is too long"));
    }
    if connection.take(length).read_to_end(body)? as u64 == length {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn read_chunks(connection: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    // Bound: the body has a greatest length, and a chunk that adds nothing is the last.
    loop {
        let size = line(connection)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| bad("a chunk without a size"))?;
        if size == 0 {
            break;
        }
        read_exactly(connection, size, body)?;
        if !line(connection)?.is_empty() {
            return Err(bad("a chunk that is longer than its size"));
        }
    }
    for _ in 0..LINES_MAX {
        if line(connection)?.is_empty() {
            return Ok(());
        }
    }
    Err(bad("too many trailers"))
}

/// A line without its end; of a bounded length.
fn line(connection: &mut impl BufRead) -> io::Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mut text: &[u8]) -> io::Result<(Answer, bool)> {
        read(&mut text)
    }

    #[test]
    fn reads_bodies_by_length_by_chunks_and_to_the_end() {
        for (text, status, body, stays) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}", true),
            ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200, "{}", false),
            ("HTTP/1.1 429 Slow\nConnection: close\ncontent-length:0\n\n", 429, "", false),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nA: b\r\n\r\n",
                200,
                "{}",
                true,
            ),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, "", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
            ("HTTP/1.1 500 Oops\r\n\r\nto the end", 500, "to the end", false),
        ] {
            let (answer, kept) = parse(text.as_bytes()).unwrap();
            assert_eq!(
                (answer.status, answer.body.as_slice(), kept),
                (status, body.as_bytes(), stays),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_answer() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(300));
        let long = format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(70_000));
        for text in [
            "",
            "garbage\r\n\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
            &many,
            &long,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{}", &text[..text.len().min(80)]);
        }
    }
}
