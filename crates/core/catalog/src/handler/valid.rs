//! What clients may name, and how much of it.

use core::net::IpAddr;
use std::sync::Arc;

use coreto_record::Rejection;

use crate::limits::Limits;
use crate::model::{Check, Instance, Node, Pair, TaggedAddress};

/// Bytes by which the identifier of a check may be longer than that of its instance.
const CHECK_BYTES: usize = 32;

/// A name that must be there.
pub(super) fn name(limits: &Limits, what: &str, name: &str) -> Result<(), Rejection> {
    if name.is_empty() {
        return Err(Rejection::invalid_argument(format!("{what} is empty; give one")));
    }
    bytes(what, name, limits.name_bytes_max)?;
    if name.chars().any(char::is_control) {
        return Err(Rejection::invalid_argument(format!(
            "{what} `{}` has control characters",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// A text that may be empty.
fn text(limits: &Limits, what: &str, text: &str) -> Result<(), Rejection> {
    bytes(what, text, limits.text_bytes_max)
}

/// Something of bounded length.
pub(super) fn bytes(what: &str, text: &str, bytes_max: usize) -> Result<(), Rejection> {
    let bytes = text.len();
    if bytes <= bytes_max {
        return Ok(());
    }
    let reason = format!("{what} has {bytes} bytes, at most {bytes_max} are possible");
    Err(Rejection::invalid_argument(reason))
}

/// A list of bounded length.
pub(super) fn count(what: &str, count: usize, count_max: usize) -> Result<(), Rejection> {
    if count <= count_max {
        return Ok(());
    }
    Err(Rejection::invalid_argument(format!("{count} {what} are given, at most {count_max} are possible")))
}

pub(super) fn node(limits: &Limits, node: &Node) -> Result<(), Rejection> {
    address(limits, "the address of the node", &node.address)?;
    text(limits, "the identifier of the node", &node.id)?;
    parts(limits, &node.meta, &node.tagged)
}

pub(super) fn instance(limits: &Limits, instance: &Instance) -> Result<(), Rejection> {
    name(limits, "the name of the service", &instance.service)?;
    name(limits, "the identifier of the instance", &instance.id)?;
    address(limits, "the address of the instance", &instance.address)?;
    text(limits, "the zone of the instance", &instance.zone)?;
    count("tags", instance.tags.len(), limits.parts_max)?;
    instance.tags.iter().try_for_each(|tag| name(limits, "a tag", tag))?;
    parts(limits, &instance.meta, &instance.tagged)
}

pub(super) fn check(limits: &Limits, check: &Check) -> Result<(), Rejection> {
    // Those that are made of an instance's stand for it in full.
    let longer = Limits { name_bytes_max: limits.name_bytes_max + CHECK_BYTES, ..*limits };
    name(&longer, "the identifier of a check", &check.id)?;
    bytes("the name of a check", &check.name, limits.name_bytes_max)?;
    text(limits, "the notes of a check", &check.notes)?;
    let definition = &check.definition;
    text(limits, "the target of a check", &definition.target)?;
    text(limits, "the body of a check", &definition.body)?;
    text(limits, "the server name of a check", &definition.tls_server_name)?;
    bytes("the method of a check", &definition.method, limits.name_bytes_max)?;
    pairs(limits, "headers", &definition.headers)
}

fn parts(limits: &Limits, meta: &[Pair], tagged: &[TaggedAddress]) -> Result<(), Rejection> {
    pairs(limits, "pairs of metadata", meta)?;
    count("tagged addresses", tagged.len(), limits.parts_max)?;
    tagged.iter().try_for_each(|tagged| {
        name(limits, "the name of an address", &tagged.name)?;
        address(limits, "a tagged address", &tagged.address)
    })
}

/// Where something is reached, which may be left open.
fn address(limits: &Limits, what: &str, address: &str) -> Result<(), Rejection> {
    text(limits, what, address)?;
    let told = address.escape_debug();
    match address.parse::<IpAddr>() {
        Ok(found) if found.is_unspecified() => Err(Rejection::invalid_argument(format!(
            "{what} `{told}` is one to listen on; give the one at which others reach it"
        ))),
        Err(_) if !address.is_empty() && !is_host_name(address) => Err(Rejection::invalid_argument(format!(
            "{what} `{told}` is neither an address of IP nor a host name"
        ))),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether DNS can tell this name (RFC 1035, section 2.3.4), which no number ends, so that a wrong address is none.
fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn pairs(limits: &Limits, what: &str, pairs: &[Pair]) -> Result<(), Rejection> {
    count(what, pairs.len(), limits.parts_max)?;
    pairs.iter().try_for_each(|pair| {
        name(limits, &format!("a name among the {what}"), &pair.name)?;
        text(limits, &format!("a value among the {what}"), &pair.value)
    })
}

/// The output of a check as it is kept.
pub(super) fn output(limits: &Limits, output: &Arc<str>) -> Arc<str> {
    match output.floor_char_boundary(limits.output_bytes_max) {
        end if end == output.len() => Arc::clone(output),
        end => output[..end].into(),
    }
}
