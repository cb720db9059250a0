//! An upstream that keeps every byte it is sent, and answers what it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the upstream has seen, and what it is to say.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) bytes: Vec<u8>,
    pub(crate) connections: usize,
    /// The next answer, given as soon as a head has come; and whether the connection is closed then.
    pub(crate) script: Option<(Vec<u8>, bool)>,
    /// It answers the script, and then nothing on that connection.
    silent: bool,
}

/// Starts one that lives as long as the test.
pub(crate) fn start(script: Option<(Vec<u8>, bool)>, silent: bool) -> (SocketAddr, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let seen = Arc::new(Mutex::new(Seen { script, silent, ..Seen::default() }));
    let kept = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&kept);
            std::thread::spawn(move || serve(stream, &seen));
        }
    });
    (address, seen)
}

fn serve(mut stream: TcpStream, seen: &Mutex<Seen>) {
    seen.lock().expect("no test panics with it").connections += 1;
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read) = stream.read(&mut piece)
        && read > 0
    {
        request.extend_from_slice(&piece[..read]);
        let script = {
            let mut seen = seen.lock().expect("no test panics with it");
            seen.bytes.extend_from_slice(&piece[..read]);
            if has_head(&request) { seen.script.take() } else { None }
        };
        if let Some((answer, close)) = script {
            if seen.lock().expect("no test panics with it").silent {
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
                return;
            }
            // After an informational answer the request goes on.
            if !answer.starts_with(b"HTTP/1.1 100") {
                request.clear();
            }
            let _ = stream.write_all(&answer);
            if close {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        } else if is_whole(&request) {
            request.clear();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        }
    }
}

fn has_head(request: &[u8]) -> bool {
    request.windows(4).any(|bytes| bytes == b"\r\n\r\n")
}

/// Whether a request is whole; what comes from a proxy is plain enough to be told so.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if head.contains("transfer-encoding: chunked") {
        return body.starts_with("0\r\n") && body.ends_with("\r\n\r\n")
            || body.contains("\r\n0\r\n") && body.ends_with("\r\n\r\n");
    }
    body.len() >= length.map_or(0, |length| length.parse().unwrap_or(0))
}
