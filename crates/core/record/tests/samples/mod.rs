//! A value of each variant in which every field is set.

mod command;
mod decision;
mod deletion;
mod distribution;
mod event;
mod migration;
mod reply;
mod subscription;

use coreto_machine::Timestamp;
use coreto_record::{Document, Key, Rejection, RejectionKind};

pub(crate) use command::commands;
pub(crate) use event::events;
pub(crate) use reply::replies;

/// One rejection of each kind.
pub(crate) fn rejections() -> Vec<(&'static str, Rejection)> {
    use RejectionKind as Kind;
    let kinds = [
        Kind::InvalidArgument,
        Kind::NotFound,
        Kind::AlreadyExists,
        Kind::InvalidState,
        Kind::ProcessingError,
        Kind::ExceededBatchRecordSize,
        Kind::Unauthorized,
        Kind::Forbidden,
    ];
    kinds.into_iter().map(|kind| (kind.name(), Rejection::new(kind, "no job 7 “is” there"))).collect()
}

/// A key as the first partition issues it.
fn key<K: Key>(counter: u64) -> K {
    K::issue(1, counter)
}

/// A key as a late partition issues it after long work.
fn late<K: Key>() -> K {
    K::issue(8191, (1 << 51) - 1)
}

fn document() -> Document {
    Document::parse(r#"{"order":7,"lines":[{"n":1.50}],"ä":null}"#).unwrap()
}

const fn time() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_123)
}
