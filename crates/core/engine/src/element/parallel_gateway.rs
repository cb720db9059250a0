//! Parallel gateways: all ways at once. Whether all tokens have come is asked before one is entered.

use coreto_machine::Txn;

use super::{Visit, pass_at_once};
use crate::engine::Engine;

pub(super) fn activate(txn: &mut Txn<'_, Engine>, visit: &Visit) {
    pass_at_once(txn, visit, &visit.element().outgoing);
}
