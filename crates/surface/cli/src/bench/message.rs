//! The few protobuf messages of the hot path, read where they lie and written from a template.

use prost::encoding::{encode_varint, encoded_len_varint};

/// Text in which a new instance's number travels to the worker, inside its variables.
const MARK: &str = r#"{"bench":""#;
const NUMBER_LEN: usize = 16;

/// What the worker has to know of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) key: i64,
    /// What [`Create`] wrote into the variables of its instance; `None` for somebody else's.
    pub(crate) number: Option<u64>,
}

impl Job {
    /// Reads an `ActivatedJob`.
    pub(crate) fn read(message: &[u8]) -> Option<Self> {
        let mut job = Self { key: 0, number: None };
        for field in Fields(message) {
            match field? {
                (1, Value::Number(key)) => job.key = key.cast_signed(),
                (13, Value::Bytes(variables)) => job.number = instance_number(variables),
                _ => (),
            }
        }
        Some(job)
    }

    /// Reads an `ActivateJobsResponse`.
    pub(crate) fn read_all(message: &[u8], mut each: impl FnMut(Self)) -> Option<()> {
        for field in Fields(message) {
            if let (1, Value::Bytes(job)) = field? {
                each(Self::read(job)?);
            }
        }
        Some(())
    }
}

/// A `CreateProcessInstanceRequest` that differs in one number only.
pub(crate) struct Create {
    bytes: Vec<u8>,
    number_at: usize,
}

impl Create {
    /// The latest version of `process_id`, with variables of `payload` bytes (more if the mark needs it).
    pub(crate) fn new(process_id: &str, payload: usize, random: &mut Random) -> Self {
        let mut variables = format!("{MARK}{:0NUMBER_LEN$}\"}}", 0);
        let filler = payload.saturating_sub(variables.len());
        let (before, after) = (r#","payload":""#, "\"");
        if let Some(len) = filler.checked_sub(before.len() + after.len()) {
            variables.pop();
            let text: String = (0..len).map(|_| char::from(b'a' + random.below(26))).collect();
            variables.extend([before, &text, after, "}"]);
        }
        let mut bytes = Vec::new();
        text(2, process_id, &mut bytes);
        encode_varint(3 << 3, &mut bytes);
        encode_varint((-1i64).cast_unsigned(), &mut bytes);
        text(4, &variables, &mut bytes);
        let number_at = bytes.len() - variables.len() + MARK.len();
        Self { bytes, number_at }
    }

    /// The request for one instance.
    pub(crate) fn numbered(&mut self, number: u64) -> &[u8] {
        write_number(number, &mut self.bytes[self.number_at..][..NUMBER_LEN]);
        &self.bytes
    }
}

/// A `PublishMessageRequest` without variables, that differs in its correlation key only: the instance's number.
pub(crate) struct Publish {
    bytes: Vec<u8>,
    number_at: usize,
}

impl Publish {
    /// A message of this name. It waits for so many milliseconds, should the instance not wait yet.
    pub(crate) fn new(name: &str, time_to_live_ms: u32) -> Self {
        let mut bytes = Vec::new();
        text(1, name, &mut bytes);
        text(2, &"0".repeat(NUMBER_LEN), &mut bytes);
        let number_at = bytes.len() - NUMBER_LEN;
        encode_varint(3 << 3, &mut bytes);
        encode_varint(time_to_live_ms.into(), &mut bytes);
        Self { bytes, number_at }
    }

