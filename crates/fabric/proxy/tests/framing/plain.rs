//! An independent reader of the same rules: it sees the whole stream at once, goes line by line, and shares
//! nothing with the gate.

use super::{End, Message, Reading};

/// Reads all messages of a stream.
pub(crate) fn read(stream: &[u8]) -> Reading {
    let mut messages = Vec::new();
    let mut rest = stream;
    let end = loop {
        while let Some(after) = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")) {
            rest = after;
        }
        if rest.is_empty() {
            break End::Whole;
        }
        match message(&mut rest) {
            Ok(message) => messages.push(message),
            Err(end) => break end,
        }
    };
    Reading { messages, end }
}

fn message(rest: &mut &[u8]) -> Result<Message, End> {
    let mut lines = Vec::new();
    loop {
        let line = line(rest)?;
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let (start, fields) = lines.split_first().ok_or(End::Refused)?;
    let fields = fields.iter().map(|line| field(line)).collect::<Result<Vec<_>, End>>()?;
    let all = |name: &str| -> Vec<&str> {
        fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    };
    let (method, target, old) = start_line(start)?;
    let [host] = all("host")[..] else { return Err(End::Refused) };
    if !is_host(host) {
        return Err(End::Refused);
    }
    let (target, host) = match target.strip_prefix("http://") {
        None => (target, host.to_owned()),
        Some(url) => {
            let (authority, path) =
                url.split_once('/').map_or((url, String::new()), |(a, p)| (a, p.to_owned()));
            if !is_host(authority) {
                return Err(End::Refused);
            }
            (format!("/{path}"), authority.to_owned())
        }
    };
    if !is_target(&target, &method) {
        return Err(End::Refused);
    }
    let (body, trailers) = match (&all("content-length")[..], &all("transfer-encoding")[..]) {
        ([], []) => (Vec::new(), 0),
        ([length], []) => (sized(length, rest)?, 0),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") && !old => chunked(rest)?,
        _ => return Err(End::Refused),
    };
    Ok(Message { method, target, host, body, trailers })
}

/// A line without its end, which is LF with or without a CR before it.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], End> {
    let at = rest.iter().position(|byte| *byte == b'\n').ok_or(End::Unfinished)?;
    let line = &rest[..at];
    *rest = &rest[at + 1..];
    Ok(line.strip_suffix(b"\r").unwrap_or(line))
}

fn start_line(line: &[u8]) -> Result<(String, String, bool), End> {
    let line = std::str::from_utf8(line).map_err(|_| End::Refused)?;
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = parts[..] else { return Err(End::Refused) };
    if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method) {
        return Err(End::Refused);
    }
    match version {
        "HTTP/1.1" => Ok((method.to_owned(), target.to_owned(), false)),
        "HTTP/1.0" => Ok((method.to_owned(), target.to_owned(), true)),
        _ => Err(End::Refused),
    }
}

fn field(line: &[u8]) -> Result<(String, String), End> {
    let at = line.iter().position(|byte| *byte == b':').ok_or(End::Refused)?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let text = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if name.is_empty() || !name.iter().all(token) || !value.iter().all(text) {
        return Err(End::Refused);
    }
    let value: String = value.iter().map(|byte| char::from(*byte)).collect();
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    Ok((name, value.trim_matches([' ', '\t']).to_owned()))
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "80"));
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
        && port.len() < 6
        && port.chars().all(|c| c.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}

fn is_target(target: &str, method: &str) -> bool {
    if target == "*" {
        return method == "OPTIONS";
    }
    let path = target.split('?').next().unwrap_or_default();
    let dots = path.to_ascii_lowercase().replace("%2e", ".");
    let mut depth = 0_i32;
    let mut lowest = 0;
    for part in dots.split('/').filter(|part| !part.is_empty() && *part != ".") {
        depth += if part == ".." { -1 } else { 1 };
        lowest = lowest.min(depth);
    }
    let escapes = path.split('%').skip(1).all(|after| {
        let digits = after.get(..2).unwrap_or_default();
        digits.len() == 2 && digits != "00" && digits.chars().all(|c| c.is_ascii_hexdigit())
    });
    target.starts_with('/')
        && target.chars().all(|c| c.is_ascii_graphic() && c != '#')
        && escapes
        && lowest == 0
}

fn sized(length: &str, rest: &mut &[u8]) -> Result<Vec<u8>, End> {
    if length.is_empty() || !length.chars().all(|c| c.is_ascii_digit()) {
        return Err(End::Refused);
    }
    let length = length.parse::<i64>().map_err(|_| End::Refused)?;
    let length = usize::try_from(length).map_err(|_| End::Refused)?;
    if rest.len() < length {
        return Err(End::Unfinished);
    }
    let (body, after) = rest.split_at(length);
    *rest = after;
    Ok(body.to_vec())
}

fn chunked(rest: &mut &[u8]) -> Result<(Vec<u8>, usize), End> {
    let mut body = Vec::new();
    loop {
        let text = strict_line(rest)?;
        let (digits, extension) = text.split_at(text.iter().position(|b| *b == b';').unwrap_or(text.len()));
        if extension.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err(End::Refused);
        }
        let digits = std::str::from_utf8(digits).map_err(|_| End::Refused)?;
        if digits.starts_with('+') || digits.len() > 16 {
            return Err(End::Refused);
        }
        let size = usize::from_str_radix(digits, 16).map_err(|_| End::Refused)?;
        if size == 0 {
            break;
        }
        if rest.len() < size {
            return Err(End::Unfinished);
        }
        body.extend_from_slice(&rest[..size]);
        *rest = &rest[size..];
        if !strict_line(rest)?.is_empty() {
            return Err(End::Refused);
        }
    }
    let mut trailers = 0;
    loop {
        let line = strict_line(rest)?;
        if line.is_empty() {
            return Ok((body, trailers));
        }
        let (name, _) = field(line)?;
        let dropped = name.starts_with("content-")
            || ["host", "transfer-encoding", "connection"].contains(&name.as_str());
        trailers += usize::from(!dropped && !name.contains('_'));
    }
}

/// A line without its end, which is CR LF.
fn strict_line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], End> {
    let at = rest.windows(2).position(|two| two == b"\r\n").ok_or(End::Unfinished)?;
    let line = &rest[..at];
    *rest = &rest[at + 2..];
    if line.contains(&b'\n') { Err(End::Refused) } else { Ok(line) }
}
