//! An upstream of HTTP/1 that does to each request what is planned for it.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::net::sockopt::set_socket_linger;

use crate::book::{Book, id};
use crate::plan::{Act, brings, plan};
use crate::wire::{field, read_body, read_head};

pub(crate) fn start(seed: u64, book: &Book) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let book = book.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let book = book.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                while let Ok(true) = request(&mut stream, seed, &book) {}
            });
        }
    });
    address
}

/// Takes one request. Whether the connection goes on.
fn request(stream: &mut BufReader<TcpStream>, seed: u64, book: &Book) -> io::Result<bool> {
    let head = read_head(stream)?;
    let id = id(head.split(' ').nth(1).unwrap());
    let attempt = field(&head, "coreto-attempt").map_or(0, |attempt| attempt.parse().unwrap());
    let plan = plan(seed, id, attempt);
    book.acted(id);
    if plan.act == Act::Early {
        answer(stream.get_mut(), plan.act, &plan.body)?;
    }
    let brought = read_body(stream, &head)?;
    if brought != brings(seed, id).unwrap_or_default().as_bytes() {
        book.wrong(format!("request {id} brought {} bytes that are not its own", brought.len()));
    }
    if plan.act != Act::Early {
        answer(stream.get_mut(), plan.act, &plan.body)?;
    }
    match plan.act {
        Act::Whole | Act::Pieces | Act::Early | Act::Hints | Act::Short => Ok(true),
        Act::Reset | Act::HalfReset => {
            set_socket_linger(stream.get_ref(), Some(std::time::Duration::ZERO))?;
            Ok(false)
        }
        Act::Stall | Act::HalfStall => {
            io::copy(stream, &mut io::sink())?;
            Ok(false)
        }
        Act::Close | Act::Refuse | Act::HalfClose | Act::HalfGarbage | Act::Garbage | Act::Leave => Ok(false),
    }
}

/// Says what is planned to be said.
fn answer(stream: &mut TcpStream, act: Act, body: &str) -> io::Result<()> {
    let length = body.len();
    let half = &body[..length / 2];
    let sized =
        |length: usize, body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
    let chunk = |piece: &str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = match act {
        Act::Whole | Act::Early => sized(length, body),
        Act::Pieces => format!("{chunked}{}{}0\r\n\r\n", chunk(half), chunk(&body[half.len()..])),
        Act::Hints => format!("HTTP/1.1 103 Hints\r\nlink: </a>\r\n\r\n{}", sized(length, body)),
        Act::Short => sized(half.len(), body),
        Act::Leave => sized(length, body).replacen("content", "connection: close\r\ncontent", 1),
        Act::Close | Act::Reset | Act::Stall => return Ok(()),
        Act::Refuse => "HTTP/1.1 200 OK\r\ncontent-le".to_owned(),
        Act::Garbage => "220 mail.example ready\r\n\r\n".to_owned(),
        Act::HalfClose | Act::HalfReset | Act::HalfStall => sized(length, half),
        Act::HalfGarbage => format!("{chunked}{}zz\r\n", chunk(half)),
    };
    stream.write_all(text.as_bytes())
}
