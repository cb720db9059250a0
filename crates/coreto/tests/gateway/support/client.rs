//! A client of HTTP/1.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;

use super::way::{Link, Way};

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether the connection ends with it.
    pub(crate) last: bool,
}

/// A client's connection.
pub(crate) struct Caller(BufReader<Box<dyn Link>>);

impl Caller {
    /// Without TLS.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::by(&Way { address, trust: None })
    }

    pub(crate) fn by(way: &Way) -> io::Result<Self> {
        way.connect().map(|link| Self(BufReader::new(link)))
    }

    /// Sends a request: `GET /path`, and a body.
    pub(crate) fn send(&mut self, request: &str, body: &str) -> io::Result<()> {
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        self.send_head(request, &length)?;
        self.put(body.as_bytes())
    }

    /// Sends the head of a request, with fields that each end their line.
    pub(crate) fn send_head(&mut self, request: &str, fields: &str) -> io::Result<()> {
        self.put(format!("{request} HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n").as_bytes())
    }

    /// Sends bytes as they are.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// The next answer, which is an error when it is not whole.
    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        let mut answer = Answer { status: 0, body: String::new(), last: false };
        let head = self.receive_head()?;
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        answer.status = status.ok_or_else(|| io::Error::other(format!("`{head}` is no answer")))?;
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value)
        };
        answer.last = field("connection") == Some("close");
        answer.body = match field("content-length") {
            Some(length) => {
                let mut body = vec![0; length.parse().map_err(io::Error::other)?];
                self.0.read_exact(&mut body)?;
                String::from_utf8_lossy(&body).into_owned()
            }
            None if answer.status == 101 => String::new(),
            None => self.chunks()?,
        };
        Ok(answer)
    }

    fn receive_head(&mut self) -> io::Result<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the head ended at `{head}`"),
                ));
            }
        }
        Ok(head)
    }

    /// Bytes that come after the switch of a connection.
    pub(crate) fn bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// All that comes until the connection ends.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest)?;
        Ok(rest)
    }

    fn chunks(&mut self) -> io::Result<String> {
        let mut whole = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            let mut piece = vec![0; size + 2];
            self.0.read_exact(&mut piece)?;
            if size == 0 {
                return Ok(String::from_utf8_lossy(&whole).into_owned());
            }
            whole.extend_from_slice(&piece[..size]);
        }
    }

    pub(crate) fn ask(&mut self, request: &str, body: &str) -> io::Result<Answer> {
        self.send(request, body)?;
        self.receive()
    }
}

/// Asks once, on a connection of its own.
pub(crate) fn ask(address: SocketAddr, request: &str, body: &str) -> io::Result<Answer> {
    Caller::connect(address)?.ask(request, body)
}
