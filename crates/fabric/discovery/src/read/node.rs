//! Nodes.

use coreto_catalog::{Node, TaggedAddress};

use super::fields::Fields;
use crate::answer::Fault;

/// The node that `catalog/register` names.
pub(crate) fn node(fields: &Fields<'_>) -> Result<Node, Fault> {
    let tagged = fields.pairs("taggedaddresses")?;
    let tagged =
        tagged.into_iter().map(|pair| TaggedAddress { name: pair.name, address: pair.value, port: 0 });
    Ok(Node {
        id: fields.text("id")?,
        address: fields.text("address")?,
        tagged: tagged.collect(),
        meta: fields.pairs("nodemeta")?,
    })
}
