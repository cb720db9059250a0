//! Publishing a message.

use std::sync::Arc;

use coreto_machine::{Head, Outcome, Txn};
use coreto_record::command::PublishMessage;
use coreto_record::event::{MessageChanged, MessageIntent};
use coreto_record::{Event, MessageKey, Rejection, RejectionKind, Reply, reply};

use super::{Handled, check_name, quoted};
use crate::engine::Engine;
use crate::keys;
use crate::limits::Limits;
use crate::state::topic_of;
use crate::subscription::correlation;

/// Publishes a message: whoever waits for it gets it, and it is kept for those who come as long as it lives.
pub(crate) fn publish_message(txn: &mut Txn<'_, Engine>, head: &Head, command: &PublishMessage) -> Handled {
    check(command, &txn.env().limits)?;
    let mut message = MessageChanged {
        key: MessageKey::default(),
        to: MessageIntent::Published,
        name: Arc::clone(&command.name),
        correlation_key: Arc::clone(&command.correlation_key),
        id: Arc::clone(&command.id),
        ttl: command.ttl,
        deadline: head.now.plus_millis(command.ttl.max(0)),
        variables: command.variables.clone(),
        tenant: command.tenant,
    };
    let known = (topic_of(&message), Arc::clone(&command.id));
    if !command.id.is_empty() && txn.state().message_ids.contains(&known) {
        return Err(Rejection::new(
            RejectionKind::AlreadyExists,
            format!(
                "a message {} with the id {} is kept already; it can be published again once that has expired",
                quoted(&command.name),
                quoted(&command.id)
            ),
        ));
    }
    message.key = keys::next(txn);
    txn.emit(&Event::Message(message.clone()));
    correlation::spread(txn, head, &message);
    let reply = reply::MessagePublished { key: message.key };
    if command.ttl <= 0 {
        txn.emit(&Event::Message(MessageChanged { to: MessageIntent::Expired, ..message }));
    }
    Ok(Outcome::Now(Reply::MessagePublished(reply)))
}

fn check(command: &PublishMessage, limits: &Limits) -> Result<(), Rejection> {
    if command.name.is_empty() {
        return Err(Rejection::invalid_argument("the message has no name; nobody can wait for it"));
    }
    check_name(limits, "the name of the message", &command.name)?;
    check_name(limits, "the correlation key", &command.correlation_key)?;
    check_name(limits, "the message id", &command.id)
}
