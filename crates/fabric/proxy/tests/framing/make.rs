//! Streams of requests: mostly sound, with odd parts, sometimes changed at random.

use super::random::Random;

/// A stream of some requests.
pub(crate) fn stream(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..=random.below(3) {
        request(random, &mut stream);
    }
    if random.one_in(3) {
        for _ in 0..=random.below(3) {
            change(random, &mut stream);
        }
    }
    if random.one_in(8) {
        stream.truncate(random.below(stream.len() + 1));
    }
    stream
}

fn request(random: &mut Random, to: &mut Vec<u8>) {
    let odd = random.one_in(4);
    let end: &[u8] = if odd && random.one_in(6) { b"\n" } else { b"\r\n" };
    to.extend_from_slice(random.pick(&[&b"GET"[..], b"POST", b"PUT", b"DELETE", b"OPTIONS"]));
    to.push(b' ');
    let targets =
        [&b"/"[..], b"/a/b?c=d", b"/a/../b", b"http://b/x", b"/%41", b"/../x", b"*", b"a:80", b"/%zz"];
    to.extend_from_slice(if odd { random.pick(&targets) } else { random.pick(&targets[..5]) });
    to.push(b' ');
    let versions = [&b"HTTP/1.1"[..], b"HTTP/1.0", b"HTTP/2.0", b"http/1.1"];
    to.extend_from_slice(if odd { random.pick(&versions) } else { versions[0] });
    to.extend_from_slice(end);
    let mut fields = vec![b"Host: a".to_vec()];
    let body = body(random, odd, &mut fields);
    let more = [
        &b"X-Y: z"[..],
        b"Host: b",
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding : chunked",
        b"X: a\tb",
        b" folded",
        b"Host: u@b",
        b"Content-Length: +3",
        b"Connection: content-length",
        b"X: \x00",
        b"X: \xe9",
        b": y",
        b"no-colon",
    ];
    if odd {
        for _ in 0..random.below(3) {
            let at = random.below(fields.len() + 1);
            fields.insert(at, random.pick(&more).to_vec());
        }
    }
    for field in fields {
        to.extend_from_slice(&field);
        to.extend_from_slice(end);
    }
    to.extend_from_slice(end);
    to.extend_from_slice(&body);
}

fn body(random: &mut Random, odd: bool, fields: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let content: Vec<u8> =
        (0..random.below(40)).map(|_| random.pick(&[b"a", b"\n", b"\r", b"0"])[0]).collect();
    match random.below(3) {
        0 => Vec::new(),
        1 => {
            fields.push(format!("Content-Length: {}", content.len()).into_bytes());
            content
        }
        _ => {
            fields.push(b"transfer-encoding:\tChunked ".to_vec());
            chunks(random, odd, &content)
        }
    }
}

fn chunks(random: &mut Random, odd: bool, content: &[u8]) -> Vec<u8> {
    let odd = odd && random.one_in(2);
    let mut body = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((1 + random.below(9)).min(rest.len()));
        rest = after;
        let zeros = random.pick(&["", "", "0", "00"]);
        let extension = random.pick(&["", "", ";x", ";x=\"y\"", "; a=b"]);
        body.extend_from_slice(format!("{zeros}{:X}{extension}\r\n", chunk.len()).as_bytes());
        body.extend_from_slice(chunk);
        body.extend_from_slice(if odd { random.pick(&[&b"\r\n"[..], b"\n", b""]) } else { b"\r\n" });
    }
    let last = [&b"0\r\n"[..], b"00;x\r\n", b"0\n", b"0x0\r\n", b"+0\r\n", b" 0\r\n", b"0 \r\n"];
    body.extend_from_slice(if odd { random.pick(&last) } else { random.pick(&last[..2]) });
    let trailers = [&b""[..], b"X: y\r\n", b"Content-Length: 9\r\n", b"X: y\n", b"X : y\r\n", b" X: y\r\n"];
    body.extend_from_slice(if odd { random.pick(&trailers) } else { random.pick(&trailers[..3]) });
    body.extend_from_slice(b"\r\n");
    body
}

fn change(random: &mut Random, stream: &mut Vec<u8>) {
    if stream.is_empty() {
        return;
    }
    let at = random.below(stream.len());
    let byte = random.pick(&[b"\r", b"\n", b" ", b":", b"0", b"\t", b"\x00", b";", b",", b"a", b"\x80"])[0];
    match random.below(4) {
        0 => stream[at] = byte,
        1 => stream.insert(at, byte),
        2 => {
            stream.remove(at);
        }
        _ => {
            let end = (at + 1 + random.below(12)).min(stream.len());
            let piece = stream[at..end].to_vec();
            let to = random.below(stream.len());
            stream.splice(to..to, piece);
        }
    }
}
