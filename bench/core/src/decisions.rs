//! Decisions, and the variables that they read.

use std::fmt::Write as _;

use coreto_dmn::Model;
use coreto_feel::Dialect;

use crate::Variables;

/// A model whose last decision is evaluated.
pub struct Subject {
    /// What it is, for people.
    pub name: &'static str,
    /// The file.
    pub xml: String,
}

impl Subject {
    /// Reads and compiles the file.
    pub fn model(&self) -> Model {
        Model::parse(self.xml.as_bytes(), Dialect::Camunda).expect("the model is sound")
    }
}

/// Models whose times and allocations are told.
pub fn subjects() -> Vec<Subject> {
    let subject = |name, decisions: String| {
        let namespace = "https://www.omg.org/spec/DMN/20191111/MODEL/";
        Subject { name, xml: format!("<definitions xmlns=\"{namespace}\">{decisions}</definitions>") }
    };
    vec![
        subject("10 rules, 3 inputs, unique", table("UNIQUE", 10)),
        subject("10 rules, 3 inputs, first", table("FIRST", 10)),
        subject("1,000 rules, 3 inputs, unique", table("UNIQUE", 1000)),
        subject("literal expression", literal(0, "guests + 1", "")),
        subject("10 decisions in a chain", chain(10)),
    ]
}

/// The variables of all of them.
pub fn variables() -> Variables {
    let variables = [("season", "\"s7\""), ("guests", "78"), ("children", "true")];
    Variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

fn table(policy: &str, rules: usize) -> String {
    let mut xml = format!("<decision id=\"dish\"><decisionTable hitPolicy=\"{policy}\">");
    for input in ["season", "guests", "children"] {
        write!(xml, "<input><inputExpression><text>{input}</text></inputExpression></input>")
            .expect("a string");
    }
    xml.push_str("<output name=\"dish\"/>");
    for rule in 0..rules {
        let (low, high) = (rule * 10, rule * 10 + 9);
        let season = rule % 10;
        let cells = [format!("\"s{season}\""), format!("[{low}..{high}]"), "true".to_owned()];
        let cells = cells.map(|cell| format!("<inputEntry><text>{cell}</text></inputEntry>")).concat();
        write!(xml, "<rule>{cells}<outputEntry><text>\"d{rule}\"</text></outputEntry></rule>")
            .expect("a string");
    }
    xml + "</decisionTable></decision>"
}

fn literal(id: usize, text: &str, requires: &str) -> String {
    let literal = format!("<literalExpression><text>{text}</text></literalExpression>");
    format!("<decision id=\"d{id}\">{requires}{literal}</decision>")
}

fn chain(length: usize) -> String {
    let decision = |id: usize| match id.checked_sub(1) {
        None => literal(id, "guests", ""),
        Some(before) => {
            let required = format!("<requiredDecision href=\"#d{before}\"/>");
            let required = format!("<informationRequirement>{required}</informationRequirement>");
            literal(id, &format!("d{before} + 1"), &required)
        }
    };
    (0..length).map(decision).collect()
}