    /// The request for one instance.
    pub(crate) fn numbered(&mut self, number: u64) -> &[u8] {
        write_number(number, &mut self.bytes[self.number_at..][..NUMBER_LEN]);
        &self.bytes
    }
}

fn write_number(number: u64, digits: &mut [u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (place, byte) in digits.iter_mut().enumerate() {
        let shift = 4 * (NUMBER_LEN - 1 - place);
        *byte = HEX[usize::try_from(number >> shift & 0xf).expect("it is four bits")];
    }
}

/// A `CompleteJobRequest` without variables.
pub(crate) fn complete(job: i64, out: &mut Vec<u8>) {
    out.clear();
    encode_varint(1 << 3, out);
    encode_varint(job.cast_unsigned(), out);
}

/// What [`Create`] wrote into variables.
pub(crate) fn instance_number(variables: &[u8]) -> Option<u64> {
    let mark = MARK.as_bytes();
    // Servers may add variables, and put them first; the quote and the name are what counts.
    let name = &mark[1..];
    let at = if variables.starts_with(mark) {
        mark.len()
    } else {
        variables.windows(name.len()).position(|window| window == name)? + name.len()
    };
    let digits = variables.get(at..at + NUMBER_LEN)?;
    number(digits)
}

/// What [`Publish`] wrote into a correlation key.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn text(field: u64, text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + encoded_len_varint(text.len() as u64) + 1);
    encode_varint(field << 3 | 2, out);
    encode_varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message; `None` where it is broken, and then no more.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(bytes)?;
    let value = match key & 7 {
        0 => Value::Number(varint(bytes)?),
        1 => {
            *bytes = bytes.get(8..)?;
            Value::Fixed
        }
        2 => {
            let len = usize::try_from(varint(bytes)?).ok()?;
            let (value, rest) = bytes.split_at_checked(len)?;
            *bytes = rest;
            Value::Bytes(value)
        }
        5 => {
            *bytes = bytes.get(4..)?;
            Value::Fixed
        }
        _ => return None,
    };
    Some((key >> 3, value))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// xorshift64: fast, and good enough for load.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: u8) -> u8 {
        let drawn = (self.number() >> 32) % u64::from(limit.max(1));
        u8::try_from(drawn).expect("a remainder of a byte is one")
    }

    /// Above 0, at most 1.
    pub(crate) fn share(&mut self) -> f64 {
        let bits = u32::try_from(self.number() >> 32).expect("it is 32 bits");
        (f64::from(bits) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use coreto_protocol::gateway::{
        ActivateJobsResponse, ActivatedJob, CompleteJobRequest, CreateProcessInstanceRequest,
        PublishMessageRequest,
    };
    use prost::Message;

    use super::*;

    #[test]
    fn writes_what_the_protocol_reads() {
        let mut random = Random::new(7);
        for payload in [0, 40, 60, 100, 5000] {
            let mut create = Create::new("order", payload, &mut random);
            let request = CreateProcessInstanceRequest::decode(create.numbered(0xabc)).unwrap();
            assert_eq!((&request.bpmn_process_id[..], request.version), ("order", -1));
            let variables: serde_json::Value = serde_json::from_str(&request.variables).unwrap();
            assert_eq!(variables["bench"], "0000000000000abc");
            assert!(request.variables.len() == payload || payload < 60, "{}", request.variables.len());
        }
        let mut publish = Publish::new("paid", 300);
        let request = PublishMessageRequest::decode(publish.numbered(0xabc)).unwrap();
        assert_eq!((&request.name[..], &request.correlation_key[..]), ("paid", "0000000000000abc"));
        assert_eq!((request.time_to_live, &request.variables[..]), (300, ""));
        let mut bytes = vec![1, 2, 3];
        complete(1 << 51, &mut bytes);
        assert_eq!(CompleteJobRequest::decode(&bytes[..]).unwrap().job_key, 1 << 51);
    }

    #[test]
    fn reads_what_the_protocol_writes() {
        let job = |key, variables: &str| ActivatedJob {
            key,
            variables: variables.into(),
            deadline: -1,
            lease_token: Some("x".into()),
            ..ActivatedJob::default()
        };
        let jobs = vec![
            job(-5, r#"{"bench":"00000000000000ff","payload":"x"}"#),
            job(1 << 60, r#"{"a":1,"bench":"0000000000000001"}"#),
            job(7, "{}"),
        ];
        let mut read = Vec::new();
        Job::read_all(&ActivateJobsResponse { jobs }.encode_to_vec(), |job| read.push(job)).unwrap();
        let expected = [(-5, Some(255)), (1 << 60, Some(1)), (7, None)];
        assert_eq!(read, expected.map(|(key, number)| Job { key, number }));
    }

    #[test]
    fn refuses_broken_messages() {
        for bytes in [&[0x0a, 5, 1][..], &[0x08], &[0xff; 12], &[0x0b]] {
            assert_eq!(Job::read(bytes), None, "{bytes:?}");
        }
    }
}
