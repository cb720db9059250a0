//! `/catalog/…`: what there is, whatever its health.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coreto_catalog::command::{Named, OnNode, RegisterCheck, RegisterInstance, RegisterNode, UpdateCheck};
use coreto_catalog::{Check, Command, State, Subject};
use serde_json::{Value, json};

use super::{Answered, Wanted};
use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::{Desk, TENANT, named};
use crate::filter::shape::{self, Shape};
use crate::read::{self, Fields};
use crate::render::{self, Row};

pub(crate) async fn nodes(desk: &Desk, asked: &Asked) -> Answered {
    let wanted = Wanted::of(asked, &shape::NODE)?;
    let look = |state: &State| {
        let nodes = state.nodes.range(..).map(|((_, name), entry)| (Arc::clone(name), Arc::clone(entry)));
        (state.marks.get().nodes, nodes.collect::<Vec<_>>())
    };
    let (seen, nodes) = desk.read(asked, &[Subject::Nodes(TENANT)], look).await?;
    let rows = nodes.iter().map(|(name, entry)| render::node(name, entry, &desk.config.datacenter));
    Ok(Answer::read(seen, &wanted.among(rows)))
}

pub(crate) async fn services(desk: &Desk, asked: &Asked) -> Answered {
    let wanted = Wanted::of(asked, &shape::SERVICE)?;
    let find =
        |state: &State| state.instances.range(..).map(|(_, entry)| Arc::clone(entry)).collect::<Vec<_>>();
    let index = |state: &State| state.marks.get().services;
    desk.answer(asked, &[Subject::Services(TENANT)], index, find, |entries| {
        let mut tags: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in &entries {
            let instance = &entry.instance;
            let row =
                || json!({ "ServiceName": &*instance.service, "ServiceTags": render::texts(&instance.tags) });
            if wanted.takes(row) {
                tags.entry(&instance.service).or_default().extend(instance.tags.iter().map(|tag| &**tag));
            }
        }
        let told =
            tags.into_iter().map(|(name, tags)| (name.to_owned(), tags.into_iter().collect::<Value>()));
        Value::Object(told.collect())
    })
    .await
}

pub(crate) async fn service(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    desk.instances(asked, name, &shape::FLAT, |rows| {
        let tagged = rows.iter().filter(|row| row.is_tagged(asked.parameters("tag")));
        tagged.map(|row| row.flat(&desk.config.datacenter)).collect()
    })
    .await
}

pub(crate) async fn node(desk: &Desk, asked: &Asked, name: &str) -> Answered {
    let (node, wanted) = (named(name), Wanted::of(asked, &shape::INSTANCE)?);
    let look = |state: &State| {
        let services = state.instances_on(&node).map(|(_, entry)| Arc::clone(entry)).collect::<Vec<_>>();
        (state.node_index(&node), state.nodes.get(&node).map(|entry| (entry, services)))
    };
    let (seen, found) = desk.read(asked, &[Subject::Node(node.clone())], look).await?;
    let Some((entry, services)) = found else { return Ok(Answer::read(seen, &Value::Null)) };
    let services = wanted.among(services.iter().map(|entry| render::service(entry)));
    let services = super::agent::by_id(services, "ID");
    let node = render::node(name, &entry, &desk.config.datacenter);
    Ok(Answer::read(seen, &json!({ "Node": node, "Services": services })))
}

