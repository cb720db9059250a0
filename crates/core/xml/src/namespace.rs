//! Which namespace a prefix stands for.

/// The namespaces that a kind of model is read from.
pub trait Space: Copy + PartialEq {
    /// The namespace of a URI; that of elements without one has the empty URI.
    fn of(uri: &str) -> Self;

    /// Whether a document of this kind may begin with this element.
    fn is_root(self, local: &str) -> bool;

    /// Whether elements of this namespace are read; others are left out with all that is in them.
    fn is_kept(self) -> bool;

    /// Whether the text inside of an element is read.
    fn holds_text(self, local: &str) -> bool;
}

/// Most declarations in scope at once; each lookup walks them.
pub(crate) const BINDINGS_MAX: usize = 256;

struct Binding<S> {
    prefix: String,
    uri: String,
    space: S,
}

/// Declarations in scope, the innermost last.
pub(crate) struct Scope<S> {
    bindings: Vec<Binding<S>>,
}

impl<S: Space> Scope<S> {
    pub(crate) const fn new() -> Self {
        Self { bindings: Vec::new() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn leave(&mut self, len: usize) {
        self.bindings.truncate(len);
    }

    /// Declares a prefix; the empty one is the default namespace.
    pub(crate) fn declare(&mut self, prefix: &str, uri: &str) {
        self.bindings.push(Binding { prefix: prefix.to_owned(), uri: uri.to_owned(), space: S::of(uri) });
    }

    /// Whether a declaration of this prefix came after the first `len`.
    pub(crate) fn declares(&self, prefix: &str, len: usize) -> bool {
        self.bindings[len..].iter().any(|binding| binding.prefix == prefix)
    }

    /// The namespace of an element's prefix, `None` when nothing declares it.
    pub(crate) fn space(&self, prefix: &str) -> Option<S> {
        match self.find(prefix) {
            Some(binding) => Some(binding.space),
            None if prefix.is_empty() || prefix == "xml" => Some(S::of("")),
            None => None,
        }
    }

    /// The URI of an attribute's prefix.
    pub(crate) fn uri(&self, prefix: &str) -> Option<&str> {
        match self.find(prefix) {
            Some(binding) => Some(&binding.uri),
            None if prefix == "xml" => Some("http://www.w3.org/XML/1998/namespace"),
            None => None,
        }
    }

    fn find(&self, prefix: &str) -> Option<&Binding<S>> {
        self.bindings.iter().rev().find(|binding| binding.prefix == prefix)
    }
}
