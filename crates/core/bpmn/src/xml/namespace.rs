//! Which namespace a prefix stands for.

/// The namespaces that a model is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// BPMN 2.0 model.
    Bpmn,
    /// The extensions of Zeebe and Camunda 8.
    Zeebe,
    /// Any other, or none.
    Other,
}

impl Space {
    fn of(uri: &str) -> Self {
        match uri {
            "http://www.omg.org/spec/BPMN/20100524/MODEL" => Self::Bpmn,
            "http://camunda.org/schema/zeebe/1.0" => Self::Zeebe,
            _ => Self::Other,
        }
    }
}

/// Most declarations in scope at once; each lookup walks them.
pub(super) const BINDINGS_MAX: usize = 256;

struct Binding {
    prefix: String,
    uri: String,
    space: Space,
}

/// Declarations in scope, the innermost last.
#[derive(Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
}

impl Scope {
    pub(super) const fn len(&self) -> usize {
        self.bindings.len()
    }

    pub(super) fn leave(&mut self, len: usize) {
        self.bindings.truncate(len);
    }

    /// Declares a prefix; the empty one is the default namespace.
    pub(super) fn declare(&mut self, prefix: &str, uri: &str) {
        self.bindings.push(Binding { prefix: prefix.to_owned(), uri: uri.to_owned(), space: Space::of(uri) });
    }

    /// Whether a declaration of this prefix came after the first `len`.
    pub(super) fn declares(&self, prefix: &str, len: usize) -> bool {
        self.bindings[len..].iter().any(|binding| binding.prefix == prefix)
    }

    /// The namespace of an element's prefix, `None` when nothing declares it.
    pub(super) fn space(&self, prefix: &str) -> Option<Space> {
        match self.find(prefix) {
            Some(binding) => Some(binding.space),
            None if prefix.is_empty() || prefix == "xml" => Some(Space::Other),
            None => None,
        }
    }

    /// The URI of an attribute's prefix.
    pub(super) fn uri(&self, prefix: &str) -> Option<&str> {
        match self.find(prefix) {
            Some(binding) => Some(&binding.uri),
            None if prefix == "xml" => Some("http://www.w3.org/XML/1998/namespace"),
            None => None,
        }
    }

    fn find(&self, prefix: &str) -> Option<&Binding> {
        self.bindings.iter().rev().find(|binding| binding.prefix == prefix)
    }
}
