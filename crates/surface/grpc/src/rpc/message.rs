//! Publishing messages, and broadcasting signals.

use coreto_protocol::gateway as pb;
use coreto_record::command::{BroadcastSignal, PublishMessage};
use coreto_record::{Command, Reply};
use tonic::Request;

use crate::convert::{self, unbuilt};
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn publish(
    gateway: &Gateway,
    request: Request<pb::PublishMessageRequest>,
) -> Result<pb::PublishMessageResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    unbuilt(request.business_id.as_ref().is_some_and(|id| !id.is_empty()), "businessId")?;
    let limits = &gateway.shared.config.limits;
    let command = Command::PublishMessage(PublishMessage {
        tenant: convert::tenant("tenantId", &request.tenant_id)?,
        name: convert::name(limits, "name", request.name)?,
        correlation_key: convert::name(limits, "correlationKey", request.correlation_key)?,
        id: convert::name(limits, "messageId", request.message_id)?,
        ttl: request.time_to_live,
        variables: convert::document("variables", &request.variables)?,
    });
    let Reply::MessagePublished(published) =
        gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?
    else {
        return Err(Failure::Mismatch { call: "a publication" });
    };
    Ok(pb::PublishMessageResponse {
        key: convert::raw(published.key),
        tenant_id: convert::DEFAULT_TENANT.to_owned(),
    })
}

pub(crate) async fn broadcast(
    gateway: &Gateway,
    request: Request<pb::BroadcastSignalRequest>,
) -> Result<pb::BroadcastSignalResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let limits = &gateway.shared.config.limits;
    let command = Command::BroadcastSignal(BroadcastSignal {
        tenant: convert::tenant("tenantId", &request.tenant_id)?,
        name: convert::name(limits, "signalName", request.signal_name)?,
        variables: convert::document("variables", &request.variables)?,
    });
    let Reply::SignalBroadcasted(broadcasted) =
        gateway.command(Call { metadata: &metadata, operation_reference: None, command }).await?
    else {
        return Err(Failure::Mismatch { call: "a broadcast" });
    };
    Ok(pb::BroadcastSignalResponse {
        key: convert::raw(broadcasted.key),
        tenant_id: convert::DEFAULT_TENANT.to_owned(),
    })
}
