//! Which text may be the target of a mapping.

/// Most names in a path, so that nested contexts stay shallow.
const PATH_MAX: usize = 32;

/// Whether text is a variable name, or a path of such names with dots, and no word of FEEL as a whole.
pub(crate) fn is_target(text: &str) -> bool {
    let mut names = text.split('.');
    !is_reserved(text) && names.by_ref().take(PATH_MAX).all(is_name) && names.next().is_none()
}

/// The name that an expression begins with, when it is nothing but a variable or a path into one.
pub(crate) fn name_at_head(source: &str) -> Option<&str> {
    let source = source.trim();
    is_target(source).then(|| source.split('.').next()).flatten()
}

/// Whether text is a name of letters, digits and `_` that does not begin with a digit.
pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether text means something else than a variable to FEEL.
pub(super) fn is_reserved(text: &str) -> bool {
    matches!(
        text,
        "null"
            | "true"
            | "false"
            | "function"
            | "if"
            | "then"
            | "else"
            | "for"
            | "between"
            | "instance"
            | "of"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_and_paths() {
        for target in ["a", "_a1", "order.id", "a.if", "nullable"] {
            assert!(is_target(target), "{target}");
        }
        for target in ["", ".", "a.", ".a", "a..b", "1a", "a-b", "a b", "é", "null", "if", "a.1"] {
            assert!(!is_target(target), "{target}");
        }
        assert!(is_target(&["a"; PATH_MAX].join(".")));
        assert!(!is_target(&["a"; PATH_MAX + 1].join(".")));
    }
}
