//! An upstream of HTTP/1 that does what a test tells it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// It answers 200 with its name to everything, in order, for as long as it lives.
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
        while let Some(path) = read(&mut stream) {
            self.shared.requests.fetch_add(1, Ordering::SeqCst);
            let mut held = self.shared.held.lock().unwrap();
            while *held {
                held = self.shared.let_go.wait(held).unwrap();
            }
            drop(held);
            let status = if self.shared.failing.load(Ordering::SeqCst) { 503 } else { 200 };
            let last = self.shared.leaving.load(Ordering::SeqCst);
            let close = if last { "connection: close\r\n" } else { "" };
            let length = path.rsplit('/').next().and_then(|bytes| bytes.parse().ok());
            let body = length.map_or_else(|| name.to_owned(), |length| "x".repeat(length));
            let head = format!("HTTP/1.1 {status} X\r\n{close}content-length: {}\r\n\r\n", body.len());
            if stream.get_mut().write_all((head + &body).as_bytes()).is_err() || last {
                return;
            }
        }
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
        // What it accepts next is the last, and closes its socket.
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads a request with its body; gives its path.
fn read(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    head.split(' ').nth(1).map(str::to_owned)
}
