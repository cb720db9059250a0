//! Files of test cases.

use anyhow::bail;
use coreto_feel::{Context, Text, Value};
use coreto_xml::{Document, NodeId, decode};

use super::value;

/// The namespaces that a file of cases is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Case,
    /// `xsi`, for the types of values.
    Instance,
    Other,
}

impl coreto_xml::Space for Space {
    fn of(uri: &str) -> Self {
        match uri {
            "http://www.omg.org/spec/DMN/20160719/testcase" => Self::Case,
            "http://www.w3.org/2001/XMLSchema-instance" => Self::Instance,
            _ => Self::Other,
        }
    }

    fn is_root(self, local: &str) -> bool {
        self == Self::Case && local == "testCases"
    }

    fn is_kept(self) -> bool {
        self != Self::Other
    }

    fn holds_text(self, local: &str) -> bool {
        self == Self::Case && matches!(local, "modelName" | "value")
    }
}

/// The cases of one file.
pub(super) struct TestCases {
    /// The file of the model, in the same folder.
    pub(super) model: String,
    pub(super) cases: Vec<TestCase>,
}

pub(super) struct TestCase {
    pub(super) id: String,
    /// What is evaluated.
    pub(super) subject: Subject,
    pub(super) inputs: Context,
    pub(super) results: Vec<Expected>,
}

/// What a case evaluates.
pub(super) enum Subject {
    /// The decisions that the results name.
    Decisions,
    /// A decision service, by its name.
    Service(String),
    /// A business knowledge model, by its name.
    KnowledgeModel(String),
}

pub(super) struct Expected {
    /// Of the decision.
    pub(super) name: String,
    pub(super) value: Value,
    /// Whether the result is to be null or an error.
    pub(super) is_error: bool,
}

/// Reads a file; nothing when it holds something else.
pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Option<TestCases>> {
    const DEPTH_MAX: usize = 100;
    const NODES_MAX: usize = 1_000_000;
    let text = decode(bytes)?;
    if !text.contains("testCases") {
        return Ok(None);
    }
    let document: Document<'_, Space> = Document::read(&text, DEPTH_MAX, NODES_MAX)?;
    let root = Document::<Space>::ROOT;
    let Some(model) = child(&document, root, "modelName") else { bail!("no `modelName`") };
    let model = document.text(model).trim().to_owned();
    let cases = document.children_named(root, Space::Case, "testCase");
    let cases = cases.map(|case| test_case(&document, case)).collect::<anyhow::Result<_>>()?;
    Ok(Some(TestCases { model, cases }))
}

fn child(document: &Document<'_, Space>, node: NodeId, name: &str) -> Option<NodeId> {
    document.children_named(node, Space::Case, name).next()
}

fn test_case(document: &Document<'_, Space>, node: NodeId) -> anyhow::Result<TestCase> {
    let invocable = || document.attribute(node, "invocableName").unwrap_or_default().to_owned();
    let subject = match document.attribute(node, "type") {
        Some("decision") | None => Subject::Decisions,
        Some("decisionService") => Subject::Service(invocable()),
        Some("bkm") => Subject::KnowledgeModel(invocable()),
        Some(other) => bail!("cases of type `{other}` are not known"),
    };
    let mut inputs = Vec::new();
    for input in document.children_named(node, Space::Case, "inputNode") {
        inputs.push((Text::from(name(document, input)), value::of_node(document, input)?));
    }
    let mut results = Vec::new();
    for result in document.children_named(node, Space::Case, "resultNode") {
        let value = match child(document, result, "expected") {
            Some(expected) => value::of_node(document, expected)?,
            None => Value::Null,
        };
        let is_error = document.flag(result, "errorResult");
        results.push(Expected { name: name(document, result).to_owned(), value, is_error });
    }
    let Some(inputs) = Context::new(inputs) else { bail!("inputs are nested too deep") };
    Ok(TestCase {
        id: document.attribute(node, "id").unwrap_or_default().to_owned(),
        subject,
        inputs,
        results,
    })
}

fn name<'d>(document: &'d Document<'_, Space>, node: NodeId) -> &'d str {
    document.attribute(node, "name").unwrap_or_default()
}
