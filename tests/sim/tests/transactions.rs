//! What the partition without threads promises: all or nothing, nothing early, nothing twice.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use coreto_machine::{Caller, Channel, Place, Tenant, Timestamp};
use coreto_partition::store::{MemoryStore, Store};
use coreto_partition::{
    Acknowledgement, Address, Answer, Limits, Mailbox, Partition, Request, Sealed, Submission, Taken,
};
use coreto_sim::toy::{self, Command, Fan, Fill, Gift, Later, Pair, Query, Toy};

/// Answers in the order in which they came.
#[derive(Default)]
struct Answers(Mutex<Vec<(u64, String)>>);

impl Mailbox<Toy> for Answers {
    fn put(&self, ticket: u64, answer: Answer<Toy>) {
        let text = match answer {
            Answer::Reply(number) => format!("reply {number}"),
            Answer::Rejected(rejection) => format!("rejected: {}", rejection.reason),
            Answer::Answered(answer) => format!("{answer:?}"),
            Answer::Lost { reason } => format!("lost: {reason}"),
            Answer::KeyMisused => "key misused".to_owned(),
            Answer::KeysFull => "keys full".to_owned(),
        };
        self.0.lock().unwrap().push((ticket, text));
    }
    fn flush(&self) {}
}

struct Bench {
    partition: Partition<Toy>,
    answers: Arc<Answers>,
    tickets: u64,
    log: Vec<Vec<u8>>,
    limits: Limits,
}

fn place() -> Place {
    Place { number: 1, count: 2 }
}

fn fresh(limits: &Limits) -> Partition<Toy> {
    let mut seed = 0;
    let chance = Box::new(move || {
        seed += 1;
        seed
    });
    Partition::create(place(), (), limits.clone(), chance)
}

impl Bench {
    fn new(limits: Limits) -> Self {
        let mut partition = fresh(&limits);
        partition.start(1);
        Self { partition, answers: Arc::default(), tickets: 0, log: Vec::new(), limits }
    }

    fn address(&mut self) -> Address<Toy> {
        self.tickets += 1;
        Address { mailbox: self.answers.clone(), ticket: self.tickets }
    }

    fn ask(&mut self, command: Command) {
        let answer = Some(self.address());
        let request = Request::new(command, Caller::anonymous(Channel::Grpc), answer);
        self.partition.take(Timestamp::from_millis(1), Submission::Request(Box::new(request)));
    }

    fn ask_keyed(&mut self, command: Command, key: &str) {
        self.ask_keyed_at(1, command, key);
    }

    fn ask_keyed_at(&mut self, millis: i64, command: Command, key: &str) {
        let answer = Some(self.address());
        let mut request = Request::new(command, Caller::anonymous(Channel::Grpc), answer);
        request.idempotency_key = Some((Tenant::DEFAULT, key.into()));
        self.partition.take(Timestamp::from_millis(millis), Submission::Request(Box::new(request)));
    }

    /// Closes the batch, keeps it, and lets out what may leave now.
    fn seal(&mut self) -> Sealed<Toy> {
        let mut sealed = self.partition.seal(Vec::new());
        for (address, answer) in sealed.answers.drain(..) {
            address.mailbox.put(address.ticket, answer);
        }
        if !sealed.payload.is_empty() {
            self.log.push(sealed.payload.clone());
        }
        sealed
    }

    fn answers(&self) -> Vec<String> {
        std::mem::take(&mut *self.answers.0.lock().unwrap())
            .into_iter()
            .map(|(ticket, text)| format!("{ticket}: {text}"))
            .collect()
    }

    fn values(&self) -> Vec<(String, u64)> {
        self.partition.state().values.range(..).map(|(name, value)| (name.to_string(), **value)).collect()
    }

    /// A new partition from the log takes this one's place.
    fn restart(&mut self) {
        let mut again = fresh(&self.limits);
        for batch in &self.log {
            again.replay(batch).unwrap();
        }
        again.start(2);
        self.partition = again;
    }

    /// Everything again from the log must give the same state.
    fn check_replay(&mut self) {
        self.seal();
        let mut again = fresh(&self.limits);
        for batch in &self.log {
            again.replay(batch).unwrap();
        }
        assert_eq!(again.fingerprint(), self.partition.fingerprint());
    }

    /// A new partition from a full checkpoint takes this one's place.
    fn restore(&mut self) {
        self.seal();
        self.partition.rewrite();
        let mut store = MemoryStore::default();
        while self.partition.is_rewriting() {
            let Taken { changes, is_whole } = self.partition.take_changes();
            store.write(is_whole.then_some(1), changes.into_entries()).unwrap();
        }
        self.load(&store);
    }

