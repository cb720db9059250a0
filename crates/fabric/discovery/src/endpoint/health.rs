//! `/health/…`: how services and nodes are.

use coreto_catalog::{State, Status, Subject};

use super::{Answered, Wanted};
use crate::answer::Fault;
use crate::asked::Asked;
use crate::desk::{Desk, TENANT, named};
use crate::filter::shape;
use crate::render::{self, CheckRow};

pub(crate) async fn service(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    let passing = asked.flag("passing")?;
    desk.instances(asked, name, &shape::HEALTH, |rows| {
        let wanted = rows.iter().filter(|row| {
            (!passing || row.status() == Status::Passing) && row.is_tagged(asked.parameters("tag"))
        });
        wanted.map(|row| row.health(&desk.config.datacenter)).collect()
    })
    .await
}

/// Checks of the instances of a service, without those of their nodes.
pub(crate) async fn checks(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    desk.instances(asked, name, &shape::CHECK, |rows| {
        let mut told = Vec::new();
        for row in rows {
            let own = row.checks.iter().filter(|(_, entry)| !entry.check.instance.is_empty());
            told.extend(own.map(|(place, entry)| render::check_of(place, entry, &row.entry.instance.tags)));
        }
        told
    })
    .await
}

pub(crate) async fn node(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    let node = named(name);
    let index = |state: &State| state.node_index(&node);
    desk.checks(asked, &[Subject::Node(node.clone())], index, |state| {
        state.checks_on(&node).map(|found| CheckRow::of(state, found)).collect()
    })
    .await
}

pub(crate) async fn state(desk: &Desk, asked: &Asked, word: &str) -> Answered {
    let status = match (word, Status::from_name(word)) {
        ("any", _) => None,
        (_, Some(status)) => Some(status),
        (_, None) => {
            let words = "`any`, `passing`, `warning` and `critical` are";
            return Err(Fault::Wrong(format!("there is no state `{word}`; {words}")));
        }
    };
    // Each row has the tags of its instance, too.
    let index = |state: &State| state.marks.get().checks.max(state.marks.get().services);
    desk.checks(asked, &[Subject::Checks(TENANT), Subject::Services(TENANT)], index, |state| {
        let all = state.checks.range(..);
        let found = all.filter(|(_, entry)| status.is_none_or(|status| entry.check.status == status));
        found.map(|found| CheckRow::of(state, found)).collect()
    })
    .await
}

impl Desk {
    async fn checks(
        &self,
        asked: &Asked,
        subjects: &[Subject],
        index: impl Fn(&State) -> u64,
        find: impl Fn(&State) -> Vec<CheckRow>,
    ) -> Answered {
        let wanted = Wanted::of(asked, &shape::CHECK)?;
        let render = |found: Vec<CheckRow>| wanted.among(found.iter().map(CheckRow::told));
        self.answer(asked, subjects, index, find, render).await
    }
}
