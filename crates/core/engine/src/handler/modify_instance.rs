//! Changing what runs in an instance: elements are entered, and element instances ended, by hand.

mod ending;

use std::collections::BTreeSet;

use coreto_machine::{Head, Txn};
use coreto_record::command::{Activation, ModifyInstance, TerminateElement};
use coreto_record::{Command, Event};

use super::by_hand::{self, Known, Place, place};
use super::{Handled, done, process, running};
use crate::engine::Engine;
use crate::state::State;

/// Enters elements, with the scopes around them that are missing, and ends element instances, with the scopes in which
/// nothing is left. All or nothing: what is wrong is found before anything is done.
pub(crate) fn modify_instance(txn: &mut Txn<'_, Engine>, head: &Head, command: &ModifyInstance) -> Handled {
    let root = running(txn.state(), head, command.instance)?;
    let process = process(txn.state(), root.definition)?;
    let mut known = Known::default();
    let find = |state: &State, known: &mut Known, activation: &Activation| {
        place::find(state, known, &process, command.instance, activation)
    };
    let places: Vec<Place> = command
        .activate
        .iter()
        .map(|activation| find(txn.state(), &mut known, activation))
        .collect::<Result<_, _>>()?;
    let needed: BTreeSet<_> =
        places.iter().flat_map(|place| place::around(txn.state(), place.scope)).collect();
    let ends = ending::find(txn.state(), &root, command, &needed)?;
    for (activation, place) in command.activate.iter().zip(places) {
        // Scopes that were missing may have come with an earlier activation, also more than once.
        let place = find(txn.state(), &mut known, activation).unwrap_or(place);
        by_hand::activate(txn, head, &process, activation, &mut known, &place)?;
    }
    for key in ends {
        txn.follow_up(Command::TerminateElement(TerminateElement { key }));
    }
    txn.emit(&Event::InstanceModified(command.clone()));
    done()
}
