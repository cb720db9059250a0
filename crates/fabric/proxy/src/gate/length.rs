//! How long a body is, and how its end is known.

use super::Fault;

/// How a body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    Empty,
    /// So many bytes.
    Known(u64),
    /// In chunks of HTTP/1.1, with the last one marked.
    Chunked,
    /// Until the connection ends. Responses of HTTP/1 only.
    UntilClose,
    /// In frames of HTTP/2, with the last one marked.
    Framed,
}

impl Body {
    /// Whether nothing comes after the head.
    pub fn is_empty(self) -> bool {
        matches!(self, Body::Empty | Body::Known(0))
    }
}

/// What is said of a body's length in an HTTP/1 head: the values of its fields.
#[derive(Default)]
pub(super) struct Said {
    length: Option<u64>,
    lengths: usize,
    coding: Option<Coding>,
}

#[derive(Clone, Copy)]
enum Coding {
    Chunked,
    /// Something before a last `chunked`.
    Unknown,
    /// Not ending in exactly one `chunked`.
    Invalid,
}

impl Said {
    /// Takes one `content-length`.
    pub(super) fn length(&mut self, value: &[u8]) -> Result<(), Fault> {
        let length = read_length(value)?;
        if self.length.is_some_and(|known| known != length) {
            return Err(Fault::LengthRepeated);
        }
        self.length = Some(length);
        self.lengths += 1;
        Ok(())
    }

    /// Takes one `transfer-encoding`.
    pub(super) fn coding(&mut self, value: &[u8]) {
        let read = read_coding(value);
        // Several fields are one list, and no list of two is understood here.
        self.coding = Some(if self.coding.is_some() { Coding::Invalid } else { read });
    }

    /// The body of a request (RFC 9112 §6.3).
    pub(super) fn of_request(&self, old: bool) -> Result<Body, Fault> {
        if self.lengths > 1 {
            return Err(Fault::LengthRepeated);
        }
        Ok(self.chunked(old)?.unwrap_or_else(|| self.length.map_or(Body::Empty, Body::Known)))
    }

    /// The body of a response that may have one. A length that is said twice alike is one.
    pub(super) fn of_response(&self, old: bool) -> Result<Body, Fault> {
        Ok(self.chunked(old)?.unwrap_or_else(|| self.length.map_or(Body::UntilClose, Body::Known)))
    }

    /// The length, for messages whose body has frames of its own or is left out.
    pub(super) fn known(&self) -> Option<u64> {
        self.length
    }

    fn chunked(&self, old: bool) -> Result<Option<Body>, Fault> {
        match self.coding {
            None => Ok(None),
            Some(_) if old => Err(Fault::CodingOld),
            Some(_) if self.length.is_some() => Err(Fault::LengthAndCoding),
            Some(Coding::Chunked) => Ok(Some(Body::Chunked)),
            Some(Coding::Unknown) => Err(Fault::CodingUnknown),
            Some(Coding::Invalid) => Err(Fault::CodingInvalid),
        }
    }
}

/// Digits only, below 2^63, so that no reader's signed number overflows.
fn read_length(value: &[u8]) -> Result<u64, Fault> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Fault::LengthInvalid);
    }
    let length = value.iter().fold(0_u64, |length, digit| length * 10 + u64::from(digit - b'0'));
    if length > i64::MAX.unsigned_abs() { Err(Fault::LengthInvalid) } else { Ok(length) }
}

fn read_coding(value: &[u8]) -> Coding {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if is_chunked(value) {
        return Coding::Chunked;
    }
    let mut codings = value.rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let last = codings.next().unwrap_or_default();
    if is_chunked(last) && codings.all(|coding| !coding.is_empty() && !is_chunked(coding)) {
        Coding::Unknown
    } else {
        Coding::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lengths: &[&str], codings: &[&str]) -> Result<Body, Fault> {
        let mut said = Said::default();
        for length in lengths {
            said.length(length.as_bytes())?;
        }
        for coding in codings {
            said.coding(coding.as_bytes());
        }
        said.of_request(false)
    }

    #[test]
    fn reads_one_length_or_one_coding() {
        assert_eq!(request(&[], &[]), Ok(Body::Empty));
        assert_eq!(request(&["0"], &[]), Ok(Body::Known(0)));
        assert_eq!(request(&["9223372036854775807"], &[]), Ok(Body::Known(i64::MAX.unsigned_abs())));
        assert_eq!(request(&[], &["ChUnKeD"]), Ok(Body::Chunked));
    }

    #[test]
    fn refuses_all_that_can_be_read_in_two_ways() {
        for length in
            ["", "+5", "-1", "0x5", "5 5", "5.0", "5, 5", "9223372036854775808", "18446744073709551616"]
        {
            assert_eq!(request(&[length], &[]), Err(Fault::LengthInvalid), "{length}");
        }
        assert_eq!(request(&["5", "5"], &[]), Err(Fault::LengthRepeated));
        assert_eq!(request(&["5", "6"], &[]), Err(Fault::LengthRepeated));
        assert_eq!(request(&["5"], &["chunked"]), Err(Fault::LengthAndCoding));
        for (codings, fault) in [
            (&["xchunked"][..], Fault::CodingInvalid),
            (&["identity"], Fault::CodingInvalid),
            (&[""], Fault::CodingInvalid),
            (&["chunked, identity"], Fault::CodingInvalid),
            (&["chunked, chunked"], Fault::CodingInvalid),
            (&["chunked", "chunked"], Fault::CodingInvalid),
            (&["chunked", "identity"], Fault::CodingInvalid),
            (&[", chunked"], Fault::CodingInvalid),
            (&["gzip, chunked"], Fault::CodingUnknown),
        ] {
            assert_eq!(request(&[], codings), Err(fault), "{codings:?}");
        }
    }
}
