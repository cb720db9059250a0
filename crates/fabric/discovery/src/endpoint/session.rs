//! `/session/…`: who may hold keys, and for how long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coreto_catalog::command::{CreateSession, DestroySession};
use coreto_catalog::{Command, Reply, SessionEntry, State, Subject};
use serde_json::{Value, json};

use super::Answered;
use crate::answer::{Answer, Fault};
use crate::asked::{Asked, Mode};
use crate::clocks::Renewal;
use crate::desk::{Desk, TENANT, named};
use crate::read::{self, Fields};
use crate::render;

pub(crate) async fn create(desk: &Desk, asked: &Asked) -> Answered {
    let map = read::object(&asked.body)?;
    let session = read::session(&Fields::of(&map), &desk.config.node)?;
    let ttl = Duration::from_millis(session.ttl_ms);
    let created = desk.write(Command::CreateSession(CreateSession { tenant: TENANT, session })).await;
    // A node or a check that it names and that is not there is wrong with the request: the path is.
    match created.map_err(Fault::not_missing)? {
        Reply::SessionCreated(created) => {
            desk.clocks.watch_session(&created.id, ttl, Instant::now());
            Ok(Answer::json(&json!({ "ID": &*created.id })))
        }
        Reply::Done(_) => Err(Fault::Unavailable("the catalog gave another answer".to_owned())),
    }
}

pub(crate) async fn destroy(desk: &Desk, id: &str) -> Answered {
    desk.write(Command::DestroySession(DestroySession { tenant: TENANT, id: id.into() })).await?;
    desk.clocks.forget_session(id);
    Ok(Answer::json(&Value::Bool(true)))
}

/// Begins a session's time anew. One whose time is over is told to be gone, though it may still be seen for a moment.
pub(crate) async fn renew(desk: &Desk, id: &str) -> Answered {
    let missing = || Fault::Missing(format!("there is no session `{id}`"));
    let name = named(id);
    let look = |state: &State| (0, state.sessions.get(&name));
    let (_, found) = desk.read_until(Mode::Default, None, &[], look, |_, _| true).await?;
    let entry = found.ok_or_else(missing)?;
    let now = Instant::now();
    match desk.clocks.renew_session(id, now) {
        Renewal::Renewed => (),
        Renewal::Over => return Err(missing()),
        Renewal::Unknown => {
            desk.clocks.watch_session(&id.into(), Duration::from_millis(entry.session.ttl_ms), now);
        }
    }
    Ok(Answer::json(&json!([render::session(id, &entry)])))
}

pub(crate) async fn info(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let name = named(id);
    desk.sessions(asked, |state| Vec::from_iter(state.sessions.get(&name).map(|entry| (id.into(), entry))))
        .await
}

pub(crate) async fn list(desk: &Desk, asked: &Asked) -> Answered {
    desk.sessions(asked, |state| all(state, |_| true)).await
}

pub(crate) async fn on_node(desk: &Desk, asked: &Asked, node: &str) -> Answered {
    desk.sessions(asked, |state| all(state, |entry| &*entry.session.node == node)).await
}

type Found = Vec<(Arc<str>, Arc<SessionEntry>)>;

fn all(state: &State, wanted: impl Fn(&SessionEntry) -> bool) -> Found {
    let wanted = state.sessions.range(..).filter(|(_, entry)| wanted(entry));
    wanted.map(|((_, id), entry)| (Arc::clone(id), Arc::clone(entry))).collect()
}

impl Desk {
    async fn sessions(&self, asked: &Asked, find: impl Fn(&State) -> Found) -> Answered {
        let index = |state: &State| state.marks.get().sessions;
        self.answer(asked, &[Subject::Sessions(TENANT)], index, find, |found| {
            found.iter().map(|(id, entry)| render::session(id, entry)).collect()
        })
        .await
    }
}
