//! What strace wrote, as system calls that begin and end.

use std::collections::BTreeMap;

/// A system call on a file or socket.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The path of the file, or the addresses of the socket.
    pub(super) place: String,
    /// What was written, or what was read.
    pub(super) bytes: Vec<u8>,
    /// What it gave; none as long as it has not ended.
    pub(super) result: Option<i64>,
}

/// Calls as they begin, without a result, and as they end, with it.
pub(super) fn moments(trace: &str) -> impl Iterator<Item = Call> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    trace
        .lines()
        .flat_map(move |line| {
            let (thread, rest) = line.split_once(' ').unwrap();
            let rest = rest.trim_start();
            if let Some(head) = rest.strip_suffix("<unfinished ...>") {
                let head = head.trim_end();
                begun.insert(thread, head);
                return vec![parse(head)];
            }
            if rest.starts_with("<... ") {
                let head = begun.remove(thread).unwrap_or_default();
                let tail = rest.split_once("resumed>").unwrap().1;
                return vec![parse(&format!("{head}{tail}"))];
            }
            let ended = parse(rest);
            let begins = parse(rest).map(|call| Call { result: None, ..call });
            vec![begins, ended]
        })
        .flatten()
}

/// Reads `name(3<place>, …, "\x00\x01", …) = 2`; anything else is none.
fn parse(text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (_, rest) = rest.split_once('<')?;
    // Addresses hold `->`, too.
    let end = [">,", ">)"].iter().filter_map(|end| rest.find(end)).min()?;
    let (place, rest) = rest.split_at(end);
    let bytes = rest.split('"').skip(1).step_by(2).flat_map(unescape).collect();
    let result = rest.rsplit_once(" = ").and_then(|(_, result)| result.split(' ').next()?.parse().ok());
    let place =
        if place.starts_with('\\') { String::from_utf8(unescape(place)).unwrap() } else { place.to_owned() };
    Some(Call { name: name.to_owned(), place, bytes, result })
}

/// Bytes written as `\x00\x01`.
fn unescape(text: &str) -> Vec<u8> {
    text.split("\\x").skip(1).map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap()).collect()
}

#[test]
fn calls_that_were_interrupted_are_put_together() {
    let trace = r#"7  fdatasync(6<\x2f\x61>) = 0
9  fdatasync(6<\x2f\x62> <unfinished ...>
7  recvfrom(25<TCP:[127.0.0.1:1->127.0.0.1:2]>,  <unfinished ...>
9  <... fdatasync resumed>) = 0
8  writev(25<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base="\x00", iov_len=1}, {iov_base="\x07", iov_len=1}], 2) = 2
7  <... recvfrom resumed>"\x50\x52", 24, 0, NULL, NULL) = 2
7  +++ exited with 0 +++
"#;
    let told: Vec<String> = moments(trace)
        .map(|call| format!("{} {} {:?} {:?}", call.name, call.place, call.bytes, call.result))
        .collect();
    let socket = "TCP:[127.0.0.1:1->127.0.0.1:2]";
    assert_eq!(
        told,
        [
            "fdatasync /a [] None".to_owned(),
            "fdatasync /a [] Some(0)".to_owned(),
            format!("recvfrom {socket} [] None"),
            "fdatasync /b [] Some(0)".to_owned(),
            format!("writev {socket} [0, 7] None"),
            format!("writev {socket} [0, 7] Some(2)"),
            format!("recvfrom {socket} [80, 82] Some(2)"),
        ]
    );
}
