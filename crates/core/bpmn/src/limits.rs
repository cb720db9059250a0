//! What a caller asks of a reading: its purpose, and the bounds on its input.

/// Why a resource is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Someone wants to deploy it: every rule is checked.
    Deploy,
    /// It was accepted before: only what the graph cannot be built without is checked, so that rules and limits
    /// that came later never keep a stored model from loading.
    Load,
}

/// Bounds that a deployment must keep. A resource that was accepted before is loaded without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a resource. Higher costs memory: a reading takes up to some 40 times the text.
    pub bytes_max: usize,
    /// Deepest nesting of XML elements.
    pub depth_max: usize,
    /// Most BPMN and extension elements in one resource, the diagram not counted.
    pub nodes_max: usize,
    /// Most bytes of an expression, or of all mappings of one element together. Higher lets a long expression cost
    /// more time: names of a large context are resolved one by one.
    pub expression_bytes_max: usize,
    /// Most diagnostics that are kept; a last one says how many more there were.
    pub diagnostics_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 4 << 20,
            depth_max: 256,
            nodes_max: 200_000,
            expression_bytes_max: 128 << 10,
            diagnostics_max: 1_000,
        }
    }
}

impl Limits {
    pub(crate) const UNBOUNDED: Self = Self {
        bytes_max: u32::MAX as usize,
        depth_max: usize::MAX,
        nodes_max: usize::MAX,
        expression_bytes_max: usize::MAX,
        diagnostics_max: 1_000,
    };
}
