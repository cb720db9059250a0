//! Instances.

use std::sync::Arc;

use coreto_catalog::{Instance, TaggedAddress, Weights};

use super::fields::Fields;
use crate::answer::Fault;

/// The largest weight that DNS can tell.
const WEIGHT_MAX: u32 = 65_535;

/// An instance; its identifier is its service's name when it has none. `name` is the field with the service's name.
pub(crate) fn service(fields: &Fields<'_>, name: &str) -> Result<Instance, Fault> {
    let service = fields.text(name)?;
    if service.is_empty() {
        return Err(fields.wrong(name, "the name of the service"));
    }
    fields.without(&["kind", "proxy", "connect", "socketpath"], "leave it out of a service")?;
    let id = fields.text("id")?;
    let mut meta = fields.pairs("meta")?;
    let zone = meta.iter().position(|pair| &*pair.name == "zone").map(|at| meta.remove(at).value);
    Ok(Instance {
        id: if id.is_empty() { Arc::clone(&service) } else { id },
        service,
        address: fields.text("address")?,
        port: fields.number("port", 0..=u16::MAX)?.unwrap_or(0),
        tags: fields.texts("tags")?,
        meta,
        weights: weights(fields)?,
        tagged: tagged(fields)?,
        zone: zone.unwrap_or_else(|| "".into()),
        enable_tag_override: fields.flag("enabletagoverride")?,
    })
}

fn weights(fields: &Fields<'_>) -> Result<Weights, Fault> {
    let Some(fields) = fields.object("weights")? else { return Ok(Weights { passing: 1, warning: 1 }) };
    Ok(Weights {
        passing: fields.number("passing", 1..=WEIGHT_MAX)?.unwrap_or(1),
        warning: fields.number("warning", 0..=WEIGHT_MAX)?.unwrap_or(1),
    })
}

fn tagged(fields: &Fields<'_>) -> Result<Vec<TaggedAddress>, Fault> {
    let Some(addresses) = fields.object("taggedaddresses")? else { return Ok(Vec::new()) };
    let mut tagged = Vec::new();
    for (name, _) in addresses.entries() {
        let found = addresses.exactly(name)?;
        let (address, port) = (found.text("address")?, found.number("port", 0..=u16::MAX)?.unwrap_or(0));
        tagged.push(TaggedAddress { name: name.as_str().into(), address, port });
    }
    tagged.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tagged)
}
