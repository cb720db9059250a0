//! Those that a request came through (RFC 9110 §7.6.3).

use http::header::{self, HeaderValue};

use super::Failure;
use crate::gate::Request;

/// Our own entry. Its name is this process's alone: a request may pass several of our kind, but none twice.
#[derive(Debug)]
pub(crate) struct Via {
    name: String,
    /// For requests of HTTP/1.0, 1.1 and 2.
    entries: [HeaderValue; 3],
}

impl Via {
    /// A name with this number.
    pub(crate) fn new(number: u32) -> Self {
        let name = format!("coreto-{number:08x}");
        let entry = |version| HeaderValue::try_from(format!("{version} {name}")).expect("a name is text");
        Self { entries: ["1.0", "1.1", "2"].map(entry), name }
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Adds it to those that the request came through.
    pub(super) fn add(&self, request: &mut Request) -> Result<(), Failure> {
        let entry = match request.version {
            http::Version::HTTP_10 => &self.entries[0],
            http::Version::HTTP_2 => &self.entries[2],
            _ => &self.entries[1],
        };
        let Some(first) = request.fields.get(header::VIA) else {
            request.fields.insert(header::VIA, entry.clone());
            return Ok(());
        };
        let mut list = first.as_bytes().to_vec();
        for value in request.fields.get_all(header::VIA).iter().skip(1) {
            list.extend_from_slice(b", ");
            list.extend_from_slice(value.as_bytes());
        }
        let passed = list.split(|byte| *byte == b',').any(|entry| {
            let mut words = entry.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
            words.nth(1).is_some_and(|name| name.eq_ignore_ascii_case(self.name.as_bytes()))
        });
        if passed {
            return Err(Failure::Loop);
        }
        list.extend_from_slice(b", ");
        list.extend_from_slice(entry.as_bytes());
        let list = HeaderValue::try_from(list).expect("values joined by commas are a value");
        request.fields.insert(header::VIA, list);
        Ok(())
    }
}
