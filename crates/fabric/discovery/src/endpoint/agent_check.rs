//! `/agent/check…`: checks of this node, and how they are told of.

use std::sync::Arc;
use std::time::Instant;

use coreto_catalog::command::{OnNode, RegisterCheck, UpdateCheck};
use coreto_catalog::{Command, Limits, State, Status};
use coreto_machine::{Caller, Channel};
use coreto_partition::Refused;

use super::agent::by_id;
use super::{Answered, Wanted};
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::clocks::Report;
use crate::desk::{Desk, TENANT, named};
use crate::filter::shape;
use crate::read::{self, Fields};
use crate::render::CheckRow;
use crate::writing::{Written, client, submit};

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
    desk.tell(client(), &id.into(), status, note).await?;
    Ok(Answer::empty())
}

pub(crate) async fn update(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    let Some(status) = read::status(&fields, "status")? else {
        return Err(fields.wrong("status", "`passing`, `warning` or `critical`"));
    };
    desk.tell(client(), &id.into(), status, &fields.text("output")?).await?;
    Ok(Answer::empty())
}

/// Why a check is critical of which nobody told.
const LATE: &str = "the TTL has run out: nobody told of it in time";

impl Desk {
    /// Somebody tells how a check of this node is. What the catalog knows is not written again.
    pub(crate) async fn tell(
        &self,
        caller: Caller,
        id: &Arc<str>,
        status: Status,
        output: &str,
    ) -> Result<(), Fault> {
        // More is not kept there either.
        let kept = output.floor_char_boundary(Limits::default().output_bytes_max);
        let output = output[..kept].into();
        let report = Report { id, status, output: &output, own: caller.channel == Channel::Internal };
        let hand_over = || self.hand_over(caller, id, status, &output);
        self.told(id, self.clocks.tell(report, Instant::now(), hand_over)).await
    }

    /// Tells that the time of a check is over, if nobody has told of it meanwhile.
    pub(crate) async fn expire(&self, id: &Arc<str>) -> Result<(), Fault> {
        let late = LATE.into();
        let hand_over = || self.hand_over(Caller::internal(), id, Status::Critical, &late);
        self.told(id, self.clocks.expire(id, &late, Instant::now(), hand_over)).await
    }

    /// Tells an output that is another while the status is the same.
    pub(crate) async fn tell_other(&self, id: &Arc<str>) -> Result<(), Fault> {
        let hand_over = |status, output: &Arc<str>| self.hand_over(Caller::internal(), id, status, output);
        self.told(id, self.clocks.tell_other(id, Instant::now(), hand_over)).await
    }

    fn hand_over(
        &self,
        caller: Caller,
        id: &Arc<str>,
        status: Status,
        output: &Arc<str>,
    ) -> Result<Written, Refused> {
        let (node, id, output) = (Arc::clone(&self.config.node), Arc::clone(id), Arc::clone(output));
        let update = UpdateCheck { tenant: TENANT, node, id, status, output };
        submit(&self.handle, Command::UpdateCheck(update), caller)
    }

    /// What became of what was told, if there was anything to tell.
    async fn told(&self, id: &str, submitted: Option<Result<Written, Refused>>) -> Result<(), Fault> {
        let outcome = match submitted {
            Some(Ok(written)) => written.outcome().await,
            Some(Err(refused)) => Err(Fault::of_refusal(&refused)),
            None => return Ok(()),
        };
        match outcome {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(rejection)) => {
                self.clocks.doubt(id);
                Err(Fault::of_rejection(rejection))
            }
            Err(fault) => {
                self.clocks.doubt(id);
                Err(fault)
            }
        }
    }
}
