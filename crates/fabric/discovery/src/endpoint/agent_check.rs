//! `/agent/check…`: checks of this node, and how they are told of.

use std::sync::Arc;
use std::time::Instant;

use coreto_catalog::command::{OnNode, RegisterCheck, UpdateCheck};
use coreto_catalog::{Command, State, Status};

use super::agent::by_id;
use super::{Answered, Wanted};
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::{Desk, TENANT, named};
use crate::filter::shape;
use crate::read::{self, Fields};
use crate::render::CheckRow;
use crate::writing::{client, submit};

pub(crate) async fn checks(desk: &Desk, asked: &Asked) -> Answered {
    let (node, wanted) = (named(&desk.config.node), Wanted::of(asked, &shape::CHECK)?);
    let look = |state: &State| {
        (0, state.checks_on(&node).map(|found| CheckRow::of(state, found)).collect::<Vec<_>>())
    };
    let (_, checks) = desk.read_until(asked.mode()?, None, &[], look, |_, _| true).await?;
    Ok(Answer::json(&by_id(wanted.among(checks.iter().map(CheckRow::told)), "CheckID")))
}

pub(crate) async fn register(desk: &Desk, asked: &Asked) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    let name = fields.text("name")?;
    if name.is_empty() {
        return Err(fields.wrong("name", "the name of the check"));
    }
    let check = read::check(&fields, &name, &name, false)?;
    let id = Arc::clone(&check.id);
    let node = Arc::clone(&desk.config.node);
    desk.write(Command::RegisterCheck(RegisterCheck { tenant: TENANT, node, check })).await?;
    desk.watch_checks(&[id]).await;
    Ok(Answer::empty())
}

pub(crate) async fn deregister(desk: &Desk, id: &str) -> Answered {
    let node = Arc::clone(&desk.config.node);
    desk.write(Command::DeregisterCheck(OnNode { tenant: TENANT, node, id: id.into() })).await?;
    desk.clocks.forget_check(id);
    Ok(Answer::empty())
}

/// `pass`, `warn` and `fail`.
pub(crate) async fn tell(desk: &Desk, asked: &Asked, id: &str, status: Status) -> Answered {
    let note = asked.parameter("note").unwrap_or_default();
    desk.tell(&id.into(), status, &note.into()).await?;
    Ok(Answer::empty())
}

pub(crate) async fn update(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    let Some(status) = read::status(&fields, "status")? else {
        return Err(fields.wrong("status", "`passing`, `warning` or `critical`"));
    };
    desk.tell(&id.into(), status, &fields.text("output")?).await?;
    Ok(Answer::empty())
}

impl Desk {
    /// Somebody tells how a check of this node is. What the catalog knows is not written again.
    pub(crate) async fn tell(&self, id: &Arc<str>, status: Status, output: &Arc<str>) -> Result<(), Fault> {
        let update = UpdateCheck {
            tenant: TENANT,
            node: Arc::clone(&self.config.node),
            id: Arc::clone(id),
            status,
            output: Arc::clone(output),
        };
        let hand_over = || submit(&self.handle, Command::UpdateCheck(update), client());
        let Some(submitted) = self.clocks.tell(id, status, output, Instant::now(), hand_over) else {
            return Ok(());
        };
        let outcome = match submitted {
            Ok(written) => written.outcome().await,
            Err(refused) => Err(Fault::of_refusal(&refused)),
        };
        match outcome {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(rejection)) => {
                self.clocks.forget_check(id);
                Err(Fault::of_rejection(rejection))
            }
            Err(fault) => {
                self.clocks.doubt(id);
                Err(fault)
            }
        }
    }
}
