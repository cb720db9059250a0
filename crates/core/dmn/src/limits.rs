//! Bounds on a model.

/// Bounds that a model must keep to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a resource. Higher costs memory: a reading takes up to some 40 times the text.
    pub bytes_max: usize,
    /// Deepest nesting of XML elements, and so of boxed expressions. Higher costs stack.
    pub depth_max: usize,
    /// Most DMN and extension elements in one resource, the diagram not counted.
    pub nodes_max: usize,
    /// Most bytes of one expression.
    pub expression_bytes_max: usize,
    /// Most bytes of expressions, each times the names with special characters in its scope: each such name is looked
    /// for at each word. Higher costs time, some 20 ns each.
    pub lookups_max: u64,
    /// Most imports of one model.
    pub imports_max: usize,
    /// Most models that import each other in a row. Higher costs stack.
    pub import_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 4 << 20,
            depth_max: 96,
            nodes_max: 200_000,
            expression_bytes_max: 128 << 10,
            lookups_max: 100_000_000,
            imports_max: 256,
            import_depth_max: 32,
        }
    }
}
