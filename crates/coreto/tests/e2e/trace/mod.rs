//! System calls of the real program: each answer is sent after the sync that follows its write to the log.

mod calls;
mod frames;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tonic::Code;

use crate::support::{Client, Directory, PATIENCE, Poll, Settings, one_task, skip};
use calls::{Call, moments};
use frames::{Frames, Kind};

/// Whether processes can be traced here.
fn can_trace() -> bool {
    let status = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn tracer(to: &Path) -> Vec<String> {
    let calls = "trace=pwrite64,fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg";
    let line = ["strace", "-f", "-yy", "-xx", "-s", "1000000", "-e", "signal=none", "-e", calls, "-o"];
    line.into_iter().map(str::to_owned).chain([to.to_str().unwrap().to_owned()]).collect()
}

/// Sends one command after the other, those that are rejected too; gives how many.
async fn command_by_command(client: &Client) -> usize {
    const LOCK: Duration = Duration::from_secs(600);
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let cancelled = client.create("order", r#"{"id":1}"#).await.unwrap();
    client.cancel(cancelled).await.unwrap();
    let key = client.create("order", r#"{"id":2}"#).await.unwrap();
    client.set_variables(key, r#"{"name":"value"}"#).await.unwrap();
    let poll = || Poll { job_type: "order", max: 1, wait: PATIENCE, lock: LOCK };
    let job = client.poll(poll()).await.unwrap().remove(0).key;
    client.fail(job, 3).await.unwrap();
    let again = client.poll(poll()).await.unwrap().remove(0).key;
    assert_eq!(again, job);
    client.update_retries(job, 7).await.unwrap();
    client.update_timeout(job, LOCK).await.unwrap();
    client.complete(job, r#"{"done":true}"#).await.unwrap();
    for rejected in [client.complete(job, "{}").await, client.resolve(job).await, client.cancel(key).await] {
        assert_eq!(rejected.unwrap_err().code(), Code::NotFound);
    }
    client.create("order", r#"{"id":3}"#).await.unwrap();
    let job = client.poll(poll()).await.unwrap().remove(0).key;
    client.throw_error(job, "code").await.unwrap();
    17
}

/// What was seen of the server so far.
#[derive(Default)]
struct Seen {
    /// Both directions of each connection.
    connections: BTreeMap<String, (Frames, Frames)>,
    /// Calls of which a part of the answer was sent.
    begun: BTreeSet<(String, u32)>,
    /// Since the last request, a batch was written to the log; and then synced.
    written: bool,
    synced: bool,
    answers: usize,
}

impl Seen {
    fn note(&mut self, call: &Call, gateway: &str) {
        let is_log = call.place.ends_with(".log");
        let is_gateway = call.place.starts_with(gateway);
        match (&*call.name, call.result) {
            ("pwrite64", Some(1..)) if is_log => self.written = true,
            ("fdatasync", Some(0)) if is_log => self.synced = self.written,
            ("read" | "readv" | "recvfrom" | "recvmsg", Some(1..)) if is_gateway => {
                let frames = self.connections.entry(call.place.clone()).or_default().0.take(&call.bytes);
                if frames.iter().any(|frame| frame.kind == Kind::Headers) {
                    (self.written, self.synced) = (false, false);
                }
            }
            ("write" | "writev" | "sendto" | "sendmsg", None) if is_gateway => self.note_sent(call),
            _ => (),
        }
    }

    fn note_sent(&mut self, call: &Call) {
        for frame in self.connections.entry(call.place.clone()).or_default().1.take(&call.bytes) {
            let answer = match frame.kind {
                Kind::Data => true,
                // Headers alone open a stream, and end an answer that has begun or is an error.
                Kind::Headers => frame.is_last && !self.begun.contains(&(call.place.clone(), frame.stream)),
                Kind::Other => false,
            };
            if answer {
                self.begun.insert((call.place.clone(), frame.stream));
                self.answers += 1;
                assert!(self.synced, "answer {} left before its batch was durable: {call:?}", self.answers);
            }
        }
    }
}

#[tokio::test]
async fn every_answer_follows_the_sync_of_its_batch() {
    if !can_trace() {
        return skip("strace is not there, or may not trace");
    }
    let directory = Directory::new();
    let trace = directory.join("trace");
    let server = Settings::new(&directory).run_by(tracer(&trace)).start();
    let gateway = format!("TCP:[{}->", server.grpc);
    let client = server.client().await;
    let commands = command_by_command(&client).await;
    // A job that is pushed leaves after the sync of the batch that made it, as the answer to the creation does.
    let mut stream = client.stream("order", PATIENCE).await.unwrap();
    let key = client.create("order", r#"{"id":4}"#).await.unwrap();
    let job = stream.message().await.unwrap().unwrap();
    assert_eq!(job.process_instance_key, key);
    drop((stream, client));
    server.stop().await;

    let mut seen = Seen::default();
    for call in moments(&std::fs::read_to_string(&trace).unwrap()) {
        seen.note(&call, &gateway);
    }
    assert_eq!(seen.answers, commands + 2);
}
