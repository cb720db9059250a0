//! An upstream of HTTP/1 that does what a test tells it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::kind::{PAUSE, PIECES, event, receipt};
use super::program::until;
use super::websocket::{CLOSE, accept, plain};

/// It answers 200 to everything, in order, for as long as it lives: with its name, or with what the path asks for.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Requests that came.
    requests: AtomicU64,
    /// Whether it answers 503.
    failing: AtomicBool,
    /// Whether each answer is the last of its connection.
    leaving: AtomicBool,
    /// Whether it accepts nobody any more.
    closed: AtomicBool,
    /// Whether it holds its answers back.
    held: Mutex<bool>,
    let_go: Condvar,
    open: Mutex<Vec<TcpStream>>,
}

impl Upstream {
    pub(crate) fn start(name: &'static str) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), name)
    }

    pub(crate) fn start_at(address: SocketAddr, name: &'static str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), shared: Arc::default() };
        let kept = upstream.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if kept.shared.closed.load(Ordering::SeqCst) {
                    return;
                }
                kept.shared.open.lock().unwrap().push(stream.try_clone().unwrap());
                let kept = kept.clone();
                std::thread::spawn(move || kept.serve(stream, name));
            }
        });
        upstream
    }

    fn serve(&self, stream: TcpStream, name: &str) {
        stream.set_nodelay(true).unwrap();
        let mut stream = BufReader::new(stream);
        while let Some(request) = Request::read(&mut stream) {
            self.shared.requests.fetch_add(1, Ordering::SeqCst);
            let mut held = self.shared.held.lock().unwrap();
            while *held {
                held = self.shared.let_go.wait(held).unwrap();
            }
            drop(held);
            let last = self.shared.leaving.load(Ordering::SeqCst);
            let close = if last { "connection: close\r\n" } else { "" };
            let told = match request.path.as_str() {
                "/shop/socket" => {
                    let _ = echo(&mut stream, &request);
                    break;
                }
                "/shop/events" => tell(stream.get_mut(), close),
                "/shop/upload" => self.answer(stream.get_mut(), close, &receipt(&request.body)),
                path => {
                    let length = path.rsplit('/').next().and_then(|bytes| bytes.parse().ok());
                    let body = length.map_or_else(|| name.to_owned(), |length| "x".repeat(length));
                    self.answer(stream.get_mut(), close, &body)
                }
            };
            if told.is_err() || last {
                break;
            }
        }
        // Who may kill it holds it, too.
        let _ = stream.get_ref().shutdown(Shutdown::Both);
    }

    fn answer(&self, stream: &mut TcpStream, close: &str, body: &str) -> io::Result<()> {
        let status = if self.shared.failing.load(Ordering::SeqCst) { 503 } else { 200 };
        let head = format!("HTTP/1.1 {status} X\r\n{close}content-length: {}\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes())
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Answers 503 from now on.
    pub(crate) fn fail(&self) {
        self.shared.failing.store(true, Ordering::SeqCst);
    }

    /// Holds its answers back, or lets them go.
    pub(crate) fn hold(&self, held: bool) {
        *self.shared.held.lock().unwrap() = held;
        self.shared.let_go.notify_all();
    }

    /// Ends as a program that is killed: at once, with all its connections.
    pub(crate) fn kill(&self) {
        self.close();
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends as a program that is asked to: each connection with its next answer, and no others.
    pub(crate) fn drain(&self) {
        self.shared.leaving.store(true, Ordering::SeqCst);
        self.close();
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // What it accepts next is the last, and closes its socket; only then nobody finds it there any more.
        until("its socket is closed", || TcpStream::connect(self.address).is_err());
    }
}

/// A request that came whole.
struct Request {
    path: String,
    /// Of a WebSocket.
    key: Option<String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let mut body = Vec::new();
        if field("transfer-encoding").is_some() {
            // Bound: a chunk each turn.
            while chunk(stream, &mut body)? > 0 {}
        } else if let Some(length) = field("content-length") {
            body = vec![0; length.parse().unwrap()];
            stream.read_exact(&mut body).ok()?;
        }
        let path = head.split(' ').nth(1)?.to_owned();
        Some(Self { path, key: field("sec-websocket-key").map(str::to_owned), body })
    }
}

/// Reads a chunk; gives its length.
fn chunk(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
    let mut chunk = vec![0; length + 2];
    stream.read_exact(&mut chunk).ok()?;
    body.extend_from_slice(&chunk[..length]);
    Some(length)
}

/// Answers by events, with pauses between them.
fn tell(stream: &mut TcpStream, close: &str) -> io::Result<()> {
    let kind = "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n";
    stream.write_all(format!("HTTP/1.1 200 X\r\n{close}{kind}\r\n").as_bytes())?;
    for at in 0..PIECES {
        let event = event(at);
        stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
        std::thread::sleep(PAUSE);
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Gives messages back, until one that says that it is the last.
fn echo(stream: &mut BufReader<TcpStream>, request: &Request) -> io::Result<()> {
    let consent = accept(request.key.as_deref().unwrap_or_default());
    let fields = format!("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {consent}\r\n");
    stream.get_mut().write_all(format!("HTTP/1.1 101 X\r\n{fields}\r\n").as_bytes())?;
    // Bound: a message each turn.
    loop {
        let mut head = [0; 6];
        stream.read_exact(&mut head)?;
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        stream.read_exact(&mut payload)?;
        let kind = head[0] & 0x0f;
        stream.get_mut().write_all(&plain(kind, &payload))?;
        if kind == CLOSE {
            return Ok(());
        }
    }
}
