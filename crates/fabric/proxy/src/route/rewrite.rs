//! Paths that are sent instead of those that came.

use super::pattern::{Pattern, literal, segments};
use crate::model::PathRewrite;

/// A prefix that replaces another.
pub(super) fn check_prefix(prefix: &str) -> Result<(), String> {
    if prefix.is_empty() { Ok(()) } else { literal(prefix).map(|_| ()) }
}

/// A path with `{name}` of known names in it.
pub(super) fn check_template(template: &str, known: &[&str]) -> Result<(), String> {
    let mut plain = String::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) if text.contains(['{', '}']) => {
                return Err(format!("`{template}` has a brace that is not closed"));
            }
            Piece::Text(text) => plain.push_str(text),
            Piece::Name(name) if known.contains(&name) => plain.push('x'),
            Piece::Name(name) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(format!("`{{{name}}}` is no variable of the route's path; it has {known}"));
            }
        }
    }
    literal(&plain).map(|_| ())
}

/// The path that is sent instead of one in normal form.
pub(super) fn apply(rewrite: &PathRewrite, pattern: &Pattern, path: &str) -> String {
    match rewrite {
        PathRewrite::Prefix(prefix) => {
            let parts = if let Pattern::Prefix(parts) = pattern { parts.len() } else { 0 };
            replace_prefix(path, parts, prefix)
        }
        PathRewrite::Template(template) => fill(template, pattern, path),
    }
}

/// `/foo/bar` with `/foo` replaced by `/xyz` is `/xyz/bar`; what was behind the prefix stays, its slash too.
fn replace_prefix(path: &str, parts: usize, prefix: &str) -> String {
    let replaced: usize = segments(path).take(parts).map(|part| part.len() + 1).sum();
    let rest = path.get(replaced..).unwrap_or_default();
    let out = format!("{}{rest}", prefix.strip_suffix('/').unwrap_or(prefix));
    if out.is_empty() { "/".to_owned() } else { out }
}

fn fill(template: &str, pattern: &Pattern, path: &str) -> String {
    let mut values: Vec<(String, &str)> = Vec::new();
    pattern.fits(path, |name, value| values.push((name.to_owned(), value)));
    let mut out = String::with_capacity(template.len() + path.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) => {
                let value = values.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
                out.push_str(value);
            }
        }
    }
    if out.starts_with('/') { out } else { format!("/{out}") }
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// The text and the names in braces of a template, in their order.
fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let named = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some((name, behind)) = named {
            rest = behind;
            return Some(Piece::Name(name));
        }
        let end = rest.get(1..).and_then(|behind| behind.find('{')).map_or(rest.len(), |at| at + 1);
        let (text, behind) = rest.split_at(end);
        rest = behind;
        Some(Piece::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PathMatch;

    #[test]
    fn replaces_prefixes_by_element() {
        for (prefix, by, path, expected) in [
            ("/foo", "/xyz", "/foo/bar", "/xyz/bar"),
            ("/foo", "/xyz", "/foo", "/xyz"),
            ("/foo", "/xyz", "/foo/", "/xyz/"),
            ("/foo", "", "/foo/bar", "/bar"),
            ("/foo", "/", "/foo/bar", "/bar"),
            ("/foo", "/", "/foo", "/"),
            ("/foo", "", "/foo", "/"),
            ("/", "/xyz", "/bar", "/xyz/bar"),
            ("/", "/xyz/", "/", "/xyz/"),
            ("/a/b/", "/c", "/a/b/d", "/c/d"),
        ] {
            let pattern = Pattern::compile(&PathMatch::Prefix(prefix.to_owned())).unwrap();
            let rewrite = PathRewrite::Prefix(by.to_owned());
            assert_eq!(apply(&rewrite, &pattern, path), expected, "{path} with {prefix} by {by}");
        }
    }

    #[test]
    fn fills_templates_from_variables_and_groups() {
        for (path, template, sent, expected) in [
            (
                PathMatch::Template("/o/{id}/i/{item}".to_owned()),
                "/v2/{item}/of/{id}",
                "/o/7/i/a%20b",
                "/v2/a%20b/of/7",
            ),
            (PathMatch::Template("/f/{rest*}".to_owned()), "/{rest}", "/f/a/b/", "/a/b/"),
            (PathMatch::Template("/f/{rest*}".to_owned()), "/g/{rest}", "/f", "/g/"),
            (
                PathMatch::Regex("/(?P<year>[0-9]{4})-(?P<m>.*)".to_owned()),
                "/{year}/{m}",
                "/2026-x",
                "/2026/x",
            ),
            (PathMatch::Exact("/a".to_owned()), "/b", "/a", "/b"),
        ] {
            let pattern = Pattern::compile(&path).unwrap();
            assert_eq!(check_template(template, &pattern.variables()), Ok(()));
            assert_eq!(apply(&PathRewrite::Template(template.to_owned()), &pattern, sent), expected);
        }
    }

    #[test]
    fn refuses_names_that_the_path_has_not() {
        for template in ["/{b}", "/{a", "/a}", "{a}", "x", "/a?b", "/{}"] {
            assert!(check_template(template, &["a"]).is_err(), "{template}");
        }
    }
}
