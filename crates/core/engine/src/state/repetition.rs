//! Activities that are repeated: their items, and how far they are.

use std::sync::{Arc, OnceLock};

use coreto_machine::{Codec, DecodeError};
use coreto_record::{ElementInstanceKey, document};

use super::State;

coreto_machine::message! {
    /// How far the repetitions of an activity are.
    pub(crate) struct Loop {
        /// How many items there are.
        1 => pub(crate) total: u32,
        /// How many repetitions were entered.
        2 => pub(crate) entered: u32,
        /// How many of these have completed.
        3 => pub(crate) completed: u32,
    }
}

/// The items of a collection, as it was when the loop began.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    list: Arc<str>,
    /// Where each begins and ends, found at first use.
    places: OnceLock<Arc<[(u32, u32)]>>,
}

impl Items {
    pub(crate) const fn new(list: Arc<str>) -> Self {
        Self { list, places: OnceLock::new() }
    }

    /// The item with this number, from 1, as JSON text.
    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        let places = self.places.get_or_init(|| places(&self.list));
        let (start, end) = places.get(number.checked_sub(1)? as usize)?;
        self.list.get(*start as usize..*end as usize)
    }
}

fn places(list: &str) -> Arc<[(u32, u32)]> {
    let short = |at: usize| u32::try_from(at).expect("a collection fits into one batch of the log");
    let mut at = 1;
    document::items(list)
        .map(|item| {
            let place = (short(at), short(at + item.len()));
            at += item.len() + 1;
            place
        })
        .collect()
}

impl Codec for Items {
    fn encode(&self, out: &mut Vec<u8>) {
        self.list.encode(out);
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        <Arc<str>>::decode(bytes).map(Self::new)
    }
}

coreto_machine::message! {
    /// The result of one repetition.
    pub(crate) struct LoopOutput {
        /// As JSON text.
        1 => pub(crate) value: Arc<str>,
    }
}

impl State {
    /// The results of so many repetitions, null for each that gave none.
    pub(crate) fn outputs_of(&self, key: ElementInstanceKey, total: u32) -> impl Iterator<Item = &str> {
        let mut given = self.outputs.scan(&(key, 0), move |(of, _)| *of == key).peekable();
        (1..=total).map(move |number| match given.next_if(|((_, at), _)| *at == number) {
            Some((_, output)) => &*output.value,
            None => "null",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_items_by_number() {
        let items = Items::new(r#"[1,"a,b",[2,3]]"#.into());
        let found: Vec<_> = (0..5).map(|number| items.get(number)).collect();
        assert_eq!(found, [None, Some("1"), Some(r#""a,b""#), Some("[2,3]"), None]);
    }
}
