//! Sessions.

use std::sync::Arc;

use coreto_catalog::{Behavior, Session};

use super::fields::Fields;
use crate::answer::Fault;

/// How long keys are barred when a session does not say.
const LOCK_DELAY_MS: u64 = 15_000;

/// The check of a node that a session depends on when it does not say.
pub(crate) const NODE_CHECK: &str = "serfHealth";

/// A session, on `node` when it names none.
pub(crate) fn session(fields: &Fields<'_>, node: &Arc<str>) -> Result<Session, Fault> {
    let behavior = match &*fields.text("behavior")? {
        "" | "release" => Behavior::Release,
        "delete" => Behavior::Delete,
        _ => return Err(fields.wrong("behavior", "`release` or `delete`")),
    };
    let mut checks = fields.texts("checks")?;
    checks.extend(fields.texts("nodechecks")?);
    for service in fields.objects("servicechecks")? {
        checks.push(service.text("id")?);
    }
    if !["checks", "nodechecks", "servicechecks"].into_iter().any(|name| fields.has(name)) {
        checks.push(NODE_CHECK.into());
    }
    checks.sort();
    checks.dedup();
    let named = fields.text("node")?;
    Ok(Session {
        name: fields.text("name")?,
        node: if named.is_empty() { Arc::clone(node) } else { named },
        checks,
        behavior,
        lock_delay_ms: lock_delay(fields)?,
        ttl_ms: fields.millis("ttl")?.unwrap_or(0),
    })
}

/// A text, or a number that is of seconds when it is small and else of nanoseconds.
fn lock_delay(fields: &Fields<'_>) -> Result<u64, Fault> {
    const SECONDS_MAX: u64 = 1000;
    match fields.number("lockdelay", 0..=u64::MAX) {
        Ok(Some(seconds)) if seconds < SECONDS_MAX => Ok(seconds * 1000),
        Ok(Some(nanos)) => Ok(nanos / 1_000_000),
        Ok(None) => Ok(LOCK_DELAY_MS),
        Err(_) => Ok(fields.millis("lockdelay")?.unwrap_or(LOCK_DELAY_MS)),
    }
}
