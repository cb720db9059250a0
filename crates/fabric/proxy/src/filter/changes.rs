//! Changes of a header section by rule.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::HeaderChanges;

/// Changes, ready to be made.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
}

impl Changes {
    /// The changes of a model that has no fault; what is no header is left out.
    pub fn of(changes: &HeaderChanges) -> Self {
        let name = |name: &String| HeaderName::from_bytes(name.as_bytes()).ok();
        let pairs = |list: &[(String, String)]| {
            list.iter()
                .filter_map(|(key, value)| Some((name(key)?, HeaderValue::from_str(value).ok()?)))
                .collect()
        };
        Self {
            remove: changes.remove.iter().filter_map(name).collect(),
            set: pairs(&changes.set),
            add: pairs(&changes.add),
        }
    }

    /// Makes them: first what is removed, then what is set, then what is added.
    pub fn make(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removes_then_sets_then_adds() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let changes = Changes::of(&HeaderChanges {
            remove: vec!["X-Gone".to_owned(), "x-again".to_owned()],
            set: vec![pair("x-one", "1"), pair("x-again", "set")],
            add: vec![pair("x-one", "2"), pair("x-kept", "more")],
        });
        let mut headers: HeaderMap =
            [("x-gone", "a"), ("x-one", "b"), ("x-again", "c"), ("x-kept", "d"), ("x-other", "e")]
                .into_iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
        changes.make(&mut headers);
        let values = |name: &str| -> Vec<&str> {
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
        };
        assert_eq!(values("x-gone"), [""; 0]);
        assert_eq!((values("x-one"), values("x-again")), (vec!["1", "2"], vec!["set"]));
        assert_eq!((values("x-kept"), values("x-other")), (vec!["d", "more"], vec!["e"]));
    }
}
