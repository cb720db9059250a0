//! Replies, which are kept for repeated requests.

use coreto_machine::Tenant;
use coreto_record::reply::{
    Deployed, InstanceCompleted, InstanceCreated, JobsActivated, MessagePublished, ResourceDeleted,
    SignalBroadcasted, VariablesSet,
};
use coreto_record::{ActivatedJob, DeployedProcess, Reply};

use super::{document, key, late, time};

/// One reply of each variant.
pub(crate) fn replies() -> Vec<(&'static str, Reply)> {
    let tenant = Tenant::from_raw(3);
    let created =
        InstanceCreated { key: key(4), definition: key(1), process: "order".into(), version: 2, tenant };
    let process = DeployedProcess {
        key: key(1),
        id: "order".into(),
        version: 2,
        resource_name: "order.bpmn".into(),
        duplicate: true,
        checksum: [7; 16],
        version_tag: "v1".into(),
    };
    let job = ActivatedJob {
        key: key(9),
        job_type: "pack".into(),
        instance: key(4),
        process: "order".into(),
        version: 2,
        definition: key(1),
        element: "pack-it".into(),
        element_instance: key(8),
        headers: r#"{"size":"xl"}"#.into(),
        worker: "w-1".into(),
        retries: 3,
        deadline: time(),
        variables: document(),
        tenant,
    };
    let mut replies = vec![
        ("Done", Reply::Done(())),
        (
            "Deployed",
            Reply::Deployed(Deployed {
                key: key(3),
                processes: vec![process],
                tenant,
                ..Deployed::default()
            }),
        ),
        ("InstanceCreated", Reply::InstanceCreated(created.clone())),
        ("InstanceCompleted", Reply::InstanceCompleted(InstanceCompleted { created, variables: document() })),
        ("JobsActivated", Reply::JobsActivated(JobsActivated { jobs: vec![job], truncated: true })),
        ("MessagePublished", Reply::MessagePublished(MessagePublished { key: late() })),
        ("SignalBroadcasted", Reply::SignalBroadcasted(SignalBroadcasted { key: late() })),
        ("ResourceDeleted", Reply::ResourceDeleted(ResourceDeleted { key: 7, resource: 8 })),
        ("VariablesSet", Reply::VariablesSet(VariablesSet { key: 2_251_799_813_685_264 })),
    ];
    replies.extend(super::decision::replies());
    replies
}

/// Does not compile when a reply is new, so that it gets its sample above.
#[expect(dead_code, reason = "it is there to be compiled")]
const fn all_have_a_sample(reply: &Reply) {
    match reply {
        Reply::Done(())
        | Reply::Deployed(_)
        | Reply::InstanceCreated(_)
        | Reply::InstanceCompleted(_)
        | Reply::JobsActivated(_)
        | Reply::VariablesSet(_)
        | Reply::MessagePublished(_)
        | Reply::SignalBroadcasted(_)
        | Reply::ResourceDeleted(_)
        | Reply::DecisionEvaluated(_) => (),
    }
}
