//! Keys are issued from the partition's one counter.

use coreto_machine::Txn;
use coreto_record::Key;

use crate::engine::Engine;

/// The next key.
pub(crate) fn next<K: Key>(txn: &mut Txn<'_, Engine>) -> K {
    let counter = txn.next_number();
    K::issue(txn.place().number, counter)
}

/// The next key as a number, for records that are about nothing lasting.
pub(crate) fn next_raw(txn: &mut Txn<'_, Engine>) -> u64 {
    next::<coreto_record::FlowKey>(txn).raw()
}
