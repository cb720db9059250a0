//! Small upstreams that answer by the path, and a client that asks once.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An upstream of HTTP/1. It answers 200 with its name; a path such as `/503` with that status; `/hang` never;
/// `/close` by closing.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    /// Whether it answers 503 to everything.
    pub(crate) failing: Arc<AtomicBool>,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl Service {
    pub(crate) fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let service = Self {
            address: listener.local_addr().expect("it is bound"),
            seen: Arc::default(),
            failing: Arc::default(),
            connections: Arc::default(),
        };
        let kept = service.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                kept.connections.fetch_add(1, Ordering::Relaxed);
                let kept = kept.clone();
                std::thread::spawn(move || kept.serve(stream, name));
            }
        });
        service
    }

    fn serve(&self, mut stream: TcpStream, name: &str) {
        while let Some(request) = read(&mut stream) {
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            self.seen.lock().expect("no test panics with it").push(request);
            let path = path.rsplit('/').next().unwrap_or_default();
            let failing = self.failing.load(Ordering::Relaxed).then_some("503");
            match failing.unwrap_or(path) {
                "hang" => {
                    let _ = std::io::copy(&mut stream, &mut std::io::sink());
                    return;
                }
                "slow" => std::thread::sleep(Duration::from_millis(300)),
                "close" => return,
                _ => {}
            }
            if path == "page" {
                let page = page();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n",
                    page.len()
                );
                if stream.write_all(format!("{head}{page}").as_bytes()).is_err() {
                    return;
                }
                continue;
            }
            let status = failing.or(path.parse::<u16>().ok().map(|_| path)).unwrap_or("200");
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{name}", name.len());
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    /// The heads of all requests that came, and forgets them.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("no test panics with it"))
    }

    /// How many have come.
    pub(crate) fn seen(&self) -> usize {
        self.seen.lock().expect("no test panics with it").len()
    }

    /// How many came, and forgets them.
    pub(crate) fn count(&self) -> usize {
        self.take().len()
    }
}

/// What is answered to `/page`.
pub(crate) fn page() -> String {
    "a line of a page\n".repeat(1_000)
}

/// The head of a request and its body of a known length.
fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().expect("a length")) {
                return Some(text);
            }
        }
        match stream.read(&mut piece) {
            Ok(read @ 1..) => bytes.extend_from_slice(&piece[..read]),
            Ok(0) | Err(_) => return None,
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let named = |line: &str| line.split_once(": ").is_some_and(|(found, _)| found == name);
        self.head.lines().find(|line| named(line)).and_then(|line| Some(line.split_once(": ")?.1))
    }
}

/// A client's connection.
pub(crate) struct Caller(TcpStream);

impl Caller {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the proxy listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket takes a time");
        stream.set_nodelay(true).expect("a socket takes the option");
        Self(stream)
    }

    /// Sends a request: `GET /path`, and other fields, each in a line; behind an empty line its body. Gives its bytes.
    pub(crate) fn send(&mut self, request: &str, fields: &str) -> usize {
        let told = fields.lines().any(|line| line.starts_with("host: "));
        let host = if told { "" } else { "host: a\r\n" };
        let (fields, body) = fields.split_once("\n\n").unwrap_or((fields, ""));
        let fields = fields.lines().fold(String::new(), |fields, line| fields + line + "\r\n");
        let text = format!("{request} HTTP/1.1\r\n{host}{fields}\r\n{body}");
        self.0.write_all(text.as_bytes()).expect("the proxy reads");
        text.len()
    }

    /// The next answer; none when the connection has ended.
    pub(crate) fn receive(&mut self) -> Option<Answer> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            if self.0.read(&mut byte).ok()? == 0 {
                return None;
            }
            bytes.push(byte[0]);
        }
        let head = String::from_utf8(bytes).expect("heads are text here");
        let status = head.get(9..12)?.parse().ok()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
        self.0.read_exact(&mut body).ok()?;
        Some(Answer { status, head, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub(crate) fn ask(&mut self, request: &str, fields: &str) -> Answer {
        self.send(request, fields);
        self.receive().unwrap_or_else(|| panic!("no answer to {request}"))
    }
}

/// Asks once, on a connection of its own.
pub(crate) fn ask(address: SocketAddr, request: &str, fields: &str) -> Answer {
    Caller::connect(address).ask(request, fields)
}

/// Waits until something holds, for as long as a person would.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never came to be that {what}");
}
