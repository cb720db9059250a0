//! The machine: which handler takes which command.

use coreto_machine::{Admission, Caller, Fault, Handled, Head, Machine, Outcome, Timestamp, Topic, Txn};
use coreto_record::Rejection;

use crate::command::Command;
use crate::env::Env;
use crate::event::Event;
use crate::query::{self, Answer, Query};
use crate::reply::Reply;
use crate::state::State;
use crate::{apply, handler, topic};

/// The catalog.
#[derive(Debug)]
pub struct Catalog;

impl Machine for Catalog {
    type State = State;
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    /// Whoever waits looks at the state again.
    type Effect = ();
    type Query = Query;
    type Answer = Answer;
    type Env = Env;

    fn handle(txn: &mut Txn<'_, Self>, head: &Head, command: &Command) -> Result<Outcome<Self>, Rejection> {
        match command {
            Command::RegisterNode(command) => handler::register_node(txn, head, command),
            Command::DeregisterNode(command) => handler::deregister_node(txn, head, command),
            Command::ClearNode(command) => Ok(handler::clear_node(txn, command)),
            Command::RegisterInstance(command) => handler::register_instance(txn, head, command),
            Command::DeregisterInstance(command) => handler::deregister_instance(txn, head, command),
            Command::RegisterCheck(command) => handler::register_check(txn, head, command),
            Command::DeregisterCheck(command) => handler::deregister_check(txn, head, command),
            Command::UpdateCheck(command) => handler::update_check(txn, head, command),
            Command::Reap(command) => handler::reap(txn, head, command),
            Command::PutEntry(command) => handler::put_entry(txn, head, command),
            Command::DeleteEntry(command) => handler::delete_entry(txn, head, command),
            Command::DeleteEntries(command) => handler::delete_entries(txn, head, command),
            Command::CreateSession(command) => handler::create_session(txn, head, command),
            Command::DestroySession(command) => handler::destroy_session(txn, head, command),
            Command::Tick(()) => Ok(handler::tick(txn, head)),
        }
    }

    fn fault(
        _txn: &mut Txn<'_, Self>,
        _head: &Head,
        _command: &Command,
        fault: &Fault,
    ) -> Result<Outcome<Self>, Rejection> {
        // What ends sessions and clears nodes is bounded and fits; a command of the program that fails nevertheless is
        // on record with its reason.
        Err(Self::refuse(fault))
    }

    fn refuse(fault: &Fault) -> Rejection {
        Rejection::of_fault("catalog", fault)
    }

    fn apply(state: &mut State, event: &Event) {
        apply::apply(state, event);
    }

    fn query(state: &State, caller: &Caller, query: &Query) -> Answer {
        query::answer(state, caller, query)
    }

    fn due(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(until, _)| *until)
    }

    fn tick() -> Command {
        Command::Tick(())
    }

    fn owed(_state: &State) -> Vec<()> {
        Vec::new()
    }

    fn touched(event: &Event, wake: &mut dyn FnMut(Topic)) {
        topic::touched(event, wake);
    }

    fn describe(command: &Command) -> Handled {
        let (value_type, intent) = command.describe();
        Handled { value_type, intent, key: 0 }
    }

    fn admission(command: &Command) -> Admission {
        match command {
            Command::RegisterNode(_)
            | Command::RegisterInstance(_)
            | Command::RegisterCheck(_)
            | Command::PutEntry(_)
            | Command::CreateSession(_) => Admission::NewWork,
            Command::DeregisterNode(_)
            | Command::DeregisterInstance(_)
            | Command::DeregisterCheck(_)
            | Command::UpdateCheck(_)
            | Command::DeleteEntry(_)
            | Command::DeleteEntries(_)
            | Command::DestroySession(_) => Admission::Ongoing,
            Command::Reap(_) | Command::ClearNode(_) | Command::Tick(()) => Admission::Internal,
        }
    }

    fn weight(command: &Command) -> usize {
        command.weight()
    }

    fn abridge(command: &Command, bytes: usize) -> Command {
        command.abridged(bytes)
    }
}
