//! A data directory with a past: two segments, two snapshots, a store, and some running instances.

use std::fmt::Write;

use coreto_protocol::inspect::{Instance, Job, Variable};

use super::{Chance, Client, Directory, Settings, one_task, until};

/// Letters of an instance, so that a segment of four megabytes is full after some seventy of them.
const LETTERS: usize = 60_000;

pub(crate) struct Plant {
    pub(crate) directory: Directory,
    /// What a server tells of it.
    pub(crate) told: String,
}

impl Plant {
    /// Both snapshots are at the beginning of the log, which is whole.
    pub(crate) async fn grow() -> Self {
        let directory = Directory::new();
        snapshots(&directory).await;
        let settings = Settings::new(&directory).configure("");
        let server = settings.start();
        let client = server.client().await;
        create(&client, 90).await;
        let told = tell(&client).await;
        server.stop().await;
        Self { directory, told }
    }

    /// Both snapshots are at the end of the log, and nothing is left of what is before them.
    pub(crate) async fn grow_trimmed() -> Self {
        let Self { directory, .. } = Self::grow().await;
        snapshots(&directory).await;
        let server = Settings::new(&directory).configure("").start();
        let told = tell(&server.client().await).await;
        server.stop().await;
        assert_eq!(directory.partition_files("log").len(), 1);
        Self { directory, told }
    }

    /// The same once more, to be damaged.
    pub(crate) fn copy(&self) -> Directory {
        self.directory.copy()
    }
}

/// Lets a server write two snapshots more, each at another place.
async fn snapshots(directory: &Directory) {
    let settings = Settings::new(directory).configure("[snapshot]\nlog-bytes = 1\n");
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    for _ in 0..2 {
        let before = directory.partition_files("snapshot");
        until("a snapshot is written", async || {
            create(&client, 1).await;
            (directory.partition_files("snapshot").last() != before.last()).then_some(())
        })
        .await;
    }
    server.stop().await;
}

async fn create(client: &Client, count: u64) {
    for number in 0..count {
        let letters = Chance::new(number).letters(LETTERS);
        client.create("order", &format!(r#"{{"letters":"{letters}"}}"#)).await.unwrap();
    }
}

/// All that a server holds, as text.
pub(crate) async fn tell(client: &Client) -> String {
    let mut told = String::new();
    for instance in client.instances().await.unwrap() {
        let found = client.instance(instance.key).await.unwrap();
        let state = instance.state().as_str_name();
        let Instance { key, process_id, version, .. } = instance;
        writeln!(told, "instance {key} of {process_id} {version}: {state}").unwrap();
        for element in found.element_instances {
            let state = element.state().as_str_name();
            writeln!(
                told,
                "  element {} {} in {}: {state}",
                element.key, element.element_id, element.scope_key
            )
            .unwrap();
        }
        for Variable { key, scope_key, name, value } in found.variables {
            writeln!(told, "  variable {key} {name} in {scope_key}: {value}").unwrap();
        }
        for job in found.jobs {
            let state = job.state().as_str_name();
            let Job { key, r#type, retries, worker, .. } = job;
            writeln!(told, "  job {key} {}, {retries} retries, worker `{worker}`: {state}", r#type).unwrap();
        }
        for incident in found.incidents {
            writeln!(told, "  incident {} {}", incident.key, incident.error_type).unwrap();
        }
    }
    told
}
