//! Filter expressions: which rows of an answer a client wants to see.

mod parse;
pub(crate) mod shape;
mod token;

use serde_json::Value;
use shape::Shape;

/// Whether an expression takes a row of `health/service`; for fuzzing.
///
/// # Errors
/// When it is none.
pub fn takes(filter: &str, row: &Value) -> Result<bool, String> {
    Filter::parse(filter, &shape::HEALTH).map(|filter| filter.takes(row))
}

/// An expression about rows of one shape.
#[derive(Debug)]
pub(crate) enum Filter {
    /// All of them.
    And(Vec<Self>),
    /// One of them.
    Or(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
    /// Something about a part of the row.
    About {
        selector: Selector,
        /// What is taken for a part that is not told.
        absent: Value,
        test: Test,
        /// Whether the test is to fail.
        negated: bool,
    },
}

/// The names of the way to a part of a row.
pub(crate) type Selector = Vec<String>;

/// Something about a part.
#[derive(Debug)]
pub(crate) enum Test {
    /// It is this.
    Equals(Value),
    /// It holds this: as an element, as a name, as a part of a text.
    Contains(String),
    /// It has nothing in it, or is not there.
    IsEmpty,
    /// Its text is like this.
    Matches(Box<regex::Regex>),
}

impl Filter {
    /// Reads an expression about rows of a shape.
    pub(crate) fn parse(text: &str, row: &'static Shape) -> Result<Self, String> {
        parse::parse(text, row)
    }

    /// Whether a row is wanted.
    pub(crate) fn takes(&self, row: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.takes(row)),
            Self::Or(parts) => parts.iter().any(|part| part.takes(row)),
            Self::Not(part) => !part.takes(row),
            Self::About { selector, absent, test, negated } => {
                any(Some(row), selector, &|found| test.holds(found.unwrap_or(absent)) != *negated)
            }
        }
    }
}

/// Whether something is so of the part at the end of a way; of any such part, where the way leads through lists.
fn any(value: Option<&Value>, way: &[String], is_so: &dyn Fn(Option<&Value>) -> bool) -> bool {
    match (value, way) {
        (value, []) => is_so(value),
        (Some(Value::Array(list)), way) => list.iter().any(|element| any(Some(element), way, is_so)),
        (value, [name, rest @ ..]) => any(value.and_then(|value| value.get(name)), rest, is_so),
    }
}