    /// A new partition from a store takes this one's place, and must be as it was.
    fn load(&mut self, store: &MemoryStore) {
        let mut again = fresh(&self.limits);
        store
            .load(&mut |table, key, value| {
                again.load(table, key, value).unwrap();
                Ok(())
            })
            .unwrap();
        again.loaded();
        again.start(2);
        assert_eq!(again.fingerprint(), self.partition.fingerprint());
        self.partition = again;
    }
}

fn pair(name: &str, value: u64) -> Pair {
    Pair { name: name.into(), value }
}

#[test]
fn nothing_leaves_an_open_batch() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Put(pair("a", 1)));
    bench.ask(Command::Put(pair("a", 0)));
    let address = bench.address();
    bench.partition.take(
        Timestamp::from_millis(1),
        Submission::Query {
            caller: Caller::internal(),
            query: Box::new(Query::Value("a".into())),
            answer: address,
        },
    );
    assert!(bench.answers().is_empty());
    bench.seal();
    assert_eq!(bench.answers(), ["1: reply 0", "2: rejected: a value is more than 0", "3: Value(Some(1))"]);
    bench.check_replay();
}

#[test]
fn a_panicking_command_leaves_only_its_rejection() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Panic(()));
    bench.ask(Command::Put(pair("b", 2)));
    bench.seal();
    assert_eq!(bench.answers(), ["1: rejected: Panicked(\"the toy was told to panic\")", "2: reply 0"]);
    assert_eq!(bench.values(), [("b".to_owned(), 2)]);
    bench.check_replay();
}

#[test]
fn a_command_that_writes_too_much_is_rejected_whole() {
    let limits = Limits { command_bytes_max: 10_000, ..Limits::default() };
    let mut bench = Bench::new(limits);
    bench.ask(Command::Fill(Fill { name: "f".into(), bytes: 20_000 }));
    bench.seal();
    assert!(bench.answers()[0].starts_with("1: rejected: TooLarge"));
    assert!(bench.values().is_empty());
    bench.check_replay();
}

#[test]
fn follow_ups_that_find_no_place_wait_and_come_in_order() {
    let limits = Limits { commands_in_batch_max: 4, ..Limits::default() };
    let mut bench = Bench::new(limits);
    bench.ask(Command::Fan(Fan { prefix: "k".into(), count: 9, panics: 0 }));
    assert_eq!(bench.values().len(), 3);
    bench.check_replay();
    for waiting in (0..6).rev() {
        assert!(bench.partition.has_pending());
        bench.partition.take_pending(Timestamp::from_millis(2));
        bench.check_replay();
        assert_eq!(bench.values().len(), 9 - waiting);
    }
    assert!(!bench.partition.has_pending());
}

#[test]
fn a_failing_follow_up_runs_alone_and_then_goes_to_fault() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Fan(Fan { prefix: "k".into(), count: 5, panics: 3 }));
    assert_eq!(bench.values().len(), 2, "what succeeded before the failure stands");
    while bench.partition.has_pending() {
        bench.partition.take_pending(Timestamp::from_millis(2));
    }
    bench.seal();
    assert_eq!(bench.answers(), ["1: reply 0"]);
    let names: Vec<_> = bench.values().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["failed k3", "k1", "k2", "k4", "k5"]);
    bench.check_replay();
}

#[test]
fn a_command_that_does_nothing_writes_nothing() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Idle(()));
    let sealed = bench.seal();
    assert!(sealed.payload.is_empty());
    assert_eq!(bench.answers(), ["1: reply 0"]);
}

#[test]
fn an_awaited_value_answers_later_and_a_restart_forgets_who_waits() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Await("x".into()));
    bench.seal();
    assert!(bench.answers().is_empty());
    bench.ask(Command::Put(pair("x", 7)));
    bench.seal();
    let mut answers = bench.answers();
    answers.sort();
    assert_eq!(answers, ["1: reply 7", "2: reply 0"]);

    bench.ask(Command::Await("y".into()));
    bench.seal();
    bench.restart();
    bench.ask(Command::Put(pair("y", 8)));
    bench.seal();
    assert_eq!(bench.answers(), ["4: reply 0"]);
    bench.check_replay();
}

#[test]
fn a_repeated_key_gets_the_kept_reply() {
    let mut bench = Bench::new(Limits { kept_replies_max: 2, ..Limits::default() });
    let later = |value| {
        Command::PutLater(Later { pair: pair("t", value), at: Timestamp::from_millis(99), number: 0 })
    };
    bench.ask_keyed(later(1), "k");
    bench.ask_keyed(later(1), "k");
    bench.ask_keyed(later(2), "k");
    bench.ask_keyed(Command::Await("z".into()), "w");
    bench.ask_keyed(Command::Await("z".into()), "w");
    bench.ask(Command::Put(pair("z", 5)));
    bench.ask_keyed(later(3), "third");
    bench.seal();
    let mut answers = bench.answers();
    answers.sort();
    assert_eq!(
        answers,
        [
            "1: reply 1",
            "2: reply 1",
            "3: key misused",
            "4: reply 5",
            "5: reply 5",
            "6: reply 0",
            "7: keys full"
        ]
    );
    assert_eq!(bench.partition.state().timers.len(), 1);
    bench.check_replay();
}

