//! `/health/…`: how services and nodes are.

use std::sync::Arc;

use coreto_catalog::{State, Status, Subject};

use super::{Answered, filtered};
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::{Desk, TENANT, named};
use crate::render;

pub(crate) async fn service(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    let passing = asked.flag("passing");
    desk.instances(asked, name, |rows| {
        let wanted = rows.iter().filter(|row| {
            (!passing || row.status() == Status::Passing) && row.is_tagged(asked.parameters("tag"))
        });
        wanted.map(|row| row.health(&desk.config.datacenter)).collect()
    })
    .await
}

/// Checks of the instances of a service, without those of their nodes.
pub(crate) async fn checks(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    desk.instances(asked, name, |rows| {
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
    let look = |state: &State| {
        let checks = state.checks_on(&node).map(|(place, entry)| render::check_in(state, place, entry));
        (state.node_index(&node), checks.collect::<Vec<_>>())
    };
    let (seen, checks) = desk.read(asked, &[Subject::Node(node.clone())], look).await?;
    Ok(Answer::read(seen, &filtered(asked, checks)?))
}

pub(crate) async fn state(desk: &Desk, asked: &Asked, word: &str) -> Answered {
    let wanted = match (word, Status::from_name(word)) {
        ("any", _) => None,
        (_, Some(status)) => Some(status),
        (_, None) => {
            let words = "`any`, `passing`, `warning` and `critical` are";
            return Err(Fault::Wrong(format!("there is no state `{word}`; {words}")));
        }
    };
    let find = |state: &State| {
        let all = state.checks.range(..);
        let found = all.filter(|(_, entry)| wanted.is_none_or(|wanted| entry.check.status == wanted));
        let handles = found.map(|(place, entry)| {
            let instance = (place.0, Arc::clone(&place.1), Arc::clone(&entry.check.instance));
            (place.clone(), Arc::clone(entry), state.instances.get(&instance))
        });
        handles.collect::<Vec<_>>()
    };
    let index = |state: &State| state.marks.get().checks;
    desk.answer(asked, &[Subject::Checks(TENANT)], index, find, |found| {
        let told = found.iter().map(|(place, entry, instance)| {
            let tags = instance.as_ref().map_or(&[][..], |found| &found.instance.tags);
            render::check_of(place, entry, tags)
        });
        filtered(asked, told.collect())
    })
    .await
}