/// Registers a node with a service and checks on it, for those that no agent tells of.
pub(crate) async fn register(desk: &Desk, asked: &Asked) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    desk.is_own_datacenter(&fields.text("datacenter")?)?;
    let (name, node) = (fields.text("node")?, read::node(&fields)?);
    if name.is_empty() || (node.address.is_empty() && !fields.flag("skipnodeupdate")?) {
        return Err(Fault::Wrong("`Node` and `Address` are needed".to_owned()));
    }
    let instance = fields.object("service")?.map(|fields| read::service(&fields, "service")).transpose()?;
    let one = fields.object("check")?;
    let mut checks = Vec::new();
    for fields in one.into_iter().chain(fields.objects("checks")?) {
        let given = fields.text("name")?;
        checks.push(read::check(&fields, &given, &given, true)?);
    }
    if !fields.flag("skipnodeupdate")? {
        desk.write(Command::RegisterNode(RegisterNode { tenant: TENANT, name: Arc::clone(&name), node }))
            .await?;
    }
    if let Some(instance) = instance {
        let (node, checks) = (Arc::clone(&name), Vec::new());
        let command = RegisterInstance { tenant: TENANT, node, instance, checks, replace_checks: false };
        desk.write(Command::RegisterInstance(command)).await?;
    }
    for check in checks {
        if name == desk.config.node {
            read::not_reserved(&check.id)?;
        }
        put_check(desk, &name, check).await?;
    }
    Ok(Answer::json(&Value::Bool(true)))
}

/// Makes a check known, and tells how it is.
async fn put_check(desk: &Desk, node: &Arc<str>, check: Check) -> Result<(), Fault> {
    let id = Arc::clone(&check.id);
    let place = (TENANT, Arc::clone(node), Arc::clone(&id));
    let (status, output) = (check.status, Arc::clone(&check.output));
    let is_own = *node == desk.config.node;
    // How a check of this node finds out was said to the agent, and stays so.
    if !is_own || !desk.replica.read(|state| state.checks.contains(&place)).unwrap_or(false) {
        let register = RegisterCheck { tenant: TENANT, node: Arc::clone(node), check };
        desk.write(Command::RegisterCheck(register)).await?;
    }
    // One that was known keeps its status, and here it is told.
    let update = UpdateCheck { tenant: TENANT, node: Arc::clone(node), id: Arc::clone(&id), status, output };
    let told = desk.write(Command::UpdateCheck(update)).await;
    if is_own {
        desk.watch_checks(&[id]).await;
    }
    told.map(drop)
}

pub(crate) async fn deregister(desk: &Desk, asked: &Asked) -> Answered {
    let map = read::object(&asked.body)?;
    let fields = Fields::of(&map);
    desk.is_own_datacenter(&fields.text("datacenter")?)?;
    let node = fields.text("node")?;
    if node.is_empty() {
        return Err(Fault::Wrong("`Node` is needed".to_owned()));
    }
    let (service, check) = (fields.text("serviceid")?, fields.text("checkid")?);
    let is_own = node == desk.config.node;
    let command = match (service.is_empty(), check.is_empty()) {
        (false, _) => Command::DeregisterInstance(OnNode { tenant: TENANT, node, id: Arc::clone(&service) }),
        (true, false) => Command::DeregisterCheck(OnNode { tenant: TENANT, node, id: check }),
        (true, true) => Command::DeregisterNode(Named { tenant: TENANT, name: node }),
    };
    let done = if is_own && !service.is_empty() {
        desk.deregister(&service).await
    } else {
        desk.write(command).await.map(drop)
    };
    match done {
        // What is not there is gone.
        Ok(()) | Err(Fault::Missing(_)) => Ok(Answer::json(&Value::Bool(true))),
        Err(fault) => Err(fault),
    }
}

impl Desk {
    /// Tells of the instances of a service, which come in order of node and identifier.
    pub(crate) async fn instances(
        &self,
        asked: &Asked,
        name: &str,
        row: &'static Shape,
        render: impl FnOnce(&[Row]) -> Vec<Value>,
    ) -> Answered {
        let (service, wanted) = (named(name), Wanted::of(asked, row)?);
        let index = |state: &State| state.service_index(&service);
        let find = |state: &State| {
            state.instances_of(&service).filter_map(|place| Row::of(state, place)).collect::<Vec<_>>()
        };
        let subjects = [Subject::Service(service.clone()), Subject::NodeParts(TENANT)];
        self.answer(asked, &subjects, index, find, |rows| wanted.among(render(&rows))).await
    }
}
