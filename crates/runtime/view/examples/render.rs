//! What a record costs an exporter: decoding, rendering, and making the body of a request.
//!
//! `cargo run --release -p coreto-view --example render -- [INSTANCES]`
#![allow(clippy::unwrap_used, reason = "a measurement ends where something is wrong")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use coreto_engine::Engine;
use coreto_partition::{Record, records};
use coreto_record::command::CompleteJob;
use coreto_record::{Command, Document, Event, Key};
use coreto_view::{ElasticsearchConfig, ElasticsearchSink, Filter, Renderer};
use support::{Stage, create, deploy};

const ONE_TASK: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="one-task" isExecutable="true"><startEvent id="start"/><sequenceFlow id="a" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="b" sourceRef="task" targetRef="end"/><endEvent id="end"/></process></definitions>"#;

fn visit(payloads: &[Vec<u8>], mut each: impl FnMut(Record<Engine>)) {
    for payload in payloads {
        records::<Engine>(payload, &mut each).unwrap();
    }
}

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints measurements")]
fn main() {
    let instances = std::env::args().nth(1).map_or(20_000, |text| text.parse::<usize>().expect("a number"));
    let mut stage = Stage::default();
    stage.run(deploy("one-task.bpmn", ONE_TASK)).unwrap();
    stage.payloads.clear();
    stage.stream("work");
    let variables = format!(r#"{{"lg":"0123456789abcdef","pad":"{}"}}"#, "x".repeat(60));
    for _ in 0..instances {
        stage.run(create("one-task", &variables)).unwrap();
        let mut job = None;
        visit(&stage.payloads[stage.payloads.len() - 1..], |record| {
            if let coreto_partition::Body::Event(Event::JobsActivated(activated)) = record.body {
                job = activated.jobs.first().map(|job| job.key);
            }
        });
        let job = job.expect("the job was pushed");
        stage.run(Command::CompleteJob(CompleteJob { job, variables: Document::EMPTY })).unwrap();
        assert!(job.raw() > 0);
    }

    for _ in 0..3 {
        let start = Instant::now();
        let mut count = 0usize;
        visit(&stage.payloads, |record| count += usize::from(Filter::All.passes(&record)));
        let decoded = start.elapsed();

        let mut renderer = Renderer::new(1, stage.definitions());
        let mut out = Vec::new();
        let mut bytes = 0;
        let start = Instant::now();
        visit(&stage.payloads, |record| {
            if Filter::All.passes(&record) {
                out.clear();
                renderer.render(&record, Some(record.position), &mut out).unwrap();
                bytes += out.len();
            }
        });
        let rendered = start.elapsed();
        println!(
            "{} records per instance, {} bytes each; decode {:.0} ns, decode and render {:.0} ns per record, {:.2} µs per instance",
            count / instances,
            bytes / count,
            decoded.as_nanos() as f64 / count as f64,
            rendered.as_nanos() as f64 / count as f64,
            rendered.as_nanos() as f64 / instances as f64 / 1000.0
        );
    }
    drop(ElasticsearchSink::new(ElasticsearchConfig::new("http://127.0.0.1:9200")));
}
