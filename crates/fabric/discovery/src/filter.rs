//! Filter expressions: which rows of an answer a client wants to see.

mod parse;
mod token;

use serde_json::Value;

/// An expression.
#[derive(Debug)]
pub(crate) enum Filter {
    /// All of them.
    And(Vec<Self>),
    /// One of them.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Something about a part of the row.
    Test(Selector, Test),
}

/// The names of the way to a part of a row.
pub(crate) type Selector = Vec<String>;

/// Something about a part.
#[derive(Debug)]
pub(crate) enum Test {
    /// It is this text or number.
    Equals(String),
    /// It holds this: as an element, as a name, as a part of a text.
    Contains(String),
    /// It has nothing in it, or is not there.
    IsEmpty,
    /// Its text is like this.
    Matches(Box<regex::Regex>),
}

impl Filter {
    /// Reads an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::parse(text)
    }

    /// Whether a row is wanted.
    pub(crate) fn takes(&self, row: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.takes(row)),
            Self::Or(parts) => parts.iter().any(|part| part.takes(row)),
            Self::Not(part) => !part.takes(row),
            Self::Test(selector, test) => {
                let found = selector.iter().try_fold(row, |value, name| value.get(name));
                test.holds(found.unwrap_or(&Value::Null))
            }
        }
    }
}

impl Test {
    fn holds(&self, found: &Value) -> bool {
        match self {
            Self::Equals(wanted) => is(found, wanted),
            Self::Contains(wanted) => match found {
                Value::Array(list) => list.iter().any(|element| is(element, wanted)),
                Value::Object(map) => map.contains_key(wanted),
                Value::String(text) => text.contains(wanted),
                Value::Null | Value::Bool(_) | Value::Number(_) => false,
            },
            Self::IsEmpty => match found {
                Value::Null => true,
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
                Value::String(text) => text.is_empty(),
                Value::Bool(_) | Value::Number(_) => false,
            },
            Self::Matches(pattern) => found.as_str().is_some_and(|text| pattern.is_match(text)),
        }
    }
}

/// Whether a plain value is written like this.
fn is(found: &Value, wanted: &str) -> bool {
    match found {
        Value::String(text) => text == wanted,
        Value::Bool(value) => wanted == if *value { "true" } else { "false" },
        Value::Number(number) => number.to_string() == wanted,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_take_rows() {
        let row = json!({
            "Service": {
                "Service": "web", "Port": 80, "Tags": ["blue", "v1"], "Address": "",
                "Meta": {"env": "prod", "env-x": "a\"b"},
            },
            "Checks": [],
        });
        for (text, taken) in [
            (r#"Service.Service == "web""#, true),
            (r"Service.Service == `web`", true),
            ("Service.Service == web", true),
            (r#"Service.Service != "web""#, false),
            ("Service.Port == 80", true),
            (r#"Service.Port != "81""#, true),
            (r#""blue" in Service.Tags"#, true),
            (r#""red" not in Service.Tags"#, true),
            (r#"Service.Tags contains "v1""#, true),
            (r#"Service.Tags not contains "v1""#, false),
            (r#"Service.Service contains "e""#, true),
            (r#""env" in Service.Meta"#, true),
            (r#"Service.Meta.env == "prod" and Service.Port == 80"#, true),
            (r#"Service.Meta["env-x"] == "a\"b""#, true),
            (r#"Service.Meta["none"] == "x""#, false),
            (r#"Service.Meta.none != "x""#, true),
            ("Service.Address is empty", true),
            ("Checks is not empty", false),
            (r#"Service.Service matches "^w.b$""#, true),
            (r#"Service.Service not matches "^w""#, false),
            (r#"not Service.Port == 80 or (Service.Service == "web" and not Checks is not empty)"#, true),
            ("Service.Port == 81 and Service.Port == 80 or Service.Port == 80", true),
        ] {
            let filter = Filter::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!(filter.takes(&row), taken, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_told() {
        let (deep, long) = ("(".repeat(200), format!(r#"a == "{}""#, "x".repeat(9000)));
        for (text, told) in [
            ("a", "`a` is followed by nothing"),
            ("a ==", "a value is missing at the end"),
            (r#"a == "b"#, "a text does not end"),
            (r#"a == "b" c"#, "`c` is too much"),
            ("a is full", "`full` is found where `empty` is expected"),
            ("(a == b", "a `)` is missing"),
            ("a @ b", "`@` is not known here"),
            (r#"a matches "(""#, "`(` is no pattern"),
            (&deep, "it is nested too deeply"),
            (&long, "it has more than 8192 bytes"),
            ("a[b] == c", "`b` is found where a text in quotes is expected"),
            ("a. == c", "`==` is found where a name is expected"),
        ] {
            let fault = Filter::parse(text).expect_err(text);
            assert!(fault.contains(told), "{text}: {fault}");
        }
    }

    #[test]
    fn texts_of_any_pieces_are_read_or_refused_and_not_turns_what_is_read() {
        const PIECES: [&str; 26] = [
            "Service", "Port", "Tags", ".", "==", "!=", " ", " ", " ", "80", "\"", "`", "(", ")", "not",
            "and", "or", "in", "contains", "matches", "is", "empty", "[", "]", "\\", "é",
        ];
        let row = json!({ "Service": { "Port": 80, "Tags": ["Port"] }, "Port": "80", "Tags": [] });
        let mut state = 7u64;
        let mut chance = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or_default() % below
        };
        let (mut read, mut refused) = (0, 0);
        for _ in 0..100_000 {
            let count = 1 + chance(12);
            let text: String = (0..count).map(|_| PIECES[chance(PIECES.len())]).collect();
            match Filter::parse(&text) {
                Ok(filter) => {
                    let turned = Filter::parse(&format!("not ({text})"));
                    let turned = turned.unwrap_or_else(|fault| panic!("not ({text}): {fault}"));
                    assert_ne!(turned.takes(&row), filter.takes(&row), "{text}");
                    read += 1;
                }
                Err(fault) => {
                    assert!(!fault.is_empty(), "{text}");
                    refused += 1;
                }
            }
        }
        assert!(read > 100 && refused > 100, "{read} are read, {refused} are refused");
    }
}
