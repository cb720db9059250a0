//! Exporters before a real partition and a server that misbehaves.
#![allow(clippy::unwrap_used, reason = "a test ends where it is wrong")]

#[path = "support/plant.rs"]
mod plant;
#[path = "support/server.rs"]
mod server;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use coreto_log::{Cursor, PartitionLog, Retention};
use coreto_view::{ElasticsearchConfig, ElasticsearchSink, Filter, NdjsonSink, OnRefusal, Tail};
use plant::{Plant, lines, partition, until};
use server::{Deed, Server, Taken};

const SOON: Duration = Duration::from_millis(5);

/// Long enough for a first request to become full, also where there is much else to do.
const LATER: Duration = Duration::from_secs(2);

fn sink(server: &Server) -> ElasticsearchSink {
    sink_of(server.url(), 1000)
}

fn sink_of(url: String, bulk_documents: usize) -> ElasticsearchSink {
    let patience = Duration::from_secs(3);
    ElasticsearchSink::new(ElasticsearchConfig { bulk_documents, patience, ..ElasticsearchConfig::new(url) })
        .unwrap()
}

fn skipping(server: &Server, bulk_documents: usize) -> ElasticsearchSink {
    let on_refusal = OnRefusal::Skip;
    let config = ElasticsearchConfig { bulk_documents, on_refusal, ..ElasticsearchConfig::new(server.url()) };
    ElasticsearchSink::new(config).unwrap()
}

/// Positions that the log holds and the filter `all` lets pass, as a file of lines shows them.
fn exported_positions(plant: &Plant) -> BTreeSet<u64> {
    let path = plant.path("reference.json");
    let config_of_its_own = coreto_view::Config {
        name: "reference".into(),
        partition: partition(),
        log: std::sync::Arc::clone(&plant.log),
        handle: plant.handle.clone(),
        filter: Filter::All,
        delay: Duration::ZERO,
    };
    let sink = NdjsonSink::open(path.to_str().unwrap()).unwrap();
    let running = coreto_view::Exporter::new(config_of_its_own, sink).start().unwrap();
    plant.await_export(&running);
    running.stop();
    lines(&path).iter().map(|record| record["position"].as_u64().unwrap()).collect()
}

fn positions(taken: &[Taken]) -> BTreeSet<u64> {
    taken.iter().map(|document| document.record["position"].as_u64().unwrap()).collect()
}

/// Ids and `sequence` are the same whenever a record is sent, and `sequence` counts each value type without gaps.
fn check_sequences(taken: &[Taken]) {
    let mut by_id = BTreeMap::new();
    for document in taken {
        let record = &document.record;
        assert_eq!(document.id, format!("1-{}", record["position"]));
        assert_eq!(document.routing, "1");
        let sequence = record["sequence"].as_u64().unwrap();
        let before = by_id.insert(document.id.clone(), (record["valueType"].to_string(), sequence));
        assert!(before.is_none_or(|(_, before)| before == sequence), "{} changed its sequence", document.id);
    }
    let mut by_type: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for (value_type, sequence) in by_id.into_values() {
        assert!(by_type.entry(value_type).or_default().insert(sequence), "a sequence is given twice");
    }
    for (value_type, sequences) in by_type {
        let expected: BTreeSet<u64> = (1..=sequences.len() as u64).map(|count| (1 << 51) + count).collect();
        assert_eq!(sequences, expected, "{value_type}");
    }
}

#[test]
fn sends_every_record_once_in_order() {
    let plant = Plant::new("once");
    plant.deploy();
    let server = Server::new([]);
    let running = plant.export(sink(&server), SOON);
    plant.create(30);
    plant.await_export(&running);
    running.stop();
    let taken = server.taken();
    assert_eq!(positions(&taken), exported_positions(&plant));
    assert!(taken.is_sorted_by_key(|document| document.record["position"].as_u64()));
    assert_eq!(taken.len(), positions(&taken).len(), "nothing was sent twice");
    check_sequences(&taken);
    for document in &taken {
        let record = &document.record;
        let name = record["valueType"].as_str().unwrap().to_ascii_lowercase().replace('_', "-");
        assert!(document.index.starts_with(&format!("zeebe-record_{name}_8.8.0_20")), "{}", document.index);
        if let Some(process) = record["value"].get("bpmnProcessId") {
            assert_eq!(process, "order");
        }
    }
    let puts = server.puts();
    assert!(puts[0].starts_with("PUT /_component_template/zeebe-record "), "{puts:?}");
    assert!(puts.iter().any(|put| put.starts_with("PUT /_index_template/zeebe-record_job_8.8.0 ")));
}

