//! A server that takes `_bulk` requests, or does what a test tells it to do.
#![allow(dead_code, unreachable_pub, reason = "a module of tests")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What the server does with a `_bulk` request.
#[derive(Clone, Debug)]
pub enum Deed {
    Take,
    /// Takes it after a while.
    TakeAfter(Duration),
    Status(u16),
    /// Takes none of the documents at these places, for this status.
    Refuse(Vec<usize>, u16),
    /// Answers what is no answer.
    Say(&'static str),
    /// Takes it and hangs up in the middle of the answer.
    TakeAndTear,
    HangUp,
}

/// A document that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub index: String,
    pub id: String,
    pub routing: String,
    pub record: Value,
}

#[derive(Default)]
struct Inner {
    deeds: VecDeque<Deed>,
    taken: Vec<Taken>,
    puts: Vec<String>,
    /// Documents of each `_bulk` request.
    requests: Vec<usize>,
}

pub struct Server {
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Server {
    pub fn new(deeds: impl IntoIterator<Item = Deed>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), deeds)
    }

    pub fn on(listener: TcpListener, deeds: impl IntoIterator<Item = Deed>) -> Self {
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Mutex::new(Inner { deeds: deeds.into_iter().collect(), ..Inner::default() }));
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, inner }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.inner.lock().unwrap().taken.clone()
    }

    pub fn puts(&self) -> Vec<String> {
        self.inner.lock().unwrap().puts.clone()
    }

    pub fn requests(&self) -> Vec<usize> {
        self.inner.lock().unwrap().requests.clone()
    }

    /// Whether everything was done that it was told.
    pub fn is_done(&self) -> bool {
        self.inner.lock().unwrap().deeds.is_empty()
    }
}

/// Serves a connection until one side hangs up.
fn serve(stream: TcpStream, inner: &Mutex<Inner>) {
    let mut stream = BufReader::new(stream);
    while let Some((first, body)) = request(&mut stream) {
        if !first.starts_with("POST /_bulk ") {
            inner.lock().unwrap().puts.push(first);
            answer(stream.get_mut(), 200, "{\"acknowledged\":true}");
            continue;
        }
        let documents = documents(&body);
        let deed = {
            let mut inner = inner.lock().unwrap();
            inner.requests.push(documents.len());
            inner.deeds.pop_front().unwrap_or(Deed::Take)
        };
        let take = |refused: &[usize]| {
            let all = documents.iter().enumerate();
            let some = all.filter(|(at, _)| !refused.contains(at)).map(|(_, document)| document.clone());
            inner.lock().unwrap().taken.extend(some);
        };
        match deed {
            Deed::Take => {
                take(&[]);
                answer(stream.get_mut(), 200, &verdict(&documents, &[], 0));
            }
            Deed::TakeAfter(time) => {
                std::thread::sleep(time);
                take(&[]);
                answer(stream.get_mut(), 200, &verdict(&documents, &[], 0));
            }
            Deed::Status(status) => answer(stream.get_mut(), status, "not now"),
            Deed::Refuse(places, status) => {
                take(&places);
                answer(stream.get_mut(), 200, &verdict(&documents, &places, status));
            }
            Deed::Say(text) => {
                let _ = stream.get_mut().write_all(text.as_bytes());
                return;
            }
            Deed::TakeAndTear => {
                take(&[]);
                let _ = stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"errors\":false");
                return;
            }
            Deed::HangUp => return,
        }
    }
}

fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut first = String::new();
    stream.read_line(&mut first).ok().filter(|&length| length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|&length| length > 0)?;
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first.trim_end().to_owned(), body))
}

fn answer(stream: &mut TcpStream, status: u16, body: &str) {
    let text = format!("HTTP/1.1 {status} Word\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(text.as_bytes());
}

fn documents(body: &[u8]) -> Vec<Taken> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.ends_with('\n'));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let taken = |pair: &[Value]| {
        let place = &pair[0]["index"];
        let text = |name: &str| place[name].as_str().unwrap().to_owned();
        Taken { index: text("_index"), id: text("_id"), routing: text("routing"), record: pair[1].clone() }
    };
    lines.chunks(2).map(taken).collect()
}

fn verdict(documents: &[Taken], refused: &[usize], status: u16) -> String {
    let item = |(at, document): (usize, &Taken)| {
        let (status, error) = if refused.contains(&at) {
            (status, json!({ "type": "test", "reason": "told to" }))
        } else {
            (201, Value::Null)
        };
        json!({ "index": { "_id": document.id, "status": status, "error": error } })
    };
    let items: Vec<Value> = documents.iter().enumerate().map(item).collect();
    json!({ "took": 1, "errors": !refused.is_empty(), "items": items }).to_string()
}
