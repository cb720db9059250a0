//! Lines of a script of the catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_catalog::command::{
    CreateSession, DeleteEntries, DeleteEntry, DestroySession, Named, OnNode, PutEntry, Reap, RegisterCheck,
    RegisterInstance, RegisterNode, UpdateCheck,
};
use coreto_catalog::{Behavior, Check, CheckKind, Command, Instance, Node, Pair, Session, Status};
use coreto_machine::Tenant;

use crate::step::Words;

/// What a line says.
pub(super) enum Step {
    /// A wish; a session that it begins gets the name.
    Command(Box<Command>, Option<String>),
    /// Time passes, and what is due is done.
    Advance(i64),
    /// What there is to see of something.
    Look(String),
    /// The catalog starts again from its log.
    Restart,
    /// Whether the trace is written.
    Quiet(bool),
    /// Sets a bound.
    Limit(String, usize),
}

/// Identifiers of sessions by their name in the script.
type Sessions = BTreeMap<String, Arc<str>>;

/// Of whom everything is.
const TENANT: Tenant = Tenant::DEFAULT;

pub(super) fn read(words: &mut Words<'_>, sessions: &Sessions) -> Result<Step, String> {
    let command = match words.need("what to do")?.as_str() {
        "quiet" => return Ok(Step::Quiet(true)),
        "loud" => return Ok(Step::Quiet(false)),
        "restart" => return Ok(Step::Restart),
        "look" => return Ok(Step::Look(words.need("what to look at")?)),
        "advance" => return Ok(Step::Advance(words.number()?.ok_or("the milliseconds are missing")?)),
        "limit" => {
            let name = words.need("which limit")?;
            return Ok(Step::Limit(name, words.number()?.ok_or("the number is missing")?));
        }
        "session" => {
            let name = words.need("the name of the session")?;
            let command = Command::CreateSession(session(words, &name)?);
            return Ok(Step::Command(Box::new(command), Some(name)));
        }
        "node" => Command::RegisterNode(node(words)?),
        "forget" => Command::DeregisterNode(named(words)?),
        "register" => Command::RegisterInstance(instance(words)?),
        "deregister" => Command::DeregisterInstance(on_node(words)?),
        "check" => {
            let node = words.need("the node")?.into();
            Command::RegisterCheck(RegisterCheck { tenant: TENANT, node, check: check(words)? })
        }
        "uncheck" => Command::DeregisterCheck(on_node(words)?),
        "tell" => Command::UpdateCheck(update(words)?),
        "reap" => {
            let OnNode { tenant, node, id } = on_node(words)?;
            Command::Reap(Reap { tenant, node, id, turned: words.number()?.ok_or("since when is missing")? })
        }
        "put" => Command::PutEntry(put(words, sessions)?),
        "delete" => {
            let Named { tenant, name: key } = named(words)?;
            Command::DeleteEntry(DeleteEntry { tenant, key, cas: cas(words)? })
        }
        "clear" => {
            let prefix = words.need("the prefix")?.into();
            Command::DeleteEntries(DeleteEntries { tenant: TENANT, prefix, until: 0 })
        }
        "end" => {
            let name = words.need("the session")?;
            Command::DestroySession(DestroySession { tenant: TENANT, id: of(sessions, &name) })
        }
        word => return Err(format!("nobody knows how to `{word}`")),
    };
    Ok(Step::Command(Box::new(command), None))
}

/// The identifier of a session; one that no session has, when there is none of this name.
fn of(sessions: &Sessions, name: &str) -> Arc<str> {
    sessions.get(name).cloned().unwrap_or_else(|| name.into())
}

fn named(words: &mut Words<'_>) -> Result<Named, String> {
    Ok(Named { tenant: TENANT, name: words.need("the name")?.into() })
}

fn on_node(words: &mut Words<'_>) -> Result<OnNode, String> {
    let node = words.need("the node")?.into();
    Ok(OnNode { tenant: TENANT, node, id: words.need("the identifier")?.into() })
}

