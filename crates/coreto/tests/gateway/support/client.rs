//! A client of HTTP/1.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether the connection ends with it.
    pub(crate) last: bool,
}

/// A client's connection, over what carries it.
pub(crate) struct Caller<S>(BufReader<S>);

/// Nothing that is asked for takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Caller<TcpStream> {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        connect(address).map(Self::over)
    }
}

impl<S: Read + Write> Caller<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Sends a request: `GET /path`, and a body.
    pub(crate) fn send(&mut self, request: &str, body: &str) -> io::Result<()> {
        let length =
            if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let text = format!("{request} HTTP/1.1\r\nhost: localhost\r\n{length}\r\n{body}");
        self.0.get_mut().write_all(text.as_bytes())
    }

    /// The next answer, which is an error when it is not whole.
    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the head ended at `{head}`"),
                ));
            }
        }
        let status = head.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("`{head}` is no answer")))?;
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value)
        };
        let last = field("connection") == Some("close");
        let body = match field("content-length") {
            Some(length) => {
                let mut body = vec![0; length.parse().map_err(io::Error::other)?];
                self.0.read_exact(&mut body)?;
                String::from_utf8_lossy(&body).into_owned()
            }
            None => self.chunks()?,
        };
        Ok(Answer { status, body, last })
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
