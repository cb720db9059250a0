//! `/kv/…`: keys.

use std::sync::Arc;

use coreto_catalog::command::{DeleteEntries, DeleteEntry, PutEntry};
use coreto_catalog::{Command, Entry, State, Subject};
use coreto_record::RejectionKind;
use serde_json::Value;

use super::Answered;
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::{Desk, TENANT, named};
use crate::render;

pub(crate) async fn put(desk: &Desk, asked: &Asked, key: &str) -> Answered {
    one_of(asked, &["cas", "acquire", "release"])?;
    let session = |name: &str| match asked.parameter(name) {
        Some("") => Err(Fault::Wrong(format!("`{name}` is to be the identifier of a session"))),
        given => Ok(given.map(Into::into)),
    };
    let command = PutEntry {
        tenant: TENANT,
        key: key.into(),
        value: (&*asked.body).into(),
        flags: asked.given_number("flags")?.unwrap_or(0),
        cas: asked.given_number("cas")?,
        acquire: session("acquire")?,
        release: session("release")?,
    };
    // It is the session that is missing, and no key.
    desk.try_to(Command::PutEntry(command)).await.map_err(Fault::not_missing)
}

/// Refuses parameters together of which each says under which condition something is done.
fn one_of(asked: &Asked, names: &[&str]) -> Result<(), Fault> {
    let given: Vec<&str> = names.iter().copied().filter(|name| asked.parameter(name).is_some()).collect();
    match given[..] {
        [one, other, ..] => Err(Fault::Wrong(format!("`{one}` and `{other}` are given; give one of them"))),
        _ => Ok(()),
    }
}

pub(crate) async fn delete(desk: &Desk, asked: &Asked, key: &str) -> Answered {
    one_of(asked, &["cas", "recurse"])?;
    let command = if asked.flag("recurse")? {
        Command::DeleteEntries(DeleteEntries { tenant: TENANT, prefix: key.into(), until: 0 })
    } else {
        if key.is_empty() {
            return Err(Fault::Wrong("the key is missing".to_owned()));
        }
        Command::DeleteEntry(DeleteEntry { tenant: TENANT, key: key.into(), cas: asked.given_number("cas")? })
    };
    desk.try_to(command).await
}

pub(crate) async fn get(desk: &Desk, asked: &Asked, key: &str) -> Answered {
    if asked.flag("keys")? {
        let separator = asked.parameter("separator").unwrap_or_default();
        return desk
            .below(asked, key, |found| {
                distinct(found.iter().map(|(name, _)| up_to(name, key.len(), separator)))
            })
            .await;
    }
    if asked.flag("recurse")? {
        let told = |found: Found| found.iter().map(|(name, entry)| render::entry(name, entry)).collect();
        return desk.below(asked, key, told).await;
    }
    if key.is_empty() {
        return Err(Fault::Wrong("the key is missing".to_owned()));
    }
    let name = named(key);
    let look = |state: &State| (state.entry_index(&name), state.entries.get(&name));
    let (seen, found) = desk.read(asked, &[Subject::Entry(name.clone())], look).await?;
    let entry = found.ok_or(Fault::Nothing(seen))?;
    if asked.flag("raw")? {
        return Ok(Answer::raw(seen, entry.value.to_vec().into()));
    }
    Ok(Answer::read(seen, &Value::Array(vec![render::entry(key, &entry)])))
}

/// A key up to and with the first separator behind a prefix.
fn up_to<'a>(key: &'a str, prefix: usize, separator: &str) -> &'a str {
    let rest = key.get(prefix..).unwrap_or_default();
    match rest.find(separator) {
        Some(at) if !separator.is_empty() => &key[..prefix + at + separator.len()],
        _ => key,
    }
}

/// Names in order, each once.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    let mut last = None;
    names.filter(|name| last.replace(*name) != Some(*name)).map(Value::from).collect()
}

type Found = Vec<(Arc<str>, Arc<Entry>)>;

impl Desk {
    /// What is told of keys that begin with a text, as a list; nothing, when there are none.
    async fn below(&self, asked: &Asked, prefix: &str, told: impl FnOnce(Found) -> Value) -> Answered {
        let prefix = named(prefix);
        let index = |state: &State| {
            let last = state.entries_below(&prefix).map(|(_, entry)| entry.stamp.modify).max();
            last.unwrap_or(0).max(state.marks.get().entry_gone)
        };
        let find = |state: &State| {
            let found = state.entries_below(&prefix);
            found.map(|((_, key), entry)| (Arc::clone(key), Arc::clone(entry))).collect()
        };
        let subjects = [Subject::Below(prefix.clone())];
        let answer = self.answer(asked, &subjects, index, find, told).await?;
        match answer.seen.filter(|_| *answer.body == *b"[]") {
            Some(seen) => Err(Fault::Nothing(seen)),
            None => Ok(answer),
        }
    }

    /// Has a command carried out that answers `true`, or `false` when the key is not as the client thinks.
    async fn try_to(&self, command: Command) -> Answered {
        let done = match self.try_write(command).await? {
            Ok(_) => true,
            Err(rejection) if rejection.kind == RejectionKind::InvalidState => false,
            Err(rejection) => return Err(Fault::of_rejection(rejection)),
        };
        Ok(Answer::json(&Value::Bool(done)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_at_the_first_separator_behind_the_prefix() {
        let keys = ["a/b", "a/c/d", "a/c/e", "a/f"];
        let told = |prefix: usize, separator| distinct(keys.iter().map(|key| up_to(key, prefix, separator)));
        assert_eq!(told(2, "/"), serde_json::json!(["a/b", "a/c/", "a/f"]));
        assert_eq!(told(0, "/"), serde_json::json!(["a/"]));
        assert_eq!(told(0, ""), serde_json::json!(keys));
    }
}
