//! What rows have: what a filter may ask of them, and how.

use regex::Regex;
use serde_json::Value;

use super::Test;

/// What a part of a row is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Text,
    Number,
    Flag,
    /// Any of it may be meant.
    List(&'static Self),
    /// Its names are given by clients.
    Map(&'static Self),
    /// Its names are ours.
    Object(&'static [(&'static str, Self)]),
}

use Shape::{Flag, List, Map, Number, Object, Text};

const TEXTS: Shape = List(&Text);
const PAIRS: Shape = Map(&Text);
const WEIGHTS: Shape = Object(&[("Passing", Number), ("Warning", Number)]);
const ADDRESSES: Shape = Map(&Object(&[("Address", Text), ("Port", Number)]));
/// Services of a mesh are not built, so that it is false of all.
const CONNECT: Shape = Object(&[("Native", Flag)]);

/// A node.
pub(crate) const NODE: Shape = Object(&[
    ("ID", Text),
    ("Node", Text),
    ("Address", Text),
    ("Datacenter", Text),
    ("TaggedAddresses", PAIRS),
    ("Meta", PAIRS),
    ("CreateIndex", Number),
    ("ModifyIndex", Number),
]);

/// An instance without its node.
pub(crate) const INSTANCE: Shape = Object(&[
    ("ID", Text),
    ("Kind", Text),
    ("Service", Text),
    ("Tags", TEXTS),
    ("Address", Text),
    ("TaggedAddresses", ADDRESSES),
    ("Meta", PAIRS),
    ("Port", Number),
    ("Weights", WEIGHTS),
    ("EnableTagOverride", Flag),
    ("Connect", CONNECT),
    ("CreateIndex", Number),
    ("ModifyIndex", Number),
]);

/// A check.
pub(crate) const CHECK: Shape = Object(&[
    ("Node", Text),
    ("CheckID", Text),
    ("Name", Text),
    ("Status", Text),
    ("Notes", Text),
    ("Output", Text),
    ("ServiceID", Text),
    ("ServiceName", Text),
    ("ServiceTags", TEXTS),
    ("Type", Text),
    (
        "Definition",
        Object(&[
            ("HTTP", Text),
            ("TCP", Text),
            ("GRPC", Text),
            ("Interval", Text),
            ("Timeout", Text),
            ("TTL", Text),
            ("DeregisterCriticalServiceAfter", Text),
        ]),
    ),
    ("CreateIndex", Number),
    ("ModifyIndex", Number),
]);

/// An instance with its node and the checks of both.
pub(crate) const HEALTH: Shape = Object(&[("Node", NODE), ("Service", INSTANCE), ("Checks", List(&CHECK))]);

/// An instance and its node in one.
pub(crate) const FLAT: Shape = Object(&[
    ("ID", Text),
    ("Node", Text),
    ("Address", Text),
    ("Datacenter", Text),
    ("TaggedAddresses", PAIRS),
    ("NodeMeta", PAIRS),
    ("ServiceKind", Text),
    ("ServiceID", Text),
    ("ServiceName", Text),
    ("ServiceTags", TEXTS),
    ("ServiceAddress", Text),
    ("ServicePort", Number),
    ("ServiceWeights", WEIGHTS),
    ("ServiceMeta", PAIRS),
    ("ServiceTaggedAddresses", ADDRESSES),
    ("ServiceEnableTagOverride", Flag),
    ("ServiceConnect", CONNECT),
    ("CreateIndex", Number),
    ("ModifyIndex", Number),
]);

/// A service as one of many, by each of its instances.
pub(crate) const SERVICE: Shape = Object(&[("ServiceName", Text), ("ServiceTags", TEXTS)]);

/// A part of a row that a filter asks about.
pub(super) struct Part {
    shape: Shape,
    /// What it is where it is not told: nothing only where the client gave the name.
    pub(super) absent: Value,
}

impl Shape {
    /// The part at the end of a way.
    pub(super) fn part(&self, selector: &[String]) -> Result<Part, String> {
        let (mut shape, mut is_given) = (*self, false);
        let mut rest = selector.iter();
        while let Some(name) = rest.as_slice().first() {
            match shape {
                // Its elements have the name.
                List(of) => shape = *of,
                Map(of) => (shape, is_given) = (*of, rest.next().is_some()),
                Object(fields) => {
                    let Some((_, of)) = fields.iter().find(|(known, _)| known == name) else {
                        let known: Vec<&str> = fields.iter().map(|(known, _)| *known).collect();
                        return Err(format!("`{name}` is none of `{}`", known.join("`, `")));
                    };
                    shape = *of;
                    rest.next();
                }
                Text | Number | Flag => {
                    let of = &selector[..selector.len() - rest.len()];
                    return Err(format!("`{}` is {} and has no `{name}`", of.join("."), shape.told()));
                }
            }
        }
        let absent = match shape {
            _ if is_given => Value::Null,
            Text => "".into(),
            Number => 0.into(),
            Flag => false.into(),
            List(_) | Map(_) | Object(_) => Value::Null,
        };
        Ok(Part { shape, absent })
    }

    const fn told(&self) -> &'static str {
        match self {
            Text => "a text",
            Number => "a number",
            Flag => "`true` or `false`",
            List(Text) => "a list of texts",
            List(_) => "a list",
            Map(_) => "a list of names",
            Object(_) => "an object",
        }
    }
}

impl Part {
    pub(super) fn equals(&self, text: String) -> Result<Test, String> {
        let value = match self.shape {
            Text => Value::from(text),
            Number => text.parse::<u64>().map_err(|_| format!("`{text}` is no whole number"))?.into(),
            Flag => text.parse::<bool>().map_err(|_| format!("`{text}` is not `true` or `false`"))?.into(),
            List(_) | Map(_) | Object(_) => return self.cannot_be("compared; ask what is in it"),
        };
        Ok(Test::Equals(value))
    }

    pub(super) fn contains(&self, text: String) -> Result<Test, String> {
        match self.shape {
            Text | List(Text) | Map(_) => Ok(Test::Contains(text)),
            Number | Flag | List(_) | Object(_) => self.cannot_be("asked what is in it"),
        }
    }

    pub(super) fn is_empty(&self) -> Result<Test, String> {
        match self.shape {
            Text | List(_) | Map(_) => Ok(Test::IsEmpty),
            Number | Flag | Object(_) => self.cannot_be("asked whether it is empty"),
        }
    }

    pub(super) fn matches(&self, pattern: Regex) -> Result<Test, String> {
        match self.shape {
            Text => Ok(Test::Matches(Box::new(pattern))),
            Number | Flag | List(_) | Map(_) | Object(_) => self.cannot_be("matched"),
        }
    }

    fn cannot_be(&self, asked: &str) -> Result<Test, String> {
        Err(format!("{} cannot be {asked}", self.shape.told()))
    }
}
