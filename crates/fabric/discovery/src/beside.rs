//! What runs beside the connections: this node is registered, times run out, and what is gone is forgotten.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coreto_catalog::command::{
    DestroySession, Named, Reap, RegisterCheck, RegisterInstance, RegisterNode, UpdateCheck,
};
use coreto_catalog::{Check, CheckKind, Command, Definition, Name, Node, State, Status};

use crate::answer::Fault;
use crate::clocks::{Due, Watched};
use crate::desk::{Desk, TENANT, named};
use crate::lease;
use crate::probe::First;
use crate::read::NODE_CHECK;
use crate::server::internally;

/// How long to wait before this node is registered again when the catalog does not take it.
const REGISTER_PAUSE: Duration = Duration::from_millis(200);

/// How long clients wait at the start until this node is registered.
const REGISTERED_IN: Duration = Duration::from_secs(5);

/// How late a time is found out at least when the process stood still, and did not only have much to do.
const STOOD_STILL: Duration = Duration::from_secs(1);

/// How often it is looked for checks and sessions whose times are watched though they are gone.
const SWEEP: Duration = Duration::from_mins(1);

/// Of how many it is found out at a time whether they are gone.
const SWEPT_AT_ONCE: usize = 256;

/// How far the start has come.
pub(crate) struct Begun {
    /// This node is registered.
    registered: bool,
    /// Times are watched.
    times: bool,
}

/// Does what whoever comes first should find done; a catalog that takes nothing is read nevertheless, and times run out
/// in it.
pub(crate) async fn begin(desk: &Arc<Desk>) -> Begun {
    let registered = tokio::time::timeout(REGISTERED_IN, register(desk)).await;
    Begun { registered: matches!(registered, Ok(Ok(()))), times: begin_anew(desk) }
}

/// Runs until the server drains and this is aborted.
pub(crate) async fn run(desk: Arc<Desk>, mut begun: Begun) {
    // Bound: until the catalog takes it.
    while !begun.registered || !begun.times {
        tokio::time::sleep(REGISTER_PAUSE).await;
        if !begun.registered {
            match register(&desk).await {
                // What has come along has times, too.
                Ok(()) => begun = Begun { registered: true, times: false },
                Err(fault) => tracing::warn!(?fault, "this node is not registered yet; trying again"),
            }
        }
        begun.times = begun.times || begin_anew(&desk);
        tell_due(&desk);
    }
    let mut sweep = Instant::now() + SWEEP;
    // Bound: until this is aborted.
    loop {
        let changed = desk.clocks.changed.notified();
        tell_due(&desk);
        if Instant::now() >= sweep {
            forget_gone(&desk);
            sweep = Instant::now() + SWEEP;
        }
        let next = desk.clocks.next().map_or(sweep, |next| next.min(sweep));
        let asleep = Instant::now();
        tokio::select! { () = changed => (), () = tokio::time::sleep_until(next.into()) => () }
        if next.elapsed() > STOOD_STILL {
            let by = asleep.elapsed();
            tracing::warn!(?by, "the process stood still; times of checks and sessions are put off");
            desk.clocks.put_off(by);
        }
    }
}

/// Makes this node known, with a check that passes as long as we are here, and lets come along what is of nodes that
/// were this one.
async fn register(desk: &Desk) -> Result<(), Fault> {
    let config = &desk.config;
    let (name, address) = (Arc::clone(&config.node), Arc::clone(&config.node_address));
    let node = Node { address, ..Node::default() };
    let register = RegisterNode { tenant: TENANT, name: Arc::clone(&name), node };
    internally(desk, Command::RegisterNode(register)).await?;
    let check = Check {
        id: NODE_CHECK.into(),
        name: "Serf Health Status".into(),
        status: Status::Passing,
        output: "the node is alive".into(),
        definition: Definition { kind: CheckKind::Node, ..Definition::default() },
        ..Check::default()
    };
    let (id, output) = (Arc::clone(&check.id), Arc::clone(&check.output));
    let register = RegisterCheck { tenant: TENANT, node: Arc::clone(&name), check };
    internally(desk, Command::RegisterCheck(register)).await?;
    let update = UpdateCheck { tenant: TENANT, node: name, id, status: Status::Passing, output };
    internally(desk, Command::UpdateCheck(update)).await?;
    adopt(desk).await?;
    desk.be_current().await
}

/// Nodes that this program has registered under other names, as the machine was called before, are gone: their instances
/// are now of this one, so that their times are watched.
async fn adopt(desk: &Desk) -> Result<(), Fault> {
    let own = Arc::clone(&desk.config.node);
    let former = desk.replica.read(|state| former(state, &own)).unwrap_or_default();
    for node in former {
        let instances = desk.replica.read(|state| moved(state, &node, &own)).unwrap_or_default();
        tracing::info!(node = %node.1, instances = instances.len(), "what was on this node under another name comes along");
        for instance in instances {
            match internally(desk, Command::RegisterInstance(instance)).await {
                // There is such an instance, or it has checks of the same names: what is newer counts.
                Ok(()) | Err(Fault::Wrong(_) | Fault::Forbidden(_)) => (),
                Err(fault) => return Err(fault),
            }
        }
        internally(desk, Command::DeregisterNode(Named { tenant: node.0, name: node.1 })).await?;
    }
    Ok(())
}

