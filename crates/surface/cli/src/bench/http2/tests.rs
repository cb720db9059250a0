use super::*;

#[derive(Default)]
struct Heard {
    messages: Vec<(u32, Vec<u8>)>,
    ended: Vec<(u32, Status)>,
}

impl Sink<u32> for Heard {
    fn message(&mut self, call: &mut u32, message: &[u8]) {
        self.messages.push((*call, message.to_vec()));
    }

    fn ended(&mut self, call: u32, status: Status) {
        self.ended.push((call, status));
    }
}

const PATH: &str = "/a.B/C";

fn opened() -> Connection<u32> {
    let mut connection = Connection::new("localhost", &[]);
    connection.output.clear();
    connection
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame_head(payload.len(), kind, flags, stream, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

fn message(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    message_head(body.len(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// `grpc-status: <code>` as a literal that is not kept.
fn trailers(stream: u32, code: &str) -> Vec<u8> {
    let mut block = vec![0x00, 11];
    block.extend_from_slice(b"grpc-status");
    block.push(u8::try_from(code.len()).unwrap());
    block.extend_from_slice(code.as_bytes());
    frame(frame::HEADERS, frame::END_HEADERS | frame::END_STREAM, stream, &block)
}

/// Kinds, flags, streams and lengths of the frames in `bytes`.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, usize)> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let len = number(&[0, bytes[0], bytes[1], bytes[2]]) as usize;
        frames.push((bytes[3], bytes[4], number(&bytes[5..9]), len));
        bytes = &bytes[FRAME_HEAD + len..];
    }
    frames
}

#[test]
fn reads_an_answer_whatever_the_pieces_it_comes_in() {
    let mut whole = frame(frame::HEADERS, frame::END_HEADERS, 1, &[0x88]);
    let body = [message(b"first"), message(b"second")].concat();
    for (at, piece) in body.chunks(4).enumerate() {
        let padded = at % 2 == 1;
        let payload = if padded { [&[2], piece, &[0, 0]].concat() } else { piece.to_vec() };
        whole.extend(frame(frame::DATA, if padded { frame::PADDED } else { 0 }, 1, &payload));
    }
    whole.extend(trailers(1, "0"));
    for size in [1, 7, 1000] {
        let (mut connection, mut heard) = (opened(), Heard::default());
        connection.call(42, PATH, b"request");
        let mut input = Vec::new();
        for piece in whole.chunks(size) {
            input.extend_from_slice(piece);
            let read = connection.receive(&input, &mut heard).unwrap();
            input.drain(..read);
        }
        assert_eq!(heard.messages, [(42, b"first".to_vec()), (42, b"second".to_vec())]);
        assert_eq!(heard.ended, [(42, Status::default())]);
        assert!(input.is_empty());
    }
}

#[test]
fn a_second_request_is_shorter_and_means_the_same() {
    let mut connection = opened();
    connection.call(1, PATH, b"x");
    let first = std::mem::take(&mut connection.output);
    connection.call(2, PATH, b"x");
    let second = std::mem::take(&mut connection.output);
    connection.call(3, PATH, b"x");
    let third = std::mem::take(&mut connection.output);
    assert!(second.len() < first.len() / 2);
    assert_eq!(second.len(), third.len());
    let mut decoder = Decoder::new();
    let mut read = Vec::new();
    for (sent, _) in [(first, 1), (second, 2), (third, 3)] {
        let len = frames(&sent)[0].3;
        let mut headers = Vec::new();
        let each = &mut |name: &[u8], value: &[u8]| headers.push((name.to_vec(), value.to_vec()));
        decoder.block(&sent[FRAME_HEAD..FRAME_HEAD + len], each).unwrap();
        read.push(headers);
    }
    assert!(read.iter().all(|headers| *headers == read[0]));
    assert!(read[0].contains(&(b":path".to_vec(), PATH.into())));
}

#[test]
fn sends_a_large_request_as_the_server_makes_room() {
    let (mut connection, mut heard) = (opened(), Heard::default());
    connection.call(1, PATH, &vec![7; 150_000]);
    let sent = |frames: Vec<(u8, u8, u32, usize)>| -> usize {
        frames.iter().filter(|frame| frame.0 == frame::DATA).map(|frame| frame.3).sum()
    };
    let before = sent(frames(&std::mem::take(&mut connection.output)));
    assert_eq!(before, 65_535);
    let more = 100_000u32.to_be_bytes();
    connection.receive(&frame(frame::WINDOW_UPDATE, 0, 0, &more), &mut heard).unwrap();
    assert!(connection.output.is_empty());
    connection.receive(&frame(frame::WINDOW_UPDATE, 0, 1, &more), &mut heard).unwrap();
    let after = frames(&connection.output);
    assert_eq!(after.last().unwrap().1, frame::END_STREAM);
    assert_eq!(before + sent(after), 150_000 + MESSAGE_HEAD);
}

#[test]
fn waits_while_the_server_takes_no_more_calls() {
    let (mut connection, mut heard) = (opened(), Heard::default());
    let one = [0, 3, 0, 0, 0, 1];
    connection.receive(&frame(frame::SETTINGS, 0, 0, &one), &mut heard).unwrap();
    connection.output.clear();
    connection.call(1, PATH, b"");
    connection.call(2, PATH, b"");
    assert_eq!(frames(&std::mem::take(&mut connection.output)).len(), 2);
    connection.receive(&trailers(1, "8"), &mut heard).unwrap();
    assert_eq!(heard.ended, [(1, Status { code: 8, message: String::new() })]);
    assert_eq!(frames(&connection.output)[0].2, 3);
}

#[test]
fn answers_pings_and_settings() {
    let (mut connection, mut heard) = (opened(), Heard::default());
    let input = [frame(frame::PING, 0, 0, b"12345678"), frame(frame::SETTINGS, 0, 0, &[])].concat();
    connection.receive(&input, &mut heard).unwrap();
    let expected = [(frame::PING, frame::ACK, 0, 8), (frame::SETTINGS, frame::ACK, 0, 0)];
    assert_eq!(frames(&connection.output), expected);
}

#[test]
fn says_what_is_broken() {
    let broken = [
        frame(frame::HEADERS, frame::END_HEADERS, 1, &[0xbe]),
        frame(frame::DATA, frame::PADDED, 1, &[9]),
        frame(frame::DATA, 0, 1, &[1, 0, 0, 0, 0]),
        frame(frame::DATA, 0, 1, &[0, 0xff, 0xff, 0xff, 0xff]),
        frame(frame::CONTINUATION, 0, 1, &[]),
        frame(frame::GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2, b'x']),
        frame(frame::SETTINGS, 0, 0, &[0, 3, 0]),
        [frame(frame::HEADERS, 0, 1, &[]), frame(frame::PING, 0, 0, &[0; 8])].concat(),
    ];
    for input in broken {
        let mut connection = opened();
        connection.call(1, PATH, b"");
        assert!(connection.receive(&input, &mut Heard::default()).is_err(), "{input:?}");
    }
}

#[test]
fn decodes_the_text_of_a_status() {
    assert_eq!(percent_decoded(b"no job%20%C3%A4%"), "no job ä%");
}
