//! Moving a running instance to another definition, with all that is active in it.
//!
//! `plan.rs` where elements go · `check.rs` what may go there · `waits.rs` what becomes of what it waits for.

mod check;
mod plan;
mod waits;

use std::sync::Arc;

use coreto_machine::{Head, Txn};
use coreto_record::command::MigrateInstance;
use coreto_record::event::{
    ElementChanged, ElementMigrated, IncidentRecord, JobChanged, JobIntent, VariableSet,
};
use coreto_record::{ElementInstanceKey, Event, ProcessInstanceKey, Rejection};

use self::plan::Plan;
use self::waits::Waits;
use super::{Handled, after_instance, done, running};
use crate::element::Visit;
use crate::engine::Engine;
use crate::state::{ElementInstance, JobState, State};
use crate::{subscription, variables};

/// Moves an instance to another definition: each active element instance becomes one of the element that its own is
/// mapped to, with its key, job, variables and incidents. All or nothing: what is wrong is found before anything is done.
pub(crate) fn migrate_instance(txn: &mut Txn<'_, Engine>, head: &Head, command: &MigrateInstance) -> Handled {
    let root = running(txn.state(), head, command.instance)?;
    let plan = Plan::read(txn.state(), head, &root, command)?;
    let keys = inside(txn.state(), command.instance);
    let moves =
        keys.into_iter().map(|key| Move::find(txn, head, &plan, key)).collect::<Result<Vec<_>, _>>()?;
    for it in &moves {
        it.carry_out(txn);
    }
    for it in &moves {
        tell_called(txn, &it.visit);
    }
    txn.emit(&Event::InstanceMigrated(command.clone()));
    after_instance(txn, root.definition);
    done()
}

/// All active element instances of a process instance, what is around first.
fn inside(state: &State, instance: ProcessInstanceKey) -> Vec<ElementInstanceKey> {
    let mut keys = vec![ElementInstanceKey::from(instance)];
    let mut at = 0;
    // Bound: each element instance comes once.
    while let Some(&scope) = keys.get(at) {
        let is_inside = |key: &ElementInstanceKey| {
            state.elements.peek(key).is_some_and(|child| child.instance == instance)
        };
        keys.extend(state.children_from(scope, ElementInstanceKey::default()).filter(is_inside));
        at += 1;
    }
    keys
}

/// One element instance that moves.
struct Move {
    before: Arc<ElementInstance>,
    /// What it is then.
    visit: Visit,
    waits: Waits,
}

impl Move {
    fn find(
        txn: &mut Txn<'_, Engine>,
        head: &Head,
        plan: &Plan,
        key: ElementInstanceKey,
    ) -> Result<Self, Rejection> {
        let before = txn.state().elements.get(&key).unwrap_or_default();
        let then = check::fits(txn.state(), plan, key, &before)?;
        let visit = Visit { key, instance: Arc::new(then), process: Arc::clone(&plan.target) };
        let waits = waits::find(txn, head, plan, &before, &visit)?;
        Ok(Self { before, visit, waits })
    }

    fn carry_out(&self, txn: &mut Txn<'_, Engine>) {
        let then = &self.visit.instance;
        let moved = then.becomes(self.visit.key, then.state);
        let interrupted_by = then.interrupted_by;
        txn.emit(&Event::ElementMigrated(ElementMigrated { element: moved, interrupted_by }));
        self.carry_job(txn);
        self.carry_incidents(txn);
        self.carry_variables(txn);
        let goes = |event| self.waits.goes(event);
        subscription::close_those(txn, self.visit.key, &|event| goes(event).is_none());
        subscription::migrate(txn, &self.visit, &goes);
        subscription::begin(txn, &self.visit, self.waits.opened.clone());
    }

    fn carry_job(&self, txn: &mut Txn<'_, Engine>) {
        let Some(job) = txn.state().jobs.get(&self.before.job) else { return };
        txn.emit(&Event::Job(JobChanged {
            element: self.visit.instance.element,
            definition: self.visit.instance.definition,
            recurs_at: (job.state == JobState::BackingOff).then_some(job.until),
            ..job.becomes(self.before.job, JobIntent::Migrated)
        }));
    }

    fn carry_incidents(&self, txn: &mut Txn<'_, Engine>) {
        let incidents: Vec<_> = txn.state().incidents_at(self.visit.key).collect();
        for key in incidents {
            let Some(incident) = txn.state().incidents.get(&key) else { continue };
            txn.emit(&Event::IncidentMigrated(IncidentRecord {
                element: self.visit.instance.element,
                definition: self.visit.instance.definition,
                ..IncidentRecord::clone(&incident)
            }));
        }
    }

    fn carry_variables(&self, txn: &mut Txn<'_, Engine>) {
        let ElementInstance { instance, definition, tenant, .. } = *self.visit.instance;
        let scope = self.visit.key;
        let all: Vec<_> = variables::all_local(txn.state(), scope)
            .map(|(name, variable)| VariableSet {
                key: variable.key,
                scope,
                name: Arc::clone(name),
                value: Arc::clone(&variable.value),
                instance,
                definition,
                tenant,
            })
            .collect();
        for variable in all {
            txn.emit(&Event::VariableMigrated(variable));
        }
    }
}

/// Records of what an element instance has called name its definition: so they do from now on, however deep the calls.
fn tell_called(txn: &mut Txn<'_, Engine>, caller: &Visit) {
    let is_called = |child: &ElementInstance| child.is_root() && child.parent() == caller.key;
    let state = txn.state();
    let all = state.children_from(caller.key, ElementInstanceKey::default());
    let mut below: Vec<_> =
        all.filter(|key| state.elements.peek(key).is_some_and(|child| is_called(child))).collect();
    let mut at = 0;
    // Bound: each element instance comes once.
    while let Some(&key) = below.get(at) {
        below.extend(txn.state().children_from(key, ElementInstanceKey::default()));
        at += 1;
        let Some(instance) = txn.state().elements.get(&key) else { continue };
        let element = ElementChanged {
            lineage: instance.lineage.moved(caller.key, caller.instance.definition, caller.instance.element),
            ..instance.becomes(key, instance.state)
        };
        let interrupted_by = instance.interrupted_by;
        txn.emit(&Event::AncestorMigrated(ElementMigrated { element, interrupted_by }));
    }
}
