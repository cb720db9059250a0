//! Deleting resources.

use coreto_protocol::gateway as pb;
use coreto_record::command::DeleteResource;
use coreto_record::{Command, Key, ProcessDefinitionKey, Reply};
use tonic::Request;

use crate::convert::{self, unbuilt};
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn resource(
    gateway: &Gateway,
    request: Request<pb::DeleteResourceRequest>,
) -> Result<pb::DeleteResourceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    unbuilt(request.delete_history == Some(true), "deleteHistory")?;
    let operation_reference = convert::operation_reference(request.operation_reference)?;
    let resource = convert::key::<ProcessDefinitionKey>(request.resource_key, "DELETE", "resource")?.raw();
    let command = Command::DeleteResource(DeleteResource { resource });
    let Reply::ResourceDeleted(deleted) =
        gateway.command(Call { metadata: &metadata, operation_reference, command }).await?
    else {
        return Err(Failure::Mismatch { call: "a deletion" });
    };
    Ok(pb::DeleteResourceResponse { resource_key: deleted.resource.to_string(), batch_operation: None })
}
