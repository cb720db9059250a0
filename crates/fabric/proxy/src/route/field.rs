//! Headers and query parameters as routes mean them.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use super::path::escaped;
use super::pattern::whole_bytes_regex;
use crate::model::{FieldMatch, ValueMatch, header_name};

/// A header that a request must have.
#[derive(Clone, Debug)]
pub(crate) struct HeaderTest {
    name: HeaderName,
    value: ValueTest,
}

impl HeaderTest {
    pub(crate) fn compile(wanted: &FieldMatch) -> Result<Self, String> {
        let name = header_name(&wanted.name)?;
        Ok(Self { name, value: ValueTest::compile(&wanted.value)? })
    }

    /// Several fields of the name count as one, joined by commas.
    pub(crate) fn fits(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(&self.name).iter();
        let Some(first) = values.next() else { return false };
        match values.next() {
            None => self.value.fits(first.as_bytes()),
            Some(second) => {
                let mut joined = first.as_bytes().to_vec();
                for value in std::iter::once(second).chain(values) {
                    joined.push(b',');
                    joined.extend_from_slice(value.as_bytes());
                }
                self.value.fits(&joined)
            }
        }
    }
}

/// A query parameter that a request must have.
#[derive(Clone, Debug)]
pub(crate) struct QueryTest {
    name: String,
    value: ValueTest,
}

impl QueryTest {
    pub(crate) fn compile(wanted: &FieldMatch) -> Result<Self, String> {
        if wanted.name.is_empty() {
            return Err("a query parameter has a name".to_owned());
        }
        Ok(Self { name: wanted.name.clone(), value: ValueTest::compile(&wanted.value)? })
    }

    /// Of several parameters of the name the first counts; names and values are compared unescaped.
    pub(crate) fn fits(&self, query: Option<&str>) -> bool {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let mut named = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .filter(|(name, _)| *unescape(name) == *self.name.as_bytes());
        named.next().is_some_and(|(_, value)| self.value.fits(&unescape(value)))
    }
}

#[derive(Clone, Debug)]
enum ValueTest {
    Present,
    Exact(Vec<u8>),
    Regex(regex::bytes::Regex),
}

impl ValueTest {
    fn compile(wanted: &ValueMatch) -> Result<Self, String> {
        Ok(match wanted {
            ValueMatch::Present => Self::Present,
            ValueMatch::Exact(text) => Self::Exact(text.clone().into_bytes()),
            ValueMatch::Regex(text) => Self::Regex(whole_bytes_regex(text)?),
        })
    }

    fn fits(&self, value: &[u8]) -> bool {
        match self {
            Self::Present => true,
            Self::Exact(wanted) => wanted == value,
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

/// A name or value of a query as a form means it: `+` is a blank, escapes are bytes; what is no escape is itself.
fn unescape(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, behind @ ..] = rest {
        let plain = if *first == b'+' { b' ' } else { *first };
        let (byte, left) = escaped(rest).map_or((plain, behind), |byte| (byte, &rest[3..]));
        out.push(byte);
        rest = left;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_the_first_of_its_name_unescaped() {
        let test =
            |name: &str, value| QueryTest::compile(&FieldMatch { name: name.to_owned(), value }).unwrap();
        let exact = |name, value: &str| test(name, ValueMatch::Exact(value.to_owned()));
        for (query, fits) in [
            ("v=2", true),
            ("a=1&&v=2&v=3", true),
            ("v=3&v=2", false),
            ("%76=%32", true),
            ("V=2", false),
            ("v", false),
            ("v=2%", false),
            ("=2", false),
        ] {
            assert_eq!(exact("v", "2").fits(Some(query)), fits, "{query}");
        }
        assert!(exact("a b", "c d%").fits(Some("a+b=c%20d%")));
        assert!(exact("v", "").fits(Some("v")) && exact("v", "").fits(Some("v=")));
        assert!(
            test("v", ValueMatch::Present).fits(Some("v&w")) && !test("v", ValueMatch::Present).fits(None)
        );
        assert!(test("v", ValueMatch::Regex("[0-9]+".to_owned())).fits(Some("v=12")));
        assert!(!test("v", ValueMatch::Regex("[0-9]+".to_owned())).fits(Some("v=12x")));
    }

    #[test]
    fn headers_of_one_name_are_joined() {
        let headers = HeaderMap::from_iter([
            (HeaderName::from_static("x-a"), "1".parse().unwrap()),
            (HeaderName::from_static("x-a"), "2".parse().unwrap()),
        ]);
        let fits = |value| {
            HeaderTest::compile(&FieldMatch { name: "X-A".to_owned(), value }).unwrap().fits(&headers)
        };
        assert!(fits(ValueMatch::Exact("1,2".to_owned())) && !fits(ValueMatch::Exact("1".to_owned())));
        assert!(fits(ValueMatch::Regex("1,.".to_owned())) && fits(ValueMatch::Present));
    }
}
