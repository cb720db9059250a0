//! Messages of HTTP/1 as both sides read them.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;

/// A head with the empty line behind it.
pub(crate) fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(io::Error::other(format!("it ended at `{head}`")));
        }
    }
    Ok(head)
}

/// The value of a field.
pub(crate) fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// The body behind a head, whole.
pub(crate) fn read_body(stream: &mut BufReader<TcpStream>, head: &str) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    if let Some(length) = field(head, "content-length") {
        whole.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut whole)?;
    } else if field(head, "transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            let mut piece = vec![0; size + 2];
            stream.read_exact(&mut piece)?;
            if size == 0 {
                break;
            }
            whole.extend_from_slice(&piece[..size]);
        }
    }
    Ok(whole)
}
