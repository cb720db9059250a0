//! Deploying resources.

use coreto_machine::Tenant;
use coreto_protocol::gateway as pb;
use coreto_protocol::gateway::deployment::Metadata;
use coreto_record::command::{Deploy, Resource};
use coreto_record::{Command, Reply, reply};
use tonic::Request;
use tonic::metadata::MetadataMap;

use crate::convert;
use crate::gateway::{Call, Gateway};
use crate::status::Failure;

pub(crate) async fn resources(
    gateway: &Gateway,
    request: Request<pb::DeployResourceRequest>,
) -> Result<pb::DeployResourceResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let tenant = convert::tenant("tenantId", &request.tenant_id)?;
    let resources = request
        .resources
        .into_iter()
        .map(|file| Resource { name: file.name.into(), content: (&*file.content).into() })
        .collect();
    let deployed = deploy(gateway, &metadata, Deploy { tenant, resources }).await?;
    let tenant = deployed.tenant;
    let processes = deployed.processes.iter().map(|found| Metadata::Process(convert::process(found, tenant)));
    let decisions =
        deployed.decisions.iter().map(|found| Metadata::Decision(convert::decision(found, tenant)));
    let graphs = deployed.requirements.iter();
    let graphs = graphs.map(|found| Metadata::DecisionRequirements(convert::requirements(found, tenant)));
    let all = processes.chain(decisions).chain(graphs);
    Ok(pb::DeployResourceResponse {
        key: convert::raw(deployed.key),
        deployments: all.map(|metadata| pb::Deployment { metadata: Some(metadata) }).collect(),
        tenant_id: convert::tenant_id(tenant),
    })
}

pub(crate) async fn processes(
    gateway: &Gateway,
    request: Request<pb::DeployProcessRequest>,
) -> Result<pb::DeployProcessResponse, Failure> {
    let (metadata, _, request) = request.into_parts();
    let resources = request
        .processes
        .into_iter()
        .map(|file| Resource { name: file.name.into(), content: (&*file.definition).into() })
        .collect();
    let deployed = deploy(gateway, &metadata, Deploy { tenant: Tenant::DEFAULT, resources }).await?;
    let tenant = deployed.tenant;
    Ok(pb::DeployProcessResponse {
        key: convert::raw(deployed.key),
        processes: deployed.processes.iter().map(|process| convert::process(process, tenant)).collect(),
    })
}

async fn deploy(
    gateway: &Gateway,
    metadata: &MetadataMap,
    deploy: Deploy,
) -> Result<reply::Deployed, Failure> {
    let call = Call { metadata, operation_reference: None, command: Command::Deploy(deploy) };
    let Reply::Deployed(deployed) = gateway.command(call).await? else {
        return Err(Failure::Mismatch { call: "a deployment" });
    };
    Ok(deployed)
}