/// Nodes with the check that the program has of itself, but for this one.
fn former(state: &State, own: &Arc<str>) -> Vec<Name> {
    let nodes = state.checks.range(..).filter(|(_, entry)| entry.check.definition.kind == CheckKind::Node);
    nodes
        .filter(|(place, _)| place.1 != *own)
        .map(|((tenant, node, _), _)| (*tenant, Arc::clone(node)))
        .collect()
}

/// Instances of a node with their checks as they are, registered on another; those that are there already stay.
fn moved(state: &State, from: &Name, to: &Arc<str>) -> Vec<RegisterInstance> {
    let on = state.instances_on(from);
    let new = on
        .filter(|((tenant, _, id), _)| !state.instances.contains(&(*tenant, Arc::clone(to), Arc::clone(id))));
    let register =
        |(place, entry): (&coreto_catalog::Place, &Arc<coreto_catalog::InstanceEntry>)| RegisterInstance {
            tenant: place.0,
            node: Arc::clone(to),
            instance: entry.instance.clone(),
            checks: state.checks_of(place).map(|(_, entry)| entry.check.clone()).collect(),
            replace_checks: false,
        };
    new.map(register).collect()
}

/// After a start every time begins anew, checks that ask go on, and streams may come back. Says whether the catalog could
/// be read.
fn begin_anew(desk: &Arc<Desk>) -> bool {
    let node = named(&desk.config.node);
    let look = |state: &State| {
        let checks: Vec<_> = state.checks_on(&node).map(|(_, entry)| Arc::clone(entry)).collect();
        let sessions =
            state.sessions.range(..).map(|((_, id), entry)| (Arc::clone(id), entry.session.ttl_ms));
        (checks, sessions.collect::<Vec<_>>())
    };
    let Some((checks, sessions)) = desk.replica.read(look) else { return false };
    let now = Instant::now();
    for entry in checks {
        desk.clocks.watch_check(&entry.check, now);
        desk.probes.watch(&entry.check, First::Spread);
        if entry.check.definition.kind == CheckKind::Stream {
            tokio::spawn(lease::await_return(Arc::clone(desk), Arc::clone(&entry.check.instance)));
        }
    }
    for (id, ttl_ms) in sessions {
        desk.clocks.watch_session(&id, Duration::from_millis(ttl_ms), now);
    }
    true
}

fn tell_due(desk: &Arc<Desk>) {
    for due in desk.clocks.due(Instant::now()) {
        tokio::spawn(run_out(Arc::clone(desk), due));
    }
}

/// Tells the catalog of what has run out.
async fn run_out(desk: Arc<Desk>, due: Due) {
    let told = match &due {
        Due::Expired(id) => desk.expire(id).await,
        Due::Other(id) => desk.tell_other(id).await,
        Due::Reaped(id) => reap(&desk, id, &due).await,
        Due::Ended(id) => {
            let destroy = DestroySession { tenant: TENANT, id: Arc::clone(id) };
            let ended = internally(&desk, Command::DestroySession(destroy)).await;
            if ended.is_ok() {
                desk.clocks.forget_session(id);
            }
            ended
        }
    };
    match told {
        // What is gone needs no end.
        Ok(()) | Err(Fault::Missing(_)) => (),
        Err(fault) => {
            tracing::warn!(?due, ?fault, "the catalog cannot be told that a time has run out; trying again");
            tokio::time::sleep(desk.config.strong_wait_max).await;
            desk.clocks.again(&due, Instant::now());
        }
    }
}

/// Forgets the instance of a check that has been critical for too long, and ends the stream that holds it.
async fn reap(desk: &Arc<Desk>, id: &Arc<str>, due: &Due) -> Result<(), Fault> {
    let node = Arc::clone(&desk.config.node);
    let place = (TENANT, Arc::clone(&node), Arc::clone(id));
    let look = |state: &State| {
        state.checks.peek(&place).map(|entry| (entry.turned, Arc::clone(&entry.check.instance)))
    };
    let Some((turned, instance)) = desk.replica.read(look).flatten() else { return Ok(()) };
    // What was well in between has been critical for less.
    if !desk.clocks.is_over(due) {
        return Ok(());
    }
    let holder = desk.leases.holder(&instance);
    let reap = Reap { tenant: TENANT, node, id: Arc::clone(id), turned };
    internally(desk, Command::Reap(reap)).await?;
    if let Some(holder) = holder
        && let Ok((_, None)) = desk.own_instance(crate::asked::Mode::Default, &instance).await
    {
        desk.leases.end(&instance, holder);
    }
    Ok(())
}

/// Forgets what is watched of checks and sessions that are gone.
fn forget_gone(desk: &Desk) {
    let node = &desk.config.node;
    let is_gone = |watched: &Watched| {
        let look = |state: &State| match watched {
            Watched::Check(id) => !state.checks.contains(&(TENANT, Arc::clone(node), Arc::clone(id))),
            Watched::Session(id) => !state.sessions.contains(&(TENANT, Arc::clone(id))),
        };
        // What was durable when it was first watched is seen by now, or nothing is said.
        desk.replica.applied() >= desk.handle.durable() && desk.replica.read(look).unwrap_or(false)
    };
    for some in desk.clocks.watched().chunks(SWEPT_AT_ONCE) {
        desk.clocks.forget_gone(some, is_gone);
    }
    desk.probes.forget_ended();
}
