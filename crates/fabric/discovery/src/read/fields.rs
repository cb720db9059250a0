//! The fields of a JSON object, whatever the case of their names.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::sync::Arc;

use coreto_catalog::Pair;
use serde_json::{Map, Value};

use crate::answer::Fault;
use crate::go;

/// A JSON object, and where it stands.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// The path to it, for messages: empty, or with a dot at its end.
    path: String,
}

/// The object of a body; nothing is the empty one.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Fault::Wrong("the body is to be a JSON object".to_owned())),
        Err(error) => Err(Fault::Wrong(format!("the body cannot be read as JSON: {error}"))),
    }
}

impl<'a> Fields<'a> {
    /// The fields of a whole body.
    pub(crate) const fn of(map: &'a Map<String, Value>) -> Self {
        Self { map, path: String::new() }
    }

    /// The value of a field that is there and not null. `name` is in small letters.
    fn get(&self, name: &str) -> Option<&'a Value> {
        let same = |found: &str| {
            found.chars().filter(|char| *char != '_').flat_map(char::to_lowercase).eq(name.chars())
        };
        let exact = self.map.iter().find(|(found, _)| same(found));
        exact.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether a field says anything: some clients send all that they know, and leave empty what is not meant.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| match value {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Number(_) => true,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
        })
    }

    /// Refuses the first of these fields that says anything: it is known, and not built.
    pub(crate) fn without(&self, unbuilt: &[&str], hint: &str) -> Result<(), Fault> {
        match unbuilt.iter().find(|name| self.says(name)) {
            Some(name) => Err(Fault::Wrong(format!("not implemented: `{}{name}`; {hint}", self.path))),
            None => Ok(()),
        }
    }

    /// What is wrong with a field.
    pub(crate) fn wrong(&self, name: &str, wanted: &str) -> Fault {
        Fault::Wrong(format!("`{}{name}` is to be {wanted}", self.path))
    }

    /// A text; empty when it is not there.
    pub(crate) fn text(&self, name: &str) -> Result<Arc<str>, Fault> {
        match self.get(name) {
            None => Ok("".into()),
            Some(Value::String(text)) => Ok(text.as_str().into()),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// A list of texts; empty when it is not there.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<Arc<str>>, Fault> {
        let wanted = || self.wrong(name, "a list of texts");
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(wanted)?;
        list.iter().map(|text| text.as_str().map(Into::into).ok_or_else(wanted)).collect()
    }

    /// A yes or no; no when it is not there.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong(name, "true or false")),
        }
    }

    /// A number of a range, if it is there.
    pub(crate) fn number<N: TryFrom<u64> + PartialOrd + Display>(
        &self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> Result<Option<N>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| N::try_from(number).ok());
        let wanted =
            || self.wrong(name, &format!("a whole number from {} to {}", range.start(), range.end()));
        number.filter(|number| range.contains(number)).map(Some).ok_or_else(wanted)
    }

    /// Milliseconds of a duration such as `10s`, or of a number of nanoseconds.
    pub(crate) fn millis(&self, name: &str) -> Result<Option<u64>, Fault> {
        let wanted = || self.wrong(name, "a duration such as `10s` or `1m30s`");
        let millis = match self.get(name) {
            None => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => {
                u64::try_from(go::duration(text).ok_or_else(wanted)?.as_millis()).map_err(|_| wanted())?
            }
            Some(value) => value.as_u64().ok_or_else(wanted)? / 1_000_000,
        };
        Ok(Some(millis))
    }

    /// Texts by name, in order of name.
    pub(crate) fn pairs(&self, name: &str) -> Result<Vec<Pair>, Fault> {
        let wanted = || self.wrong(name, "an object of texts");
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let map = value.as_object().ok_or_else(wanted)?;
        let pair = |(name, value): (&String, &Value)| {
            let value = value.as_str().ok_or_else(wanted)?;
            Ok(Pair { name: name.as_str().into(), value: value.into() })
        };
        let mut pairs: Vec<Pair> = map.iter().map(pair).collect::<Result<_, Fault>>()?;
        pairs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(pairs)
    }

    /// An object within, if it is there.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, Fault> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let map = value.as_object().ok_or_else(|| self.wrong(name, "an object"))?;
        Ok(Some(Fields { map, path: format!("{}{name}.", self.path) }))
    }

    /// The object of a field whose name is given by a client, as it is.
    pub(crate) fn exactly(&self, name: &str) -> Result<Fields<'a>, Fault> {
        let map =
            self.map.get(name).and_then(Value::as_object).ok_or_else(|| self.wrong(name, "an object"))?;
        Ok(Fields { map, path: format!("{}{name}.", self.path) })
    }

    /// Objects of a list.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, Fault> {
        let wanted = || self.wrong(name, "a list of objects");
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(wanted)?;
        let fields = |(at, value): (usize, &'a Value)| {
            let map = value.as_object().ok_or_else(wanted)?;
            Ok(Fields { map, path: format!("{}{name}[{at}].", self.path) })
        };
        list.iter().enumerate().map(fields).collect()
    }

    /// All fields, with their names as they are.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.map.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        let map = object(br#"{"deregister_critical_service_after": "1m", "HTTP": "http://x", "ttl": null}"#)
            .unwrap();
        let fields = Fields::of(&map);
        assert_eq!(fields.millis("deregistercriticalserviceafter").unwrap(), Some(60_000));
        assert_eq!(&*fields.text("http").unwrap(), "http://x");
        assert!(!fields.has("ttl") && fields.flag("http").is_err());
        for wrong in ["[]", "{", "7"] {
            assert!(object(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
