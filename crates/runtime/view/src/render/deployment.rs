//! Deployments: what was deployed, with the files.

use std::sync::Arc;

use coreto_record::Key;
use coreto_record::command::Deploy;
use coreto_record::event::DeploymentCreated;

use super::json::{Object, name};
use super::model::{self, Models};
use crate::definitions::Unanswered;

/// A deployment that was made.
pub(super) fn created(
    event: &DeploymentCreated,
    models: &mut Models,
    value: &mut Object<'_>,
) -> Result<(), Unanswered> {
    let files = files(event, models)?;
    value.list(name!("resources"), files, |(name, content), object| {
        object.base64(name!("resource"), &content);
        object.text(name!("resourceName"), &name);
    });
    value.list(name!("processesMetadata"), &event.processes, |process, object| {
        object.text(name!("bpmnProcessId"), &process.id);
        object.number(name!("version"), i64::from(process.version));
        object.key(name!("processDefinitionKey"), process.key.raw());
        object.text(name!("resourceName"), &process.resource_name);
        object.base64(name!("checksum"), &process.checksum);
        object.boolean(name!("duplicate"), process.duplicate);
        model::tenant(object, event.tenant);
        object.key(name!("deploymentKey"), event.key.raw());
        object.text(name!("versionTag"), &process.version_tag);
    });
    value.list(name!("decisionRequirementsMetadata"), &event.requirements, |graph, object| {
        object.text(name!("decisionRequirementsId"), &graph.id);
        object.text(name!("decisionRequirementsName"), &graph.name);
        object.number(name!("decisionRequirementsVersion"), i64::from(graph.version));
        object.key(name!("decisionRequirementsKey"), graph.key.raw());
        object.text(name!("namespace"), &graph.namespace);
        object.text(name!("resourceName"), &graph.resource_name);
        object.base64(name!("checksum"), &graph.checksum);
        object.boolean(name!("duplicate"), graph.duplicate);
        model::tenant(object, event.tenant);
        object.key(name!("deploymentKey"), event.key.raw());
    });
    value.list(name!("decisionsMetadata"), &event.decisions, |decision, object| {
        object.text(name!("decisionId"), &decision.id);
        object.text(name!("decisionName"), &decision.name);
        object.number(name!("version"), i64::from(decision.version));
        object.key(name!("decisionKey"), decision.key.raw());
        object.text(name!("decisionRequirementsId"), &decision.requirements_id);
        object.key(name!("decisionRequirementsKey"), decision.requirements.raw());
        object.boolean(name!("duplicate"), decision.duplicate);
        model::tenant(object, event.tenant);
        object.key(name!("deploymentKey"), event.key.raw());
        object.text(name!("versionTag"), &decision.version_tag);
    });
    value.members(r#","formMetadata":[],"resourceMetadata":[]"#);
    model::tenant(value, event.tenant);
    value.key(name!("deploymentKey"), event.key.raw());
    Ok(())
}

type File = (Arc<str>, Arc<[u8]>);

/// The files of a deployment, each once.
fn files(event: &DeploymentCreated, models: &mut Models) -> Result<Vec<File>, Unanswered> {
    let mut files: Vec<File> = Vec::new();
    for process in &event.processes {
        if files.iter().all(|(name, _)| *name != process.resource_name) {
            let definition = models.definition(process.key)?;
            let content = definition.map(|definition| Arc::clone(&definition.record.resource));
            files.push((Arc::clone(&process.resource_name), content.unwrap_or_default()));
        }
    }
    for graph in &event.requirements {
        let requirements = models.requirements(graph.key)?;
        let content = requirements.map(|requirements| Arc::clone(&requirements.record.resource));
        files.push((Arc::clone(&graph.resource_name), content.unwrap_or_default()));
    }
    Ok(files)
}

/// A deployment that was wished for.
pub(super) fn wished(deploy: &Deploy, value: &mut Object<'_>) {
    value.list(name!("resources"), &deploy.resources, |resource, object| {
        object.base64(name!("resource"), &resource.content);
        object.text(name!("resourceName"), &resource.name);
    });
    value.members(r#","processesMetadata":[],"decisionRequirementsMetadata":[],"decisionsMetadata":[]"#);
    value.members(r#","formMetadata":[],"resourceMetadata":[]"#);
    model::tenant(value, deploy.tenant);
    value.number(name!("deploymentKey"), -1);
}