#[test]
fn filters_what_is_internal() {
    let plant = Plant::new("filter");
    plant.deploy();
    plant.create(2);
    plant.run(support::activate("check-stock", 2));
    let server = Server::new([]);
    let running = plant.export_only(Filter::Events, sink(&server), SOON);
    plant.await_export(&running);
    running.stop();
    let taken = server.taken();
    assert!(taken.iter().any(|document| document.record["valueType"] == "JOB"));
    assert!(taken.iter().all(|document| document.record["valueType"] != "JOB_BATCH"));
}

#[test]
fn waits_for_a_server_that_is_down() {
    let plant = Plant::new("down");
    plant.deploy();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let running = plant.export(sink_of(format!("http://{address}"), 1000), SOON);
    plant.create(3);
    until("it failed", || running.progress().failures() >= 3);
    assert_eq!(running.progress().records(), 0);
    let server = Server::on(TcpListener::bind(address).unwrap(), []);
    plant.await_export(&running);
    running.stop();
    assert_eq!(positions(&server.taken()), exported_positions(&plant));
}

#[test]
fn survives_every_kind_of_answer() {
    let plant = Plant::new("answers");
    plant.deploy();
    plant.create(20);
    let wrong = [
        Deed::Status(500),
        Deed::Status(429),
        Deed::Status(503),
        Deed::Say("SSH-2.0-nothing\r\n\r\n"),
        Deed::Say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhat"),
        Deed::Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        Deed::Say("HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"errors\":true,\"items\":[]}"),
        Deed::HangUp,
        Deed::TakeAndTear,
        Deed::Refuse(vec![0, 5, 19], 429),
    ];
    // What is wrong twice in a row, or right in between, is both met.
    let once = wrong.clone().into_iter().flat_map(|deed| [deed, Deed::Take]);
    let server = Server::new(once.chain(wrong.into_iter().take(2)));
    let running = plant.export(sink_of(server.url(), 20), SOON);
    plant.await_export(&running);
    assert!(running.progress().failures() >= 8, "{}", running.progress().failures());
    running.stop();
    assert!(server.is_done());
    let taken = server.taken();
    assert_eq!(positions(&taken), exported_positions(&plant));
    check_sequences(&taken);
}

#[test]
fn repeats_only_documents_that_were_not_taken() {
    let plant = Plant::new("partly");
    plant.deploy();
    plant.create(5);
    let server =
        Server::new([Deed::Refuse(vec![1, 3], 400), Deed::Refuse(vec![1], 503), Deed::Refuse(vec![0], 409)]);
    let running = plant.export(sink_of(server.url(), 50), LATER);
    plant.await_export(&running);
    running.stop();
    assert_eq!(server.requests()[..3], [50, 2, 1], "a document that is there already is not sent again");
    let mut expected = exported_positions(&plant);
    // The one that was "there already" was not taken a second time.
    let taken = server.taken();
    let there = expected.iter().copied().find(|position| !positions(&taken).contains(position)).unwrap();
    expected.remove(&there);
    assert_eq!(positions(&taken), expected);
}

#[test]
fn refused_document_holds_up_the_others_and_shows() {
    let plant = Plant::new("refused");
    plant.deploy();
    plant.create(5);
    // From the second request on only what was refused is sent, until the server takes it.
    let refused = [Deed::Refuse(vec![1, 3], 400), Deed::Refuse(vec![0, 1], 400), Deed::Refuse(vec![1], 400)];
    let server = Server::new(refused.into_iter().chain([Deed::TakeAfter(Duration::from_millis(300))]));
    let running = plant.export(sink_of(server.url(), 50), LATER);
    until("refusals show", || running.progress().refused() > 0);
    plant.await_export(&running);
    assert_eq!((running.progress().refused(), running.progress().left_out()), (0, 0));
    running.stop();
    assert_eq!(server.requests()[..4], [50, 2, 2, 1]);
    assert_eq!(positions(&server.taken()), exported_positions(&plant));
}

#[test]
fn leaves_out_what_is_refused_three_times_when_it_is_told_to() {
    let plant = Plant::new("left-out");
    plant.deploy();
    plant.create(5);
    // Two are refused for what is in them, one of them once more than allowed; the third only met a busy server.
    let server = Server::new([
        Deed::Refuse(vec![1, 3, 7], 400),
        Deed::Refuse(vec![0, 1], 413),
        Deed::Refuse(vec![0, 1], 429),
        Deed::Refuse(vec![0], 400),
    ]);
    let running = plant.export(skipping(&server, 50), LATER);
    plant.await_export(&running);
    assert_eq!((running.progress().refused(), running.progress().left_out()), (0, 1));
    running.stop();
    assert_eq!(server.requests()[..4], [50, 3, 2, 2]);
    let missing: Vec<u64> =
        exported_positions(&plant).difference(&positions(&server.taken())).copied().collect();
    assert_eq!(missing.len(), 1);
}

