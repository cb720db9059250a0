//! Checks.

use std::sync::Arc;

use coreto_catalog::{Check, CheckKind, Definition, Pair, Status};

use super::fields::Fields;
use crate::answer::Fault;

/// How long an answer may take when a check does not say.
const TIMEOUT_MS: u64 = 10_000;

/// A check. It gets `id` and `name` when it has none of its own. One of the catalog's own paths is only told of, and may
/// have no definition.
pub(crate) fn check(fields: &Fields<'_>, id: &str, name: &str, told: bool) -> Result<Check, Fault> {
    let given = |field: &str, default: &str| {
        let text = fields.text(field)?;
        Ok::<Arc<str>, Fault>(if text.is_empty() { default.into() } else { text })
    };
    let id = if fields.has("checkid") { given("checkid", id)? } else { given("id", id)? };
    Ok(Check {
        name: given("name", name)?,
        notes: fields.text("notes")?,
        instance: fields.text("serviceid")?,
        status: status(fields, "status")?.unwrap_or_default(),
        output: fields.text("output")?,
        definition: if told { Definition::default() } else { definition(fields, &id)? },
        id,
    })
}

/// A status, if it is there.
pub(crate) fn status(fields: &Fields<'_>, name: &str) -> Result<Option<Status>, Fault> {
    let word = fields.text(name)?;
    if word.is_empty() {
        return Ok(None);
    }
    let wanted = || fields.wrong(name, "`passing`, `warning` or `critical`");
    Status::from_name(&word).map(Some).ok_or_else(wanted)
}

fn definition(fields: &Fields<'_>, id: &str) -> Result<Definition, Fault> {
    for unbuilt in
        ["h2ping", "aliasservice", "aliasnode", "dockercontainerid", "args", "script", "osservice", "udp"]
    {
        if fields.has(unbuilt) {
            let kinds = "`TTL`, `HTTP`, `TCP` and `GRPC` are";
            return Err(Fault::Wrong(format!("not implemented: `{unbuilt}` of check `{id}`; {kinds}")));
        }
    }
    let ttl_ms = fields.millis("ttl")?.unwrap_or(0);
    let kinds = [("http", CheckKind::Http), ("tcp", CheckKind::Tcp), ("grpc", CheckKind::Grpc)];
    let mut given: Vec<_> = kinds.into_iter().filter(|(name, _)| fields.has(name)).collect();
    if ttl_ms > 0 {
        given.push(("", CheckKind::Ttl));
    }
    let [(name, kind)] = given[..] else {
        let what = if given.is_empty() { "nothing" } else { "several ways" };
        return Err(Fault::Wrong(format!(
            "check `{id}` has {what} to find out how it is; give one of `TTL`, `HTTP`, `TCP` and `GRPC`"
        )));
    };
    let interval_ms = fields.millis("interval")?.unwrap_or(0);
    if kind != CheckKind::Ttl && interval_ms == 0 {
        return Err(fields.wrong("interval", "a duration above 0 for a check that asks"));
    }
    let timeout_ms = fields.millis("timeout")?.filter(|millis| *millis > 0).unwrap_or(TIMEOUT_MS);
    let target = if kind == CheckKind::Ttl { "".into() } else { fields.text(name)? };
    let tls = fields.flag("grpcusetls")? || target.starts_with("https:");
    Ok(Definition {
        kind,
        target,
        method: fields.text("method")?,
        headers: headers(fields)?,
        body: fields.text("body")?,
        tls,
        tls_skip_verify: fields.flag("tlsskipverify")?,
        tls_server_name: fields.text("tlsservername")?,
        interval_ms,
        timeout_ms: if kind == CheckKind::Ttl { 0 } else { timeout_ms },
        ttl_ms,
        success_before_passing: fields.number("successbeforepassing")?.unwrap_or(0),
        failures_before_critical: fields.number("failuresbeforecritical")?.unwrap_or(0),
        deregister_after_ms: fields.millis("deregistercriticalserviceafter")?.unwrap_or(0),
    })
}

/// Fields of a request, each with a list of values.
fn headers(fields: &Fields<'_>) -> Result<Vec<Pair>, Fault> {
    let Some(object) = fields.object("header")? else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for (name, value) in object.entries() {
        let wanted = || object.wrong(name, "a list of texts");
        for value in value.as_array().ok_or_else(wanted)? {
            let value = value.as_str().ok_or_else(wanted)?.into();
            headers.push(Pair { name: name.as_str().into(), value });
        }
    }
    headers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(headers)
}
