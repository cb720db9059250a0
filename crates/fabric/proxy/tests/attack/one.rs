//! A client of HTTP/1 that sends bytes as they are.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use super::case::Case;
use super::stage::Stage;

/// Plays a case.
pub(crate) fn play(case: &Case, stage: &Stage) -> Result<(), String> {
    let mut stream = stage.connect();
    if case.warm {
        let mut other = stage.connect();
        other.write_all(b"GET /warm HTTP/1.1\r\nHost: a\r\n\r\n").map_err(|error| error.to_string())?;
        Answers { stream: &mut other, bytes: Vec::new(), reset: false }.next(false)?;
        stage.arm(case);
    }
    // A proxy that refuses early may close while it is still sent something.
    let _ = stream.write_all(&stage.filled(&case.send));
    let (then, statuses) = case.want.split_last().ok_or("nothing is wanted")?;
    let mut answers = Answers { stream: &mut stream, bytes: Vec::new(), reset: false };
    let mut last = Answer { whole: true, ..Answer::default() };
    for (number, wanted) in statuses.iter().enumerate() {
        if number == 1 {
            let _ = answers.stream.write_all(&case.after);
        }
        last = answers.next(case.send.starts_with(b"HEAD"))?;
        if !wanted.split('|').any(|wanted| wanted == last.status) {
            return Err(format!("{wanted} is wanted, {} came: {}", last.status, last.body.escape_ascii()));
        }
    }
    if last.whole == (then == "cut") || answers.reset != (then == "reset") {
        return Err(format!(
            "the last answer is whole: {}, reset: {}; wanted {then}",
            last.whole, answers.reset
        ));
    }
    if let Some(wanted) = &case.get
        && *wanted != last.body
    {
        return Err(format!("the answer is `{}`", last.body.escape_ascii()));
    }
    let has = |wanted: &String| last.head.lines().any(|line| line == wanted);
    if let Some(wanted) = case.fields_got.iter().find(|wanted| !has(wanted)) {
        return Err(format!("`{wanted}` is wanted, the answer is {}", last.head));
    }
    if let Some(name) = case.fields_not_got.iter().find(|name| last.head.contains(&format!("\n{name}: "))) {
        return Err(format!("`{name}` is not wanted, the answer is {}", last.head));
    }
    if let Some(wanted) = &case.up {
        let wanted: String = wanted.iter().map(|byte| char::from(*byte)).collect();
        let reached = stage.reached();
        if reached != wanted {
            return Err(format!("the upstream got {reached:?}"));
        }
    }
    if then == "keep" {
        answers
            .stream
            .write_all(b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
            .map_err(|error| error.to_string())?;
        let again = answers.next(false).map_err(|fault| format!("another request: {fault}"))?;
        if again.status != "200" {
            return Err(format!("another request is answered {}", again.status));
        }
    } else if !answers.ends()? {
        return Err("the connection goes on".to_owned());
    }
    check_reuse(case, stage, then == "keep")
}

fn check_reuse(case: &Case, stage: &Stage, asked_again: bool) -> Result<(), String> {
    let Some(reused) = case.reused else { return Ok(()) };
    if !asked_again {
        let mut stream = stage.connect();
        stream.write_all(b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n").map_err(|error| error.to_string())?;
        Answers { stream: &mut stream, bytes: Vec::new(), reset: false }.next(false)?;
    }
    let connections = stage.connections();
    if (connections == 1) == reused {
        Ok(())
    } else {
        Err(format!("the upstream saw {connections} connections"))
    }
}

#[derive(Default)]
struct Answer {
    status: String,
    head: String,
    body: Vec<u8>,
    whole: bool,
}

struct Answers<'a> {
    stream: &'a mut TcpStream,
    bytes: Vec<u8>,
    reset: bool,
}

impl Answers<'_> {
    fn next(&mut self, head: bool) -> Result<Answer, String> {
        let end = loop {
            if let Some(at) = self.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more()? {
                return Err(format!("no answer, but the end; before it `{}`", self.bytes.escape_ascii()));
            }
        };
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..end);
        let status = text.get(9..12).unwrap_or_default().to_owned();
        let bare = head || status == "204" || status == "304" || (status.starts_with('1') && status != "101");
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let length = field("content-length: ").map(|length| length.parse().expect("a length"));
        let (body, whole) = if bare {
            (Vec::new(), true)
        } else if text.contains("transfer-encoding: chunked") {
            self.chunks()?
        } else {
            self.sized(length)?
        };
        Ok(Answer { status, head: text, body, whole })
    }

    fn sized(&mut self, length: Option<usize>) -> Result<(Vec<u8>, bool), String> {
        while length.is_none_or(|length| self.bytes.len() < length) {
            if !self.more()? {
                return Ok((std::mem::take(&mut self.bytes), length.is_none()));
            }
        }
        Ok((self.bytes.drain(..length.unwrap_or_default()).collect(), true))
    }

    fn chunks(&mut self) -> Result<(Vec<u8>, bool), String> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = self.bytes.windows(2).position(|bytes| bytes == b"\r\n") {
                    break String::from_utf8_lossy(&self.bytes.drain(..at + 2).collect::<Vec<u8>>())
                        .into_owned();
                }
                if !self.more()? {
                    return Ok((body, false));
                }
            };
            let size =
                usize::from_str_radix(line.trim_end(), 16).map_err(|_| format!("the chunk `{line}`"))?;
            if size == 0 {
                // Trailers, up to the empty line.
                while !(self.bytes.starts_with(b"\r\n")
                    || self.bytes.windows(4).any(|bytes| bytes == b"\r\n\r\n"))
                {
                    if !self.more()? {
                        return Ok((body, false));
                    }
                }
                self.bytes.clear();
                return Ok((body, true));
            }
            while self.bytes.len() < size + 2 {
                if !self.more()? {
                    return Ok((body, false));
                }
            }
            body.extend(self.bytes.drain(..size));
            self.bytes.drain(..2);
        }
    }

    /// Whether the connection ends here.
    fn ends(&mut self) -> Result<bool, String> {
        while self.more()? {}
        Ok(self.bytes.is_empty())
    }

    /// Reads some; whether there was any.
    fn more(&mut self) -> Result<bool, String> {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(read) => {
                self.bytes.extend_from_slice(&piece[..read]);
                Ok(read > 0)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                self.reset = true;
                Ok(false)
            }
            Err(error) => Err(format!("{error}; so far `{}`", self.bytes.escape_ascii())),
        }
    }
}
