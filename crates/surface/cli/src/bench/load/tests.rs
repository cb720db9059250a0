use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(arguments: &str) -> Options {
    let line = format!("bench {arguments}");
    Line::try_parse_from(line.split_ascii_whitespace()).unwrap().options
}

const WINDOW: Window = Window { start: 0, end: SECOND };

fn sent(load: &mut Load<'_>) -> Vec<Call> {
    let mut calls = Vec::new();
    load.send(|call, _, _| calls.push(call));
    calls
}

fn creates(load: &mut Load<'_>) -> Vec<Call> {
    sent(load).into_iter().filter(|call| matches!(call, Call::Create { .. })).collect()
}

fn status(code: u32) -> Status {
    Status { code, message: String::new() }
}

fn number(call: Call) -> u64 {
    let Call::Create { number, .. } = call else { panic!("{call:?}") };
    number
}

#[test]
fn a_closed_loop_starts_the_next_when_one_has_ended() {
    let options = options("--concurrency 2");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    let first = creates(&mut load);
    assert_eq!(first.len(), 2);
    load.now = 5;
    load.ended(first[0], status(0));
    load.job(Job { key: 9, number: Some(number(first[0])) }, 0);
    let completes = sent(&mut load);
    assert_eq!(completes.len(), 1);
    load.now = 7;
    load.ended(completes[0], status(0));
    assert_eq!(creates(&mut load).len(), 1);
    assert_eq!((load.counts.created, load.counts.completed), (1, 1));
    let counts = &load.counts;
    let times = [&counts.create_ack, &counts.job_visible, &counts.complete_ack, &counts.instance];
    assert_eq!(times.map(|histogram| histogram.max().as_nanos()), [5, 5, 2, 7]);
}

#[test]
fn a_message_is_published_once_its_instance_is_there() {
    let options = options("--concurrency 1 --scenario message");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    let create = creates(&mut load)[0];
    load.now = 5;
    load.ended(create, status(0));
    let publish = sent(&mut load)[0];
    assert_eq!(publish, Call::Publish { number: number(create), sent: 5, attempt: 0 });
    load.now = 8;
    load.job(Job { key: 9, number: Some(number(create)) }, 0);
    load.now = 9;
    load.ended(publish, status(0));
    let counts = &load.counts;
    let times = [&counts.correlate, &counts.publish_ack, &counts.job_visible];
    assert_eq!(times.map(|histogram| histogram.max().as_nanos()), [3, 4, 8]);
}

#[test]
fn an_instance_ends_once_however_its_answers_cross() {
    let options = options("--concurrency 1");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    let create = creates(&mut load)[0];
    load.job(Job { key: 9, number: Some(number(create)) }, 0);
    let complete = sent(&mut load)[0];
    load.ended(complete, status(0));
    assert!(creates(&mut load).is_empty(), "its create is not answered yet");
    load.ended(create, status(0));
    assert_eq!(creates(&mut load).len(), 1);
    load.ended(create, status(0));
    assert!(creates(&mut load).is_empty());
}

#[test]
fn tries_again_when_the_server_is_busy_and_counts_it() {
    let options = options("--concurrency 1");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    let create = creates(&mut load)[0];
    load.ended(create, status(8));
    load.tick();
    assert!(creates(&mut load).is_empty());
    load.now = load.next_due().unwrap();
    load.tick();
    let again = creates(&mut load)[0];
    assert_eq!(again, Call::Create { number: number(create), attempt: 1 });
    assert_eq!(load.counts.errors["create RESOURCE_EXHAUSTED"], 1);
    load.ended(again, status(3));
    assert_eq!(load.counts.failed, 1);
    load.now += REPLACE_AFTER;
    load.tick();
    assert_eq!(creates(&mut load).len(), 1);
}

#[test]
fn an_open_loop_counts_from_when_a_start_was_due() {
    let options = options("--rate 1000 --outstanding-max 5");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    load.tick();
    assert_eq!(creates(&mut load).len(), 1);
    load.now = 10 * MILLI;
    load.tick();
    let late = creates(&mut load);
    assert_eq!(late.len(), 4);
    assert_eq!(load.counts.left_out, 6);
    load.ended(late[0], status(0));
    assert_eq!(load.counts.create_ack.max().as_nanos(), u128::from(9 * MILLI));
    load.now = 2 * SECOND;
    load.tick();
    assert_eq!(load.next_due().filter(|due| *due < SECOND), None);
}

#[test]
fn a_poll_worker_holds_no_more_than_it_may() {
    let options = options("--worker poll --max-jobs 10");
    let mut load = Load::new(&options, WINDOW, 1);
    load.begin();
    let polls = |load: &mut Load<'_>| {
        let (mut calls, mut asked) = (Vec::new(), Vec::new());
        load.send(|call, path, message| {
            calls.push(call);
            if path.ends_with("/ActivateJobs") {
                asked.push(ActivateJobsRequest::decode(message).unwrap().max_jobs_to_activate);
            }
        });
        (calls, asked)
    };
    let (calls, asked) = polls(&mut load);
    assert_eq!((calls[0], &asked[..]), (Call::Poll { worker: 0, backup: false }, &[10][..]));
    for key in 0..9 {
        load.job(Job { key, number: None }, 0);
    }
    load.ended(calls[0], status(0));
    let (completes, asked) = polls(&mut load);
    let completes = completes.into_iter().filter(|call| matches!(call, Call::Complete { .. }));
    assert_eq!((completes.clone().count(), &asked[..]), (9, &[][..]));
    for complete in completes.clone().take(5) {
        load.ended(complete, status(0));
    }
    assert!(polls(&mut load).1.is_empty());
    for complete in completes.skip(5).take(3) {
        load.ended(complete, status(0));
    }
    assert_eq!(polls(&mut load).1, [9]);
    assert_eq!(load.counts.strays, 9);
}

#[test]
fn a_stream_that_is_refused_for_good_ends_the_run() {
    let options = options("");
    let mut load = Load::new(&options, WINDOW, 1);
    load.ended(Call::Stream { worker: 0 }, status(12));
    let Some(Error::Refused { call: "StreamActivatedJobs", code: 12, .. }) = load.fatal else {
        panic!("{:?}", load.fatal)
    };
}