#[test]
fn a_gift_is_taken_once_however_often_its_frame_comes() {
    let mut giver = Bench::new(Limits::default());
    giver.ask(Command::Give(Gift { to: 2, ..Gift::default() }));
    giver.ask(Command::Give(Gift { to: 2, ..Gift::default() }));
    let frames = giver.seal().frames;
    assert_eq!(frames.len(), 2);

    let mut taker =
        Partition::<Toy>::create(Place { number: 2, count: 2 }, (), Limits::default(), Box::new(|| 0));
    taker.start(1);
    for index in [1, 0, 0, 1, 0, 1] {
        taker.take(Timestamp::from_millis(1), Submission::Frame(frames[index].clone()));
    }
    let counts: Vec<_> = taker.state().gifts.range(..).map(|(slot, count)| (*slot, **count)).collect();
    assert_eq!(counts, [((1, 1), 1), ((1, 2), 1)]);
    let acknowledgements = taker.seal(Vec::new()).acknowledgements;
    assert_eq!(acknowledgements.len(), 1);

    giver.partition.resend();
    assert_eq!(giver.seal().frames.len(), 2);
    giver.partition.take(Timestamp::from_millis(2), Submission::Acknowledged(acknowledgements[0]));
    giver.check_replay();
    giver.partition.resend();
    assert!(giver.seal().frames.is_empty());
}

#[test]
fn frames_go_out_in_portions_as_they_are_acknowledged() {
    // A gift takes some 70 bytes.
    let mut giver = Bench::new(Limits { frames_in_flight_bytes_max: 200, ..Limits::default() });
    for _ in 0..7 {
        giver.ask(Command::Give(Gift { to: 2, ..Gift::default() }));
    }
    let numbers = |sealed: Sealed<Toy>| sealed.frames.iter().map(|frame| frame.sequence).collect::<Vec<_>>();
    let acknowledge = |giver: &mut Bench, sequence| {
        let acknowledgement = Acknowledgement { from: 2, to: 1, sequence };
        giver.partition.take(Timestamp::from_millis(2), Submission::Acknowledged(acknowledgement));
        numbers(giver.seal())
    };
    assert_eq!(numbers(giver.seal()), [1, 2]);
    assert_eq!(acknowledge(&mut giver, 1), [3]);
    assert_eq!(acknowledge(&mut giver, 1), []);
    giver.ask(Command::Give(Gift { to: 2, ..Gift::default() }));
    assert_eq!(numbers(giver.seal()), []);
    giver.partition.resend();
    assert!(!giver.partition.is_empty());
    assert_eq!(numbers(giver.seal()), [2, 3], "what is not acknowledged, and no more than before");
    giver.restart();
    assert_eq!(numbers(giver.seal()), [2, 3]);
    // The receiver had got more before the restart.
    assert_eq!(acknowledge(&mut giver, 5), [6, 7]);
    assert_eq!(acknowledge(&mut giver, 7), [8]);
    assert_eq!(acknowledge(&mut giver, 8), []);
    giver.partition.resend();
    assert!(giver.partition.is_empty());
    giver.check_replay();
}

#[test]
fn ticks_take_a_bounded_number_of_timers() {
    let mut bench = Bench::new(Limits::default());
    for value in 1..=7 {
        let later =
            Later { pair: pair(&format!("t{value}"), value), at: Timestamp::from_millis(50), number: 0 };
        bench.ask(Command::PutLater(later));
    }
    bench.seal();
    bench.partition.tick(Timestamp::from_millis(49));
    assert!(bench.partition.is_empty());
    for fired in [3, 6, 7, 7] {
        bench.partition.tick(Timestamp::from_millis(50));
        assert_eq!(bench.values().len(), fired);
        bench.check_replay();
    }
}

#[test]
fn owed_effects_come_again_until_they_arrived() {
    let mut bench = Bench::new(Limits::default());
    bench.ask(Command::Owe(pair("parcel", 1)));
    assert_eq!(bench.seal().effects, [toy::Deliver { number: 1 }]);
    bench.partition.owe();
    assert_eq!(bench.seal().effects, [toy::Deliver { number: 1 }]);
    bench.ask(Command::Delivered(1));
    bench.partition.owe();
    assert!(bench.seal().effects.is_empty());
    bench.check_replay();
}

