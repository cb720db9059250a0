//! What commands do, one file a subject. All reasons to reject come before the first event.

mod check;
mod deregister;
mod entry;
mod instance;
mod node;
mod session;
mod tick;
mod valid;

pub(crate) use check::{register_check, update_check};
pub(crate) use deregister::{clear_node, deregister_check, deregister_instance, deregister_node, reap};
pub(crate) use entry::{delete_entries, delete_entry, put_entry};
pub(crate) use instance::register_instance;
pub(crate) use node::register_node;
pub(crate) use session::{create_session, destroy_session};
pub(crate) use tick::tick;

use coreto_machine::{Head, Outcome, Tenant, Txn};
use coreto_record::{Rejection, RejectionKind};

use crate::catalog::Catalog;
use crate::reply::{Done, Reply};

type Handling<'a> = Txn<'a, Catalog>;
type Handled = Result<Outcome<Catalog>, Rejection>;

/// It is done.
fn done(txn: &Handling<'_>) -> Outcome<Catalog> {
    Outcome::Now(Reply::Done(Done { index: txn.state().index() }))
}

/// Whether the caller may name this tenant at all; what is another's does not exist.
fn visible(head: &Head, tenant: Tenant) -> Result<(), Rejection> {
    if head.caller.sees(tenant) {
        return Ok(());
    }
    Err(Rejection::not_found("there is no such tenant for this caller"))
}

/// There may be no more of something.
fn full(what: &str, count: usize, count_max: usize) -> Result<(), Rejection> {
    if count < count_max {
        return Ok(());
    }
    let reason = format!("there are {count} {what}, which is as many as there may be; remove some first");
    Err(Rejection::new(RejectionKind::Forbidden, reason))
}
