//! A server that takes what the Elasticsearch exporter sends, forgets it, and tells how late it came.
//!
//! `cargo run --release -p coreto-view --example sink -- [ADDRESS]`; `GET /summary` answers with the documents taken
//! since the last such call, their bytes, and the milliseconds from a record's time to its arrival, by the last
//! record of each request.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for measurements ends where something is wrong"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Default)]
struct Taken {
    documents: usize,
    bytes: usize,
    lags: Vec<i64>,
}

static TAKEN: Mutex<Taken> = Mutex::new(Taken { documents: 0, bytes: 0, lags: Vec::new() });

fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(address).unwrap();
    println!("listening {}", listener.local_addr().unwrap());
    for stream in listener.incoming() {
        std::thread::spawn(move || serve(BufReader::with_capacity(1 << 20, stream.unwrap())));
    }
}

fn serve(mut stream: BufReader<TcpStream>) {
    let mut body = Vec::new();
    while let Some((is_summary, length)) = head(&mut stream) {
        body.clear();
        (&mut stream).take(length).read_to_end(&mut body).unwrap();
        let answer = if is_summary { summary() } else { take(&body) };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
        if stream.get_mut().write_all((head + &answer).as_bytes()).is_err() {
            return;
        }
    }
}

/// Whether a summary is asked for, and the length of the body that follows.
fn head(stream: &mut impl BufRead) -> Option<(bool, u64)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let is_summary = line.starts_with("GET /summary");
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line == "\r\n" {
            return Some((is_summary, length));
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
}

fn take(body: &[u8]) -> String {
    let documents = body.split(|byte| *byte == b'\n').count() / 2;
    let mut taken = TAKEN.lock().unwrap();
    taken.documents += documents;
    taken.bytes += body.len();
    if let Some(written) = last_timestamp(body) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        taken.lags.push(i64::try_from(now).unwrap() - written);
    }
    r#"{"took":1,"errors":false,"items":[]}"#.to_owned()
}

/// The time of the last record.
fn last_timestamp(body: &[u8]) -> Option<i64> {
    const NAME: &[u8] = b"\"timestamp\":";
    let at = body.windows(NAME.len()).rposition(|window| window == NAME)? + NAME.len();
    let digits = body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&body[at..at + digits]).ok()?.parse().ok()
}

fn summary() -> String {
    let mut taken = std::mem::take(&mut *TAKEN.lock().unwrap());
    taken.lags.sort_unstable();
    let percentile = |per_mille: usize| {
        let at = taken.lags.len().saturating_sub(1) * per_mille / 1000;
        taken.lags.get(at).copied().unwrap_or_default()
    };
    format!(
        r#"{{"documents":{},"bytes":{},"lagMs":{{"p50":{},"p99":{},"max":{}}}}}"#,
        taken.documents,
        taken.bytes,
        percentile(500),
        percentile(990),
        percentile(1000)
    )
}
