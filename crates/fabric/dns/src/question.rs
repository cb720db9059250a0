//! Reads questions (RFC 1035, section 4; RFC 6891 for what a client can take).

/// Bytes of a header.
pub(crate) const HEADER: usize = 12;

/// Labels of a name: as many as its 255 bytes can hold.
const LABELS_MAX: usize = 127;

/// Bytes of a name with its lengths.
const NAME_BYTES_MAX: usize = 255;

/// Records behind the question that are looked through for what the client can take.
const RECORDS_MAX: u16 = 16;

/// The type of a record that says what the client can take.
pub(crate) const OPT: u16 = 41;

/// Bytes of a reply over UDP to a client that does not say.
pub(crate) const UDP_BYTES: usize = 512;

/// Bytes of a reply over UDP to a client that takes more.
pub(crate) const UDP_BYTES_MAX: usize = 8192;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// The type that is asked for.
    pub(crate) kind: u16,
    /// The class that is asked for.
    pub(crate) class: u16,
    /// The question as it was sent, to be sent back.
    pub(crate) bytes: Vec<u8>,
}

impl Question {
    /// Labels of the name from the left, as they were sent.
    pub(crate) fn labels(&self) -> Vec<String> {
        let mut labels = Vec::new();
        let mut rest = &self.bytes[..];
        // Bound: each round takes bytes of the name.
        while let [length @ 1..=63, after @ ..] = rest {
            let (label, after) = after.split_at(usize::from(*length).min(after.len()));
            // What is no text is no name of ours; it is kept as one that nobody has.
            labels.push(String::from_utf8_lossy(label).into_owned());
            rest = after;
        }
        labels
    }

    /// The same for all questions that mean the same: the name in small letters, and what is asked of it.
    pub(crate) fn key(&self) -> Vec<u8> {
        let mut key = self.bytes.clone();
        // Lengths are below all letters; behind the name there are the type and the class, of two bytes each.
        let name = key.len().saturating_sub(4);
        key[..name].make_ascii_lowercase();
        key
    }
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) id: u16,
    /// What is to be done, by the number of the protocol: 0 for a question. Sent back.
    pub(crate) operation: u8,
    /// Whether the client would like us to ask others; sent back.
    pub(crate) recursion_desired: bool,
    /// Whether the client checks signatures itself.
    pub(crate) checking_disabled: bool,
    pub(crate) question: Result<Question, Refusal>,
    /// What the client says it can take, if it does.
    pub(crate) extended: Option<Extended>,
}

/// What a client can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extended {
    /// Bytes of a reply over UDP.
    pub(crate) bytes: usize,
    pub(crate) version: u8,
    /// Whether it wants signatures with the records (RFC 3225).
    pub(crate) signatures: bool,
}

/// Why a packet is not answered as it was meant, by the numbers of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It cannot be read.
    Malformed = 1,
    /// It asks for something that is no question.
    NotImplemented = 4,
}

/// Reads a packet; nothing when it is not worth an answer, since it is none of a client.
pub(crate) fn read(packet: &[u8]) -> Option<Asked> {
    let head = packet.get(..HEADER)?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let flags = word(2);
    if flags & 0x8000 != 0 {
        return None;
    }
    let asked = |question, extended| {
        Some(Asked {
            id: word(0),
            operation: head[2] >> 3 & 0xf,
            recursion_desired: flags & 0x0100 != 0,
            checking_disabled: flags & 0x0010 != 0,
            question,
            extended,
        })
    };
    if flags >> 11 & 0xf != 0 {
        return asked(Err(Refusal::NotImplemented), None);
    }
    let mut reader = Reader { packet, at: HEADER };
    let Some(question) = (word(4) == 1).then(|| reader.question()).flatten() else {
        return asked(Err(Refusal::Malformed), None);
    };
    let records = u32::from(word(6)) + u32::from(word(8)) + u32::from(word(10));
    let records = u16::try_from(records).unwrap_or(u16::MAX).min(RECORDS_MAX);
    match reader.extended(records) {
        Ok(extended) => asked(Ok(question), extended),
        Err(refusal) => asked(Err(refusal), None),
    }
}

/// The question that a reply is about; nothing when it is none, or about several or none.
pub(crate) fn answered(reply: &[u8]) -> Option<Question> {
    let head = reply.get(..HEADER)?;
    let is_reply = head[2] & 0xf8 == 0x80 && head[4..6] == [0, 1];
    is_reply.then(|| Reader { packet: reply, at: HEADER }.question()).flatten()
}

struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let bytes = self.packet.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn word(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn question(&mut self) -> Option<Question> {
        let begin = self.at;
        let mut labels = 0;
        // Bound: each round takes a byte of the packet at least.
        loop {
            // A pointer has nowhere to point to yet, and no other forms of labels are in use.
            let length = match self.take(1)?[0] {
                0 => break,
                length @ 1..=63 => usize::from(length),
                _ => return None,
            };
            self.take(length)?;
            labels += 1;
            if labels > LABELS_MAX || self.at - begin >= NAME_BYTES_MAX {
                return None;
            }
        }
        let (kind, class) = (self.word()?, self.word()?);
        Some(Question { kind, class, bytes: self.packet[begin..self.at].to_vec() })
    }

    /// Looks through the records behind the question.
    fn extended(&mut self, records: u16) -> Result<Option<Extended>, Refusal> {
        let mut found = None;
        for _ in 0..records {
            let (kind, extended) = self.record().ok_or(Refusal::Malformed)?;
            if kind == OPT && found.replace(extended).is_some() {
                return Err(Refusal::Malformed);
            }
        }
        Ok(found)
    }

    /// One record: its type, and what the client can take, if it is about that.
    fn record(&mut self) -> Option<(u16, Extended)> {
        // Bound: each round takes a byte of the packet at least; a pointer ends the name.
        loop {
            match self.take(1)?[0] {
                0 => break,
                length @ 1..=63 => drop(self.take(usize::from(length))?),
                pointer if pointer >= 0xc0 => {
                    self.take(1)?;
                    break;
                }
                _ => return None,
            }
        }
        let (kind, class) = (self.word()?, self.word()?);
        let ttl = self.take(4)?;
        let (version, signatures) = (ttl[1], ttl[2] & 0x80 != 0);
        let length = self.word()?;
        self.take(usize::from(length))?;
        let bytes = usize::from(class).clamp(UDP_BYTES, UDP_BYTES_MAX);
        Some((kind, Extended { bytes, version, signatures }))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A packet that asks for a name, with what the client can take if it says so.
    pub(crate) fn packet(name: &str, kind: u16, bytes: Option<u16>) -> Vec<u8> {
        let additional = u8::from(bytes.is_some());
        let mut packet = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, additional];
        for label in name.split('.').filter(|label| !label.is_empty()) {
            packet.push(u8::try_from(label.len()).unwrap());
            packet.extend_from_slice(label.as_bytes());
        }
        packet.push(0);
        packet.extend_from_slice(&kind.to_be_bytes());
        packet.extend_from_slice(&[0, 1]);
        if let Some(bytes) = bytes {
            packet.extend_from_slice(&[0, 0, 41]);
            packet.extend_from_slice(&bytes.to_be_bytes());
            packet.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
        }
        packet
    }

    #[test]
    fn reads_questions_and_what_clients_can_take() {
        let asked = read(&packet("Web.service.consul", 1, Some(4096))).unwrap();
        assert_eq!((asked.id, asked.recursion_desired), (0x1234, true));
        assert_eq!(asked.extended, Some(Extended { bytes: 4096, version: 0, signatures: false }));
        let question = asked.question.unwrap();
        assert_eq!(question.labels(), ["Web", "service", "consul"]);
        assert_eq!(
            question.key(),
            read(&packet("wEB.service.CONSUL", 1, None)).unwrap().question.unwrap().key()
        );
        for (name, kind) in [("Web.service.consul", 33), ("web.service.consu", 1), ("web.serviceXconsul", 1)]
        {
            assert_ne!(question.key(), read(&packet(name, kind, None)).unwrap().question.unwrap().key());
        }
        assert_eq!((question.kind, question.class), (1, 1));
        for (bytes, taken) in [(0, UDP_BYTES), (65_535, UDP_BYTES_MAX)] {
            let asked = read(&packet("a", 1, Some(bytes))).unwrap();
            assert_eq!(asked.extended.map(|extended| extended.bytes), Some(taken));
        }
        assert_eq!(read(&packet("a", 1, None)).unwrap().extended, None);
    }

    #[test]
    fn a_packet_that_is_cut_anywhere_is_refused_or_not_answered() {
        let whole = packet("web.service.consul", 33, Some(1232));
        for length in 0..whole.len() {
            match read(&whole[..length]) {
                None => assert!(length < HEADER, "{length}"),
                Some(asked) => assert_eq!(asked.question, Err(Refusal::Malformed), "{length}"),
            }
        }
    }

    #[test]
    fn odd_packets_are_told_apart() {
        let change = |at: usize, byte: u8| {
            let mut packet = packet("web.service.consul", 1, None);
            packet[at] = byte;
            read(&packet).map(|asked| asked.question.map(drop))
        };
        assert_eq!(change(2, 0x80), None, "an answer");
        assert_eq!(change(2, 0x10), Some(Err(Refusal::NotImplemented)), "another operation");
        assert_eq!(change(5, 0), Some(Err(Refusal::Malformed)), "no question");
        assert_eq!(change(5, 2), Some(Err(Refusal::Malformed)), "two questions");
        assert_eq!(change(12, 0xc0), Some(Err(Refusal::Malformed)), "a pointer to itself");
        assert_eq!(change(12, 0x40), Some(Err(Refusal::Malformed)), "an unknown label");
        assert_eq!(change(11, 1), Some(Err(Refusal::Malformed)), "a record is missing");
        let long = packet(&"x.".repeat(200), 1, None);
        assert_eq!(read(&long).unwrap().question, Err(Refusal::Malformed), "a name that is too long");
    }
}