#[test]
fn leaves_out_what_is_too_large_alone() {
    let plant = Plant::new("too-large");
    plant.deploy();
    plant.create(5);
    let server = Server::new(vec![Deed::Status(413); 5]);
    let running = plant.export(skipping(&server, 4), LATER);
    plant.await_export(&running);
    assert_eq!(running.progress().left_out(), 1);
    running.stop();
    assert_eq!(server.requests()[..7], [4, 2, 1, 1, 1, 3, 4], "without it as many go at once as before");
    let expected = exported_positions(&plant);
    assert_eq!(positions(&server.taken()), expected.into_iter().skip(1).collect());
}

#[test]
fn sends_less_at_once_when_that_is_too_much() {
    let plant = Plant::new("too-much");
    plant.deploy();
    plant.create(5);
    let server = Server::new([Deed::Status(413), Deed::Status(413)]);
    let running = plant.export(sink_of(server.url(), 40), LATER);
    plant.await_export(&running);
    running.stop();
    assert_eq!(server.requests()[..3], [40, 20, 10]);
    assert_eq!(positions(&server.taken()), exported_positions(&plant));
}

#[test]
fn goes_on_where_it_was_with_repeats_only() {
    let plant = Plant::new("restart");
    plant.deploy();
    let server = Server::new([]);
    for round in 0..6 {
        plant.create(4);
        let running = plant.export(sink_of(server.url(), 7), SOON);
        // Ends at different places, mostly with something on its way.
        std::thread::sleep(Duration::from_millis(round * 7));
        running.stop();
    }
    // One that ends without its cursor is written: what it sent is sent again.
    let cursor = plant.log.cursor(&partition(), "tested").unwrap();
    plant.create(4);
    let running = plant.export(sink(&server), SOON);
    plant.await_export(&running);
    running.stop();
    plant.log.put_cursor(&partition(), &cursor.unwrap()).unwrap();
    let before = server.taken().len();
    let running = plant.export(sink(&server), SOON);
    plant.await_export(&running);
    running.stop();
    let taken = server.taken();
    assert!(taken.len() > before, "it repeated something");
    assert_eq!(positions(&taken), exported_positions(&plant));
    check_sequences(&taken);
}

#[test]
fn a_slow_server_holds_nobody_up() {
    let plant = Plant::new("slow");
    plant.deploy();
    let server = Server::new(vec![Deed::TakeAfter(Duration::from_millis(800)); 2]);
    let running = plant.export(sink(&server), SOON);
    plant.create(1);
    until("a request is on its way", || !server.requests().is_empty());
    let begin = Instant::now();
    plant.create(20);
    assert!(begin.elapsed() < Duration::from_millis(700), "the engine waited for the exporter");
    plant.await_export(&running);
    running.stop();
    assert_eq!(positions(&server.taken()), exported_positions(&plant));
}

#[test]
fn stops_while_its_server_does_not_answer() {
    let plant = Plant::new("stop");
    plant.deploy();
    let server = Server::new(vec![Deed::TakeAfter(Duration::from_mins(10))]);
    let running = plant.export(sink(&server), SOON);
    plant.create(1);
    until("a request is on its way", || !server.requests().is_empty());
    let begin = Instant::now();
    running.stop();
    assert!(begin.elapsed() < Duration::from_secs(11), "{:?}", begin.elapsed());
}

#[test]
fn sends_what_is_durable_when_it_is_stopped() {
    let mut plant = Plant::new("drain");
    plant.deploy();
    plant.create(1);
    let server = Server::new([]);
    let running = plant.export(sink(&server), Duration::from_hours(1));
    // Long enough to have asked for the definition, which nobody tells any more after the end.
    std::thread::sleep(Duration::from_millis(300));
    plant.create(5);
    plant.stop();
    running.stop();
    let taken = server.taken();
    let created = taken.iter().filter(|document| document.record["valueType"] == "PROCESS_INSTANCE_CREATION");
    assert_eq!(created.count(), 6);
}

#[test]
fn renders_nothing_that_it_does_not_know() {
    let mut plant = Plant::new("unknown");
    plant.deploy();
    plant.create(1);
    plant.stop();
    let server = Server::new([]);
    let running = plant.export(sink(&server), SOON);
    std::thread::sleep(Duration::from_millis(300));
    running.stop();
    for document in server.taken() {
        assert_eq!(document.record["value"]["bpmnProcessId"], "order", "{document:?}");
    }
}

