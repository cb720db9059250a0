//! Checks.

use std::sync::Arc;

use coreto_catalog::{Check, CheckKind, Definition, Pair, Status};
use http::{HeaderName, HeaderValue, Method};

use super::fields::Fields;
use super::session::NODE_CHECK;
use super::target;
use crate::answer::Fault;

/// How the identifiers of checks begin that stand for a stream, and for being out of use.
pub(crate) const STREAM_CHECK: &str = "stream:";
pub(crate) const MAINTENANCE_CHECK: &str = "_service_maintenance:";

/// How long an answer may take when a check does not say.
const TIMEOUT_MS: u64 = 10_000;

/// How often a check may ask at most: oftener it would be nothing but a load.
const INTERVAL_MS_MIN: u64 = 10;

/// A check. It gets `id` and `name` when it has none of its own. One of the catalog's own paths is only told of, and may
/// have no definition.
pub(crate) fn check(fields: &Fields<'_>, id: &str, name: &str, told: bool) -> Result<Check, Fault> {
    let given = |field: &str, default: &str| {
        let text = fields.text(field)?;
        Ok::<Arc<str>, Fault>(if text.is_empty() { default.into() } else { text })
    };
    let id = if fields.says("checkid") { given("checkid", id)? } else { given("id", id)? };
    if !told {
        not_reserved(&id)?;
    }
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

/// Whether a check of this node may have this identifier: those that the catalog gives to its own would not be found to
/// be what they are.
pub(crate) fn not_reserved(id: &str) -> Result<(), Fault> {
    let own = [STREAM_CHECK, MAINTENANCE_CHECK].into_iter().any(|prefix| id.starts_with(prefix));
    if own || id == NODE_CHECK {
        return Err(Fault::Wrong(format!(
            "the identifier `{id}` is for a check of the catalog's own; give another"
        )));
    }
    Ok(())
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

/// What is known of Consul's checks, and not built.
const UNBUILT: [&str; 9] = [
    "h2ping",
    "udp",
    "aliasservice",
    "aliasnode",
    "args",
    "scriptargs",
    "script",
    "dockercontainerid",
    "osservice",
];

fn definition(fields: &Fields<'_>, id: &str) -> Result<Definition, Fault> {
    fields.without(&UNBUILT, "checks of `TTL`, `HTTP`, `TCP` and `GRPC` are")?;
    let kinds = [
        ("ttl", CheckKind::Ttl),
        ("http", CheckKind::Http),
        ("tcp", CheckKind::Tcp),
        ("grpc", CheckKind::Grpc),
    ];
    let given: Vec<_> = kinds.into_iter().filter(|(name, _)| fields.says(name)).collect();
    let [(name, kind)] = given[..] else {
        let what = if given.is_empty() { "nothing" } else { "several ways" };
        return Err(Fault::Wrong(format!(
            "check `{id}` has {what} to find out how it is; give one of `TTL`, `HTTP`, `TCP` and `GRPC`"
        )));
    };
    let after = Definition {
        kind,
        success_before_passing: fields.number("successbeforepassing", 0..=u32::MAX)?.unwrap_or(0),
        failures_before_critical: fields.number("failuresbeforecritical", 0..=u32::MAX)?.unwrap_or(0),
        deregister_after_ms: fields.millis("deregistercriticalserviceafter")?.unwrap_or(0),
        ..Definition::default()
    };
    if kind == CheckKind::Ttl {
        return Ok(Definition { ttl_ms: at_least(fields, "ttl", 1)?, ..after });
    }
    let target = fields.text(name)?;
    Ok(Definition {
        tls: fields.flag("grpcusetls")? || target.starts_with("https:"),
        target: target::reachable(fields, name, kind, target)?,
        method: method(fields)?,
        headers: headers(fields)?,
        body: fields.text("body")?,
        tls_skip_verify: fields.flag("tlsskipverify")?,
        tls_server_name: fields.text("tlsservername")?,
        interval_ms: at_least(fields, "interval", INTERVAL_MS_MIN)?,
        timeout_ms: fields.millis("timeout")?.filter(|millis| *millis > 0).unwrap_or(TIMEOUT_MS),
        ..after
    })
}

/// Milliseconds of a duration that must be there.
fn at_least(fields: &Fields<'_>, name: &str, millis_min: u64) -> Result<u64, Fault> {
    let wanted = || fields.wrong(name, &format!("a duration of `{millis_min}ms` at least"));
    fields.millis(name)?.filter(|millis| *millis >= millis_min).ok_or_else(wanted)
}

/// The method of a request; GET when it is empty.
fn method(fields: &Fields<'_>) -> Result<Arc<str>, Fault> {
    let method = fields.text("method")?;
    if method.is_empty() || Method::from_bytes(method.as_bytes()).is_ok() {
        return Ok(method);
    }
    Err(fields.wrong("method", "a method of HTTP such as `GET`"))
}

/// Fields of a request, each with a list of values.
fn headers(fields: &Fields<'_>) -> Result<Vec<Pair>, Fault> {
    let Some(object) = fields.object("header")? else { return Ok(Vec::new()) };
    let mut headers = Vec::new();
    for (name, values) in object.entries() {
        let wanted = || object.wrong(name, "a list of texts");
        for value in values.as_array().ok_or_else(wanted)? {
            let value = value.as_str().ok_or_else(wanted)?;
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(object.wrong(name, "a field of HTTP, without what ends a line"));
            }
            headers.push(Pair { name: name.as_str().into(), value: value.into() });
        }
    }
    headers.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(headers)
}
