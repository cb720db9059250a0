//! `/agent/service…`: services of this node.

use std::sync::Arc;
use std::time::Instant;

use coreto_catalog::command::{OnNode, RegisterCheck, RegisterInstance, UpdateCheck};
use coreto_catalog::{
    Check, CheckKind, Command, Definition, Instance, InstanceEntry, State, Status, Subject,
};
use serde_json::{Map, Value};

use super::{Answered, Wanted};
use crate::answer::{Answer, Fault};
use crate::asked::{Asked, Mode};
use crate::desk::{Desk, TENANT, named};
use crate::filter::shape;
use crate::probe::First;
use crate::read::{self, Fields, MAINTENANCE_CHECK};
use crate::render;
use crate::server::internally;

pub(crate) async fn register(desk: &Desk, asked: &Asked) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    let instance = read::service(&fields, "name")?;
    let checks = checks(&fields, &instance)?;
    let command = RegisterInstance {
        tenant: TENANT,
        node: Arc::clone(&desk.config.node),
        instance,
        checks,
        replace_checks: asked.flag("replace-existing-checks")?,
    };
    let ids: Vec<Arc<str>> = command.checks.iter().map(|check| Arc::clone(&check.id)).collect();
    desk.write(Command::RegisterInstance(command)).await?;
    desk.watch_checks(&ids).await;
    Ok(Answer::empty())
}

/// The checks of a service: one, several, or both. Clients know the identifiers that those get which have none.
pub(crate) fn checks(fields: &Fields<'_>, instance: &Instance) -> Result<Vec<Check>, Fault> {
    let (one, more) = (fields.object("check")?, fields.objects("checks")?);
    let all: Vec<Fields<'_>> = one.into_iter().chain(more).collect();
    let several = all.len() > 1;
    let check = |(number, fields): (usize, &Fields<'_>)| {
        let of = format!("service:{}", instance.id);
        let id = if several { format!("{of}:{}", number + 1) } else { of };
        read::check(fields, &id, &format!("Service '{}' check", instance.service), false)
    };
    all.iter().enumerate().map(check).collect()
}

pub(crate) async fn deregister(desk: &Desk, id: &str) -> Answered {
    desk.deregister(id).await?;
    Ok(Answer::empty())
}

pub(crate) async fn maintain(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let node = Arc::clone(&desk.config.node);
    let check: Arc<str> = format!("{MAINTENANCE_CHECK}{id}").into();
    match asked.parameter("enable") {
        Some("true" | "1" | "") => {
            let reason = asked.parameter("reason").unwrap_or_default();
            let check = Check {
                id: check,
                name: "Service Maintenance Mode".into(),
                notes: reason.into(),
                instance: id.into(),
                status: Status::Critical,
                output: reason.into(),
                definition: Definition { kind: CheckKind::Maintenance, ..Definition::default() },
            };
            let (id, output) = (Arc::clone(&check.id), Arc::clone(&check.output));
            let register = RegisterCheck { tenant: TENANT, node: Arc::clone(&node), check };
            desk.write(Command::RegisterCheck(register)).await?;
            // One that was out of use already is so for another reason now.
            let update = UpdateCheck { tenant: TENANT, node, id, status: Status::Critical, output };
            internally(desk, Command::UpdateCheck(update)).await?;
        }
        Some("false" | "0") => {
            let (_, known) = desk.own_instance(Mode::Default, id).await?;
            known.ok_or_else(|| unknown(id))?;
            let command = Command::DeregisterCheck(OnNode { tenant: TENANT, node, id: check });
            match desk.write(command).await {
                // It was in use.
                Ok(_) | Err(Fault::Missing(_)) => (),
                Err(fault) => return Err(fault),
            }
        }
        _ => return Err(Fault::Wrong("`enable` is to be `true` or `false`".to_owned())),
    }
    Ok(Answer::empty())
}

fn unknown(id: &str) -> Fault {
    Fault::Missing(format!("there is no service with the identifier `{id}` on this node"))
}

pub(crate) async fn services(desk: &Desk, asked: &Asked) -> Answered {
    let (node, wanted) = (named(&desk.config.node), Wanted::of(asked, &shape::INSTANCE)?);
    let look = |state: &State| {
        (0, state.instances_on(&node).map(|(_, entry)| Arc::clone(entry)).collect::<Vec<_>>())
    };
    let (_, found) = desk.read_until(asked.mode()?, None, &[], look, |_, _| true).await?;
    let services = wanted.among(found.iter().map(|entry| render::agent_service(&entry.instance)));
    Ok(Answer::json(&by_id(services, "ID")))
}

/// A list as an object by one of its fields.
pub(super) fn by_id(list: Value, id: &str) -> Value {
    let Value::Array(list) = list else { return list };
    let entry = |value: Value| (value[id].as_str().unwrap_or_default().to_owned(), value);
    Value::Object(list.into_iter().map(entry).collect::<Map<_, _>>())
}

/// One service, with a hash of it by which a client can wait for a change.
pub(crate) async fn service(desk: &Desk, asked: &Asked, id: &str) -> Answered {
    let node = named(&desk.config.node);
    let known = asked.parameter("hash").filter(|hash| !hash.is_empty());
    let time = known.map(|_| asked.time()).transpose()?;
    let subjects = [Subject::Node(node.clone())];
    let place = (TENANT, Arc::clone(&desk.config.node), Arc::from(id));
    let look = |state: &State| (state.node_index(&node), state.instances.get(&place));
    let told = |entry: &Arc<InstanceEntry>| render::agent_service(&entry.instance);
    let changed = |found: &Option<_>| found.as_ref().map(|entry| hash(&told(entry))).as_deref() != known;
    let (_, found) = desk.read_until(asked.mode()?, time, &subjects, look, |_, found| changed(found)).await?;
    let mut value = told(&found.ok_or_else(|| unknown(id))?);
    let hash = hash(&value);
    value["ContentHash"] = hash.as_str().into();
    Ok(Answer { hash: Some(hash), ..Answer::json(&value) })
}

/// FNV-1a of the text of a document.
fn hash(value: &Value) -> String {
    let text = value.to_string();
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

impl Desk {
    /// Begins to watch the times of checks of this node, as the catalog has them now.
    pub(crate) async fn watch_checks(&self, ids: &[Arc<str>]) {
        // What was just acknowledged is seen at once; the catalog that cannot be read now is watched after a start.
        let look = |state: &State| {
            let of =
                |id: &Arc<str>| state.checks.get(&(TENANT, Arc::clone(&self.config.node), Arc::clone(id)));
            (0, ids.iter().filter_map(of).collect::<Vec<_>>())
        };
        if let Ok((_, checks)) = self.read_until(Mode::Default, None, &[], look, |_, _| true).await {
            for entry in checks {
                self.clocks.watch_check(&entry.check, Instant::now());
                self.probes.watch(&entry.check, First::Now);
            }
        }
    }

    /// An instance of this node.
    pub(crate) async fn own_instance(
        &self,
        mode: Mode,
        id: &str,
    ) -> Result<(crate::answer::Seen, Option<render::Row>), Fault> {
        let place = (TENANT, Arc::clone(&self.config.node), Arc::from(id));
        self.read_until(mode, None, &[], |state| (0, render::Row::of(state, place.clone())), |_, _| true)
            .await
    }
}