impl Test {
    fn holds(&self, found: &Value) -> bool {
        match self {
            Self::Equals(wanted) => found == wanted,
            Self::Contains(wanted) => match found {
                Value::Array(list) => list.iter().any(|element| element == wanted),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_take_rows() {
        let row = json!({
            "Node": {"Node": "n1", "TaggedAddresses": {"lan": "10.0.0.1"}},
            "Service": {
                "Service": "web", "Port": 80, "Tags": ["blue", "v1"], "Address": "",
                "Meta": {"env": "prod", "env-x": "a\"b"},
            },
            "Checks": [
                {"Status": "passing", "ServiceTags": [], "Output": ""},
                {"Status": "warning", "ServiceTags": ["blue"], "Output": "slow"},
            ],
        });
        for (text, taken) in [
            (r#"Service.Service == "web""#, true),
            (r"Service.Service == `web`", true),
            ("Service.Service == web", true),
            (r#"Service.Service != "web""#, false),
            ("Service.Port == 80", true),
            (r#"Service.Port != "81""#, true),
            (r#""blue" in Service.Tags"#, true),
            ("blue in Service.Tags", true),
            ("v1.2 not in Service.Tags", true),
            (r#""red" not in Service.Tags"#, true),
            (r#"Service.Tags contains "v1""#, true),
            (r#"Service.Tags not contains "v1""#, false),
            (r#"Service.Service contains "e""#, true),
            (r#""env" in Service.Meta"#, true),
            (r#"Service.Meta.env == "prod" and Service.Port == 80"#, true),
            (r#"Service.Meta["env-x"] == "a\"b""#, true),
            (r#"Service.Meta["none"] == "x""#, false),
            (r#"Service.Meta.none == """#, false),
            (r#"Service.Meta.none != "x""#, true),
            ("Service.Meta.none is empty", true),
            ("Node.TaggedAddresses.lan == 10.0.0.1", true),
            ("Service.Address is empty", true),
            ("Checks is not empty", true),
            (r#"Checks.Status == "warning""#, true),
            (r#"Checks.Status == "critical""#, false),
            (r#"Checks.Status != "passing""#, true),
            (r#"Checks.Status != "critical""#, true),
            (r#"not Checks.Status == "passing""#, false),
            ("blue in Checks.ServiceTags", true),
            ("Checks.Output is empty and Checks.Output is not empty", true),
            ("Checks.Definition.HTTP is empty", true),
            (r#"Service.Kind == """#, true),
            ("Service.Connect.Native == false", true),
            ("Service.Connect.Native != true", true),
            (r#"Service.Service matches "^w.b$""#, true),
            (r#"Service.Service not matches "^w""#, false),
            (r#"not Service.Port == 80 or (Service.Service == "web" and not Checks is empty)"#, true),
            ("Service.Port == 81 and Service.Port == 80 or Service.Port == 80", true),
        ] {
            let filter =
                Filter::parse(text, &shape::HEALTH).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!(filter.takes(&row), taken, "{text}");
        }
        let alone = json!({"Node": {}, "Service": {}, "Checks": []});
        for text in [r#"Checks.Status == "passing""#, r#"Checks.Status != "passing""#] {
            assert!(!Filter::parse(text, &shape::HEALTH).unwrap().takes(&alone), "{text}: there is none");
        }
    }

    #[test]
    fn what_is_no_expression_is_told() {
        let (deep, long) = ("(".repeat(200), format!(r#"Node == "{}""#, "x".repeat(9000)));
        let patterns = ["Node matches a"; 9].join(" or ");
        for (text, told) in [
            ("Node", "`Node` is followed by nothing"),
            ("Node ==", "a value is missing at the end"),
            (r#"Node == "b"#, "a text does not end"),
            (r#"Node == "b" c"#, "`c` is too much"),
            ("Node is full", "`full` is found where `empty` is expected"),
            ("(Node == b", "a `)` is missing"),
            ("Node @ b", "`@` is not known here"),
            (r#"Node matches "(""#, "`(` is no pattern"),
            (r#"Node matches "\\w{900}""#, "would take more than"),
            (&patterns, "it has more than 8 patterns"),
            (&deep, "it is nested too deeply"),
            (&long, "it has more than 8192 bytes"),
            ("Meta[b] == c", "`b` is found where a text in quotes is expected"),
            ("Meta. == c", "`==` is found where a name is expected"),
            ("Nope == 1", "`Nope` is none of `ID`, `Node`"),
            ("node == n1", "`node` is none of"),
            ("Node.Node == n1", "`Node` is a text and has no `Node`"),
            ("Meta == a", "a list of names cannot be compared"),
            ("Meta.a.b == a", "`Meta.a` is a text and has no `b`"),
            ("ModifyIndex == a", "`a` is no whole number"),
            ("1 in ModifyIndex", "a number cannot be asked what is in it"),
            ("ModifyIndex is empty", "a number cannot be asked whether it is empty"),
            ("Meta matches a", "a list of names cannot be matched"),
            (r#"Meta["a"] in Meta"#, "`Meta.a` is a part of the row, where a value is expected"),
        ] {
            let fault = Filter::parse(text, &shape::NODE).expect_err(text);
            assert!(fault.contains(told), "{text}: {fault}");
        }
    }

    #[test]
    fn all_that_is_told_can_be_asked_for() {
        fn look(path: &str, value: &Value, row: &'static Shape, seen: &mut usize) {
            match value {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        look(&format!("{path}[\"{name}\"]"), value, row, seen);
                    }
                }
                Value::Array(list) if list.iter().all(Value::is_object) => {
                    for element in list {
                        look(path, element, row, seen);
                    }
                }
                Value::Array(_) | Value::Null => (),
                plain => {
                    let text = plain.as_str().map_or_else(|| plain.to_string(), str::to_owned);
                    let (first, rest) = path[2..].split_once("\"]").unwrap();
                    let filter = format!("{first}{rest} == `{text}`");
                    let filter =
                        Filter::parse(&filter, row).unwrap_or_else(|fault| panic!("{path}: {fault}"));
                    assert!(filter.takes(&json!({})) || *value != json!(""), "{path}");
                    *seen += 1;
                }
            }
        }
        let row = crate::render::tests::row();
        for (told, shape) in [(row.health("dc1"), &shape::HEALTH), (row.flat("dc1"), &shape::FLAT)] {
            let mut seen = 0;
            look("", &told, shape, &mut seen);
            assert!(seen > 10, "{told}");
        }
    }

    #[test]
    fn texts_of_any_pieces_are_read_or_refused_and_not_turns_what_is_read() {
        const PIECES: [&str; 24] = [
            "Service.Port",
            "Service.Tags",
            "Service.Meta",
            "Checks.Output",
            ".a",
            "==",
            "!=",
            " ",
            " ",
            "80",
            "\"",
            "`",
            "(",
            ")",
            "not ",
            " and ",
            " or ",
            "in ",
            " contains ",
            " matches ",
            " is empty",
            "[",
            "\\",
            "é",
        ];
        let row =
            json!({ "Service": { "Port": 80, "Tags": ["Port"] }, "Checks": [{ "Output": "Port" }, {}] });
        let mut state = 7u64;
        let mut chance = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or_default() % below
        };
        let (mut read, mut refused) = (0, 0);
        for _ in 0..100_000 {
            let count = 1 + chance(12);
            let text: String = (0..count).map(|_| PIECES[chance(PIECES.len())]).collect();
            match Filter::parse(&text, &shape::HEALTH) {
                Ok(filter) => {
                    let turned = Filter::parse(&format!("not ({text})"), &shape::HEALTH);
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
