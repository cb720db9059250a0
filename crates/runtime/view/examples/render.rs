//! What a record costs an exporter: decoding, rendering, and making the body of a request.
//!
//! `cargo run --release -p coreto-view --example render -- [INSTANCES]`
#![allow(clippy::unwrap_used, reason = "a measurement ends where something is wrong")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use coreto_engine::Engine;
use coreto_partition::{Record, records};
use coreto_record::command::CompleteJob;
use coreto_record::protocol::ValueType;
use coreto_record::{Command, Event};
use coreto_view::{Document, ElasticsearchConfig, ElasticsearchSink, Filter, Renderer, Sink};
use support::{Known, Stage, create, deploy};

const ONE_TASK: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="one-task" isExecutable="true"><startEvent id="start"/><sequenceFlow id="a" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="work"/></extensionElements></serviceTask>
<sequenceFlow id="b" sourceRef="task" targetRef="end"/><endEvent id="end"/></process></definitions>"#;

fn visit(payloads: &[Vec<u8>], mut each: impl FnMut(Record<Engine>)) {
    for payload in payloads {
        records::<Engine>(payload, &mut each).unwrap();
    }
}

/// Processor time of this thread in nanoseconds, which other programs on the machine do not lengthen.
fn processor_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// A server that answers everything with one word of praise; its processor time is not this thread's.
fn sink_of_nothing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some(length) = head(&mut stream) {
                std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink()).unwrap();
                let answer = br#"{"took":1,"errors":false,"items":[]}"#;
                write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len())
                    .unwrap();
                stream.get_mut().write_all(answer).unwrap();
            }
        }
    });
    url
}

/// The length of the body that follows.
fn head(stream: &mut impl BufRead) -> Option<u64> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(length);
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
}

/// The payloads of the definitions, and those of `instances` one-task instances.
fn recorded(instances: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut stage = Stage::default();
    stage.run(deploy("one-task.bpmn", ONE_TASK)).unwrap();
    let definitions = std::mem::take(&mut stage.payloads);
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
        let variables = coreto_record::Document::EMPTY;
        stage.run(Command::CompleteJob(CompleteJob { job, variables })).unwrap();
    }
    (definitions, stage.payloads)
}

/// How many records there are, and the nanoseconds of decoding them.
fn decode(payloads: &[Vec<u8>]) -> (usize, u64) {
    let start = processor_ns();
    let mut count = 0usize;
    visit(payloads, |record| count += usize::from(Filter::All.passes(&record)));
    (count, processor_ns() - start)
}

/// How many bytes of JSON there are, and the nanoseconds of decoding and rendering.
fn render(definitions: &[Vec<u8>], payloads: &[Vec<u8>]) -> (usize, u64) {
    let mut renderer = Renderer::new(1, Known::of(definitions));
    let mut out = Vec::new();
    let mut bytes = 0;
    let start = processor_ns();
    visit(payloads, |record| {
        if Filter::All.passes(&record) {
            out.clear();
            renderer.render(&record, Some(record.position), &mut out).unwrap();
            bytes += out.len();
        }
    });
    (bytes, processor_ns() - start)
}

/// The nanoseconds of decoding, rendering and sending.
fn send(definitions: &[Vec<u8>], payloads: &[Vec<u8>]) -> u64 {
    let mut renderer = Renderer::new(1, Known::of(definitions));
    let mut sink = ElasticsearchSink::new(ElasticsearchConfig::new(sink_of_nothing())).unwrap();
    let mut out = Vec::new();
    let start = processor_ns();
    visit(payloads, |record| {
        if Filter::All.passes(&record) {
            out.clear();
            renderer.render(&record, Some(record.position), &mut out).unwrap();
            sink.add(&Document {
                partition: 1,
                position: record.position,
                value_type: ValueType::Job,
                timestamp: record.timestamp,
                json: &out,
            });
            if sink.is_full() {
                sink.flush().unwrap();
            }
        }
    });
    processor_ns() - start
}

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "it prints measurements")]
fn main() {
    let instances = std::env::args().nth(1).map_or(20_000, |text| text.parse::<usize>().expect("a number"));
    let (definitions, payloads) = recorded(instances);
    for _ in 0..3 {
        let (count, decoded) = decode(&payloads);
        let (bytes, rendered) = render(&definitions, &payloads);
        let sent = send(&definitions, &payloads);
        let per_record = |ns: u64| ns as f64 / count as f64;
        println!(
            "{} records per instance, {} bytes each; per record: decode {:.0} ns, and render {:.0} ns, and send {:.0} ns; {:.2} µs per instance",
            count / instances,
            bytes / count,
            per_record(decoded),
            per_record(rendered),
            per_record(sent),
            sent as f64 / instances as f64 / 1000.0
        );
    }
}