#[test]
fn a_keyed_request_that_is_answered_later_is_not_carried_out_again_after_a_restart() {
    let mut bench = Bench::new(Limits::default());
    bench.ask_keyed(Command::Await("x".into()), "key");
    bench.seal();
    bench.ask_keyed(Command::Await("x".into()), "key");
    assert_eq!(bench.partition.state().awaited.len(), 1, "who repeats it waits for the same answer");
    bench.check_replay();

    bench.restart();
    bench.ask_keyed(Command::Await("x".into()), "key");
    bench.ask_keyed(Command::Await("y".into()), "key");
    bench.seal();
    assert_eq!(bench.partition.state().awaited.len(), 1);
    let answers = bench.answers();
    assert!(
        answers[0].starts_with("3: lost: the request with this idempotency key was carried out"),
        "{answers:?}"
    );
    assert_eq!(answers[1], "4: key misused");
    bench.check_replay();
}

/// A command that answers at once, and differs by its value.
fn put_later(value: u64) -> Command {
    Command::PutLater(Later { pair: pair("t", value), at: Timestamp::from_millis(i64::MAX), number: 0 })
}

#[test]
fn kept_replies_are_bounded_by_their_bytes_and_make_room_when_they_expire() {
    let mut bench = Bench::new(Limits { kept_replies_bytes_max: 600, ..Limits::default() });
    for (value, key) in (1..).zip(["a", "b", "c", "d"]) {
        bench.ask_keyed(put_later(value), key);
    }
    bench.ask_keyed(put_later(1), "a");
    bench.restore();
    bench.ask_keyed(put_later(4), "d");
    bench.seal();
    let expected = ["1: reply 1", "2: reply 2", "3: reply 3", "4: keys full", "5: reply 1", "6: keys full"];
    assert_eq!(bench.answers(), expected);

    let day = 24 * 3600 * 1000;
    bench.ask_keyed_at(day, put_later(4), "d");
    bench.ask_keyed_at(day + 1, put_later(4), "d");
    bench.seal();
    bench.ask_keyed_at(day + 2, put_later(4), "d");
    bench.seal();
    assert_eq!(bench.answers(), ["7: keys full", "8: reply 4", "9: reply 4"]);
    assert_eq!(bench.partition.state().timers.len(), 4);
}

#[test]
fn answers_that_come_later_do_not_exceed_the_bytes_of_kept_replies() {
    let mut bench = Bench::new(Limits { kept_replies_bytes_max: 600, ..Limits::default() });
    for key in ["a", "b", "c", "d"] {
        bench.ask_keyed(Command::Await(key.into()), key);
    }
    bench.ask(Command::Put(pair("a", 5)));
    bench.ask_keyed(Command::Await("a".into()), "a");
    bench.check_replay();
    let mut answers = bench.answers();
    answers.sort();
    assert_eq!(answers[..3], ["1: reply 5", "4: keys full", "5: reply 0"]);
    assert!(
        answers[3].starts_with("6: lost: the request with this idempotency key was carried out"),
        "{answers:?}"
    );
    bench.restore();
}

#[test]
fn a_new_store_is_filled_in_portions_while_the_partition_goes_on() {
    const PORTION: usize = 10;
    let mut bench = Bench::new(Limits { entries_rewritten_at_once: PORTION, ..Limits::default() });
    for number in 10..90 {
        bench.ask(Command::Put(pair(&format!("k{number}"), 1)));
    }
    bench.seal();
    // What an earlier store has been told the new one is told again.
    while !bench.partition.take_changes().is_whole {}
    bench.partition.rewrite();
    let mut store = MemoryStore::default();
    let mut portions = 0;
    while bench.partition.is_rewriting() {
        let remains = 89 - portions;
        bench.ask(Command::Put(pair("k10", 2 + portions)));
        bench.ask(Command::Remove(format!("k{remains}").into()));
        bench.ask(Command::Remove(format!("k{}", 11 + portions).into()));
        bench.ask(Command::Put(pair(&format!("new{portions}"), 3)));
        bench.seal();
        let Taken { changes, is_whole } = bench.partition.take_changes();
        let entries = changes.into_entries();
        // Four changes of values, the counters and how far the partition is come on top.
        assert!(entries.len() <= PORTION + 8, "{} entries at once", entries.len());
        let keys: BTreeSet<_> = entries.iter().map(|change| (change.table, change.key.clone())).collect();
        assert_eq!(keys.len(), entries.len(), "a key stands once");
        store.write(is_whole.then_some(1), entries).unwrap();
        assert_eq!(store.applied().is_ok(), is_whole);
        portions += 1;
    }
    assert!(portions >= 6, "{portions} portions");
    bench.load(&store);
}