#[test]
fn jumps_over_what_was_trimmed_and_says_so() {
    let plant = Plant::new("gap");
    plant.deploy();
    plant.create(1);
    let server = Server::new([]);
    let running = plant.export(sink(&server), SOON);
    plant.await_export(&running);
    running.stop();
    let cursor = plant.log.cursor(&partition(), "tested").unwrap().unwrap();
    plant.create(400);
    for _ in 0..2 {
        let upto = plant.handle.durable();
        plant.log.put_snapshot(&partition(), upto, &mut |out| out.write_all(b"x")).unwrap();
        plant.create(1);
    }
    let first = plant.log.trim(&partition(), Retention { bytes: 0, age: Duration::ZERO }).unwrap();
    assert!(first > cursor.sequence + 1, "the log was trimmed: {first}");
    let running = plant.export(sink(&server), SOON);
    plant.await_export(&running);
    assert_eq!(running.progress().skipped(), first - cursor.sequence - 1);
    running.stop();
    let taken = positions(&server.taken());
    assert!(exported_positions(&plant).is_subset(&taken));
}

#[test]
fn does_not_begin_anew_when_its_cursor_is_damaged_and_says_so() {
    let plant = Plant::new("cursor");
    plant.deploy();
    let cursor = Cursor { name: "tested".into(), sequence: plant.handle.durable(), data: Vec::new() };
    plant.log.put_cursor(&partition(), &cursor).unwrap();
    let file = plant.path("data").join("engine-1").join("tested.cursor");
    fs::write(&file, b"damaged").unwrap();
    let server = Server::new([]);
    let running = plant.export(sink(&server), SOON);
    until("it says so", || running.progress().halted().is_some());
    let why = running.progress().halted().unwrap().to_owned();
    assert!(why.contains(file.to_str().unwrap()) && why.contains("damaged"), "{why}");
    plant.create(1);
    running.stop();
    assert!(server.requests().is_empty());
}

#[test]
fn writes_lines_and_mends_a_torn_one() {
    let plant = Plant::new("lines");
    plant.deploy();
    let path = plant.path("out.json");
    let open = || NdjsonSink::open(path.to_str().unwrap()).unwrap();
    let running = plant.export(open(), Duration::ZERO);
    plant.create(5);
    plant.await_export(&running);
    running.stop();
    let whole = fs::read(&path).unwrap();
    let before = lines(&path);
    assert!(before.iter().all(|record| record.get("sequence").is_none()));

    for torn in [&b"{\"position\":17,\"source"[..], b"{\"pos", b"{"] {
        fs::write(&path, [&whole, torn].concat()).unwrap();
        drop(open());
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    fs::write(&path, [&whole[..], b"somebody else's"].concat()).unwrap();
    drop(open());
    assert!(fs::read(&path).unwrap().ends_with(b"somebody else's\n"), "what is not ours stays");
    fs::write(&path, &whole).unwrap();

    let running = plant.export(open(), Duration::ZERO);
    plant.create(5);
    plant.await_export(&running);
    running.stop();
    let found: Vec<u64> = lines(&path).iter().map(|record| record["position"].as_u64().unwrap()).collect();
    assert!(found.is_sorted(), "{found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), exported_positions(&plant));
}

#[test]
fn what_cannot_be_synced_holds_no_log_back() {
    let plant = Plant::new("device");
    plant.deploy();
    let running = plant.export(NdjsonSink::open("/dev/null").unwrap(), Duration::ZERO);
    plant.create(5);
    plant.await_export(&running);
    running.stop();
    let cursor = plant.log.cursor(&partition(), "tested").unwrap();
    assert_eq!(cursor.map(|cursor| cursor.sequence), Some(plant.handle.durable()));
}

#[test]
fn watches_from_now_on_or_from_a_position() {
    let plant = Plant::new("watch");
    plant.deploy();
    plant.create(2);
    let tail = |instance, after| Tail {
        partition: partition(),
        log: std::sync::Arc::clone(&plant.log),
        handle: plant.handle.clone(),
        instance,
        events: true,
        commands: false,
        rejections: true,
        after,
    };
    let collect = |tail: Tail<coreto_log::DiskLog>, happen: &dyn Fn()| {
        let begun = tail.begin().unwrap();
        happen();
        let mut found = Vec::new();
        let put = |tailed: coreto_view::Tailed| {
            found.extend(
                tailed.records.iter().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap()),
            );
            true
        };
        begun.run(put, || true).unwrap();
        found
    };
    let nothing = || ();
    assert!(collect(tail(None, None), &nothing).is_empty());
    let all = collect(tail(None, Some(0)), &nothing);
    assert_eq!(all.len(), exported_positions(&plant).len());
    let middle = all[all.len() / 2]["position"].as_u64().unwrap();
    let rest = collect(tail(None, Some(middle)), &nothing);
    assert_eq!(rest, all[all.len() / 2 + 1..]);

    let new = collect(tail(None, None), &|| plant.create(1));
    let instance = new[0]["value"]["processInstanceKey"].as_u64().unwrap();
    let key = coreto_record::Key::from_raw(instance);
    let of_one = collect(tail(Some(key), Some(0)), &nothing);
    assert_eq!(of_one.len(), new.len());
    assert!(of_one.iter().all(|record| record["value"]["processInstanceKey"] == instance));
}
