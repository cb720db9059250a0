//! One way through all keys, for those who read them and those who write them.

use crate::value::{Size, Value};

/// A table of the file. Every key is said once, in `keys/`, by calls of these in the order of the reference.
pub(crate) trait Keys: Sized {
    /// Whether values go from the model into a text, not from a text into the model.
    fn writes(&self) -> bool;

    /// A key that has a value, also when it is not written.
    fn value<V: Value>(&mut self, key: &'static str, slot: &mut V);

    /// A key that may have none.
    fn optional<V: Value>(&mut self, key: &'static str, slot: &mut Option<V>);

    /// Several values.
    fn list<V: Value>(&mut self, key: &'static str, slot: &mut Vec<V>);

    /// Values that have a longer form elsewhere, in which they are written.
    fn short_list<V: Value>(&mut self, key: &'static str) -> Vec<V>;

    /// At most one of several keys.
    fn one_of(
        &mut self,
        keys: &[&'static str],
        now: Option<(&'static str, String)>,
    ) -> Option<(&'static str, String)>;

    /// Names of the writer's own choice, each with a value.
    fn pairs(&mut self, key: &'static str, slot: &mut Vec<(String, String)>);

    /// A table whose keys have their defaults when it is not there.
    fn table(&mut self, key: &'static str, each: impl FnOnce(&mut Self));

    /// A table that turns something on: `true` takes all defaults, `false` turns off what is on by default.
    fn switch<T: Default>(&mut self, key: &'static str, slot: &mut Option<T>, each: fn(&mut Self, &mut T));

    /// Several tables.
    fn tables<T: Default>(&mut self, key: &'static str, slot: &mut Vec<T>, each: fn(&mut Self, &mut T));

    /// Notes what is wrong with a key.
    fn fault(&mut self, key: &'static str, message: &str);

    /// A number of bytes.
    fn size(&mut self, key: &'static str, slot: &mut u64) {
        let mut size = Size(*slot);
        self.value(key, &mut size);
        *slot = size.0;
    }
}
