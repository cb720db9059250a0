//! Resolving incidents.

use coreto_protocol::gateway as pb;
use coreto_record::Command;
use coreto_record::command::ResolveIncident;
use tonic::Request;

use crate::convert;
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn resolve(
    gateway: &Gateway,
    request: Request<pb::ResolveIncidentRequest>,
) -> Result<pb::ResolveIncidentResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let incident = convert::key(request.incident_key, "RESOLVE", "incident")?;
    let command = Command::ResolveIncident(ResolveIncident { incident });
    gateway.command(Call { metadata: &metadata, operation_reference, command }).await?;
    Ok(pb::ResolveIncidentResponse {})
}