fn node(words: &mut Words<'_>) -> Result<RegisterNode, String> {
    let name = words.need("the name of the node")?.into();
    let address = words.take().unwrap_or_default().into();
    Ok(RegisterNode { tenant: TENANT, name, node: Node { address, ..Node::default() } })
}

fn instance(words: &mut Words<'_>) -> Result<RegisterInstance, String> {
    let node = words.need("the node")?.into();
    let service = words.need("the service")?.into();
    let mut instance = Instance { id: words.need("the identifier")?.into(), service, ..Instance::default() };
    let mut checks = Vec::new();
    let mut replace_checks = false;
    while let Some(word) = words.take() {
        match word.as_str() {
            "port" => instance.port = words.number()?.ok_or("the port is missing")?,
            "tag" => instance.tags.push(words.need("the tag")?.into()),
            "zone" => instance.zone = words.need("the zone")?.into(),
            "meta" => {
                let (name, value) = (words.need("the name")?.into(), words.need("the value")?.into());
                instance.meta.push(Pair { name, value });
            }
            "check" => checks.push(check(words)?),
            "replace" => replace_checks = true,
            word => return Err(format!("an instance has no `{word}`")),
        }
    }
    Ok(RegisterInstance { tenant: TENANT, node, instance, checks, replace_checks })
}

fn check(words: &mut Words<'_>) -> Result<Check, String> {
    let mut check = Check { id: words.need("the identifier of the check")?.into(), ..Check::default() };
    if words.flag("of") {
        check.instance = words.need("the instance")?.into();
    }
    if words.flag("by-hand") {
        check.definition.kind = CheckKind::Maintenance;
    }
    if let Some(word) = words.next_if(|word| Status::from_name(word).is_some()) {
        check.status = Status::from_name(&word).unwrap_or_default();
    }
    Ok(check)
}

fn update(words: &mut Words<'_>) -> Result<UpdateCheck, String> {
    let OnNode { tenant, node, id } = on_node(words)?;
    let word = words.need("the status")?;
    let status = Status::from_name(&word).ok_or_else(|| format!("`{word}` is no status"))?;
    let output = words.take().unwrap_or_default().into();
    Ok(UpdateCheck { tenant, node, id, status, output })
}

fn put(words: &mut Words<'_>, sessions: &Sessions) -> Result<PutEntry, String> {
    let key = words.need("the key")?.into();
    let value = words.need("the value")?.into_bytes().into();
    let mut put = PutEntry { tenant: TENANT, key, value, ..PutEntry::default() };
    while let Some(word) = words.take() {
        match word.as_str() {
            "flags" => put.flags = words.number()?.ok_or("the flags are missing")?,
            "cas" => put.cas = words.number()?,
            "acquire" => put.acquire = Some(of(sessions, &words.need("the session")?)),
            "release" => put.release = Some(of(sessions, &words.need("the session")?)),
            word => return Err(format!("a key has no `{word}`")),
        }
    }
    Ok(put)
}

fn cas(words: &mut Words<'_>) -> Result<Option<u64>, String> {
    if words.flag("cas") { words.number() } else { Ok(None) }
}

fn session(words: &mut Words<'_>, name: &str) -> Result<CreateSession, String> {
    let node = words.need("the node")?.into();
    let mut session = Session { name: name.into(), node, ..Session::default() };
    while let Some(word) = words.take() {
        match word.as_str() {
            "check" => session.checks.push(words.need("the check")?.into()),
            "ttl" => session.ttl_ms = words.number()?.ok_or("the milliseconds are missing")?,
            "delay" => session.lock_delay_ms = words.number()?.ok_or("the milliseconds are missing")?,
            "delete" => session.behavior = Behavior::Delete,
            word => return Err(format!("a session has no `{word}`")),
        }
    }
    Ok(CreateSession { tenant: TENANT, session })
}
