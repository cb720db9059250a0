//! What to do next: something that can be done to what runs.

use crate::action::Action;
use crate::dice::Dice;
use crate::generate::{ERRORS, EVENTS, values};
use crate::model::{Change, Id, Job, Model, On, State};
use crate::spec::At;

/// An action, if the dice find one.
pub(crate) fn action(model: &Model, dice: &mut Dice) -> Option<Action> {
    let all: Vec<Id> = model.nodes.keys().copied().collect();
    let jobs =
        |job: Job| all.iter().copied().filter(|id| model.nodes[id].job == Some(job)).collect::<Vec<_>>();
    match dice.below(28) {
        0..=6 => {
            let task = pick(dice, &jobs(Job::Ready))?;
            Some(Action::Complete(task, values(dice)))
        }
        7 => {
            let task = pick(dice, &jobs(Job::Ready))?;
            let code = dice.pick(&ERRORS);
            Some(Action::Throw(task, code, values(dice)))
        }
        8 => Some(Action::Fail(pick(dice, &jobs(Job::Ready))?, dice.once_in(2), values(dice))),
        9..=12 => aimed(model, dice, &all),
        13 => Some(publish(dice, None)),
        14 => Some(Action::Signal(partition(model, dice), dice.pick(&EVENTS), values(dice))),
        15 | 16 => Some(Action::Pass(1 + i64::try_from(dice.below(4_000)).unwrap())),
        17 => Some(Action::Pass(i64::try_from(dice.below(30_000)).unwrap())),
        18 => Some(Action::Set(pick(dice, &all)?, dice.once_in(2), values(dice))),
        19..=21 => change(model, dice, &all),
        22 => resolve(model, dice, &all),
        23 if !model.is_deployed_again() => Some(Action::Deploy),
        23..=26 => migrate(model, dice),
        _ if dice.once_in(4) => Some(Action::Cancel(pick(dice, &model.roots())?)),
        _ if model.roots().len() < 3 => {
            Some(Action::Create(partition(model, dice), starts(model, dice), values(dice)))
        }
        _ => None,
    }
}

/// Any of the partitions.
pub(crate) fn partition(model: &Model, dice: &mut Dice) -> u32 {
    1 + u32::try_from(dice.below(model.partitions as usize)).unwrap()
}

fn pick(dice: &mut Dice, among: &[Id]) -> Option<Id> {
    (!among.is_empty()).then(|| dice.pick(among))
}

/// A few elements at which an instance begins, or none.
fn starts(model: &Model, dice: &mut Dice) -> Vec<At> {
    let count = dice.below(3);
    (0..count).map(|_| dice.below(model.processes[0].elements.len())).collect()
}

/// What has an incident is tried again; a job that has no attempts left may get some before.
fn resolve(model: &Model, dice: &mut Dice, all: &[Id]) -> Option<Action> {
    let is_stuck = |id: &Id| {
        let node = &model.nodes[id];
        node.state == State::Stuck || matches!(node.job, Some(Job::Held | Job::Spent))
    };
    let stuck: Vec<Id> = all.iter().copied().filter(is_stuck).collect();
    let id = pick(dice, &stuck)?;
    let retries = model.nodes[&id].job == Some(Job::Spent) && !dice.once_in(4);
    Some(if retries { Action::Retry(id) } else { Action::Resolve(id) })
}

/// What somebody waits for.
fn aimed(model: &Model, dice: &mut Dice, all: &[Id]) -> Option<Action> {
    let waits: Vec<On> =
        all.iter().flat_map(|id| &model.nodes[id].waits).map(|wait| wait.on.clone()).collect();
    if waits.is_empty() {
        return None;
    }
    Some(match dice.pick(&waits) {
        On::Timer { due, .. } => Action::Pass((due - model.now).max(0)),
        On::Message { name, key } => publish(dice, Some((name, key))),
        On::Signal(name) => Action::Signal(partition(model, dice), known(&name), values(dice)),
    })
}

/// The same name, one of the few that there are.
fn known(name: &str) -> &'static str {
    EVENTS.into_iter().find(|known| *known == name).expect("there are no other names")
}

fn publish(dice: &mut Dice, aim: Option<(String, String)>) -> Action {
    let (name, key) = if let Some((name, key)) = aim {
        (known(&name), key)
    } else {
        let key = match dice.below(8) {
            0 => String::new(),
            1 => "none".to_owned(),
            number => (number - 2).to_string(),
        };
        (dice.pick(&EVENTS), key)
    };
    let (id, ttl) = (dice.pick(&["", "", "one"]), dice.pick(&[0, 0, 5_000, 60_000]));
    Action::Publish { name, key, id, ttl, values: values(dice) }
}

/// An instance moves to the other version; few events are not mapped.
fn migrate(model: &Model, dice: &mut Dice) -> Option<Action> {
    if !model.is_deployed_again() {
        return None;
    }
    let root = pick(dice, &model.roots())?;
    let events = model.processes[0].events();
    let often = 1 + dice.below(6);
    Some(Action::Migrate(root, events.into_iter().filter(|_| dice.once_in(often * 2)).collect()))
}

/// A change of an instance by hand: a few elements are entered and a few nodes ended.
fn change(model: &Model, dice: &mut Dice, all: &[Id]) -> Option<Action> {
    let root = model.root(pick(dice, all)?);
    let elements = &model.processes[model.nodes[&root].process].elements;
    let inside: Vec<Id> = all.iter().copied().filter(|id| model.root(*id) == root).collect();
    let mut change = Change::default();
    for _ in 0..dice.below(3) {
        let within = dice.once_in(3).then(|| dice.pick(&inside));
        change.enter.push((dice.below(elements.len()), within, values(dice)));
    }
    for _ in 0..dice.below(3) {
        change.end.push(dice.pick(&inside));
    }
    Some(Action::Change(root, change))
}
