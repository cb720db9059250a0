//! A key-value store with timers, answers that come later, sends to other partitions and owed deliveries.

use std::sync::Arc;

use coreto_machine::{
    Admission, Caller, Fault, Handled, Head, Index, Machine, Outcome, Table, Timestamp, Token, Topic, Txn,
    message, union,
};

/// The toy.
#[derive(Debug)]
pub struct Toy;

coreto_machine::tables! {
    /// What the toy remembers.
    pub struct State {
        /// Value by name.
        1 => pub values: Table<Arc<str>, u64>,
        /// What is put later, by due time and number.
        2 => pub timers: Table<(Timestamp, u64), Pair>,
        /// Who waits for a name.
        3 => pub awaited: Table<(Arc<str>, u64), u64>,
        /// Deliveries that are owed to the world outside, until it says that they arrived.
        4 => pub owed: Table<u64, Pair>,
        /// How often each other partition's gifts arrived.
        5 => pub gifts: Table<(u32, u64), u64>,
        /// Names by value.
        6 => pub by_value: Index<(u64, Arc<str>)>,
    }
}

impl State {
    fn rebuild(&mut self) {
        for (name, value) in self.values.range(..) {
            self.by_value.insert((**value, Arc::clone(name)));
        }
    }
}

message! {
    /// A name and a value.
    pub struct Pair {
        /// The name.
        1 => pub name: Arc<str>,
        /// The value.
        2 => pub value: u64,
    }
}

message! {
    /// A pair and when it is put.
    pub struct Later {
        /// What.
        1 => pub pair: Pair,
        /// When.
        2 => pub at: Timestamp,
        /// The timer's number.
        3 => pub number: u64,
    }
}

message! {
    /// A number for another partition.
    pub struct Gift {
        /// Who gives.
        1 => pub from: u32,
        /// Who gets it.
        2 => pub to: u32,
        /// The gift's number with its giver.
        3 => pub number: u64,
    }
}

message! {
    /// Many puts from one command.
    pub struct Fan {
        /// The beginning of the names.
        1 => pub prefix: Arc<str>,
        /// How many.
        2 => pub count: u64,
        /// The one that panics, from 1; 0 for none.
        3 => pub panics: u64,
    }
}

message! {
    /// One put of many.
    pub struct Step {
        /// What.
        1 => pub pair: Pair,
        /// It panics.
        2 => pub panics: bool,
    }
}

message! {
    /// Who waits for what.
    pub struct Wait {
        /// The name.
        1 => pub name: Arc<str>,
        /// Who.
        2 => pub token: Token,
    }
}

message! {
    /// A large write.
    pub struct Fill {
        /// The name.
        1 => pub name: Arc<str>,
        /// Bytes that it writes at least.
        2 => pub bytes: u64,
    }
}

union! {
    /// A wish.
    pub enum Command {
        /// Sets a value; rejected when the value is 0.
        1 => Put(Pair),
        /// Sets a value later.
        2 => PutLater(Later),
        /// Takes a value out; rejected when there is none.
        3 => Remove(Arc<str>),
        /// Answers when a name gets a value.
        4 => Await(Arc<str>),
        /// Puts many values by follow-ups.
        5 => Fan(Fan),
        /// One of them.
        6 => Step(Step),
        /// Gives a number to another partition.
        7 => Give(Gift),
        /// A number of another partition arrives.
        8 => Take(Gift),
        /// Owes a delivery to the world outside.
        9 => Owe(Pair),
        /// A delivery has arrived.
        10 => Delivered(u64),
        /// Writes a lot.
        11 => Fill(Fill),
        /// Panics.
        12 => Panic(()),
        /// Does what is due.
        13 => Tick(()),
        /// Does nothing at all.
        14 => Idle(()),
    }
}

union! {
    /// A fact.
    pub enum Event {
        /// A value was set.
        1 => Put(Pair),
        /// A value is set later.
        2 => Scheduled(Later),
        /// A timer is gone.
        3 => Fired(Later),
        /// A value is gone.
        4 => Removed(Pair),
        /// Somebody waits.
        5 => Awaited(Wait),
        /// Nobody waits any more.
        6 => Answered(Wait),
        /// A gift arrived.
        7 => Taken(Gift),
        /// A delivery is owed.
        8 => Owed(Later),
        /// A delivery has arrived.
        9 => Delivered(u64),
        /// Somebody tried and failed inside.
        10 => Failed(Pair),
    }
}

/// The answer: a number that the command made or found.
pub type Reply = u64;

message! {
    /// Why not.
    pub struct Rejection {
        /// For people.
        1 => pub reason: Arc<str>,
    }
}

/// For the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// The delivery's number.
    pub number: u64,
}

/// A question.
pub enum Query {
    /// The value of a name.
    Value(Arc<str>),
    /// Names and values.
    All,
    /// Gifts that arrived.
    Gifts,
    /// Panics.
    Panic,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The value of a name.
    Value(Option<u64>),
    /// Names and values.
    All(Vec<(Arc<str>, u64)>),
    /// How often each gift arrived, by giver and number.
    Gifts(Vec<((u32, u64), u64)>),
}

/// Timers that one tick lets fire.
const FIRE_MAX: usize = 3;

impl Machine for Toy {
    type State = State;
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Effect = Deliver;
    type Query = Query;
    type Answer = Answer;
    type Env = ();

    fn handle(txn: &mut Txn<'_, Self>, head: &Head, command: &Command) -> Result<Outcome<Self>, Rejection> {
        match command {
            Command::Put(pair) => {
                if pair.value == 0 {
                    return Err(Rejection { reason: "a value is more than 0".into() });
                }
                put(txn, pair);
            }
            Command::PutLater(later) => {
                let number = txn.next_number();
                txn.emit(&Event::Scheduled(Later { number, ..later.clone() }));
                return Ok(Outcome::Now(number));
            }
            Command::Remove(name) => {
                let Some(value) = txn.state().values.get(name) else {
                    return Err(Rejection { reason: format!("there is no `{name}`").into() });
                };
                txn.emit(&Event::Removed(Pair { name: Arc::clone(name), value: *value }));
            }
            Command::Await(name) => {
                if let Some(value) = txn.state().values.get(name) {
                    return Ok(Outcome::Now(*value));
                }
                let Some(token) = head.token else { return Ok(Outcome::Now(0)) };
                txn.emit(&Event::Awaited(Wait { name: Arc::clone(name), token }));
                return Ok(Outcome::Later);
            }
            Command::Fan(fan) => {
                for number in 1..=fan.count {
                    let pair = Pair { name: format!("{}{number}", fan.prefix).into(), value: number };
                    txn.follow_up(Command::Step(Step { pair, panics: number == fan.panics }));
                }
            }
            Command::Step(step) => {
                put(txn, &step.pair);
                assert!(!step.panics, "the toy was told to panic");
            }
            Command::Give(gift) => {
                let number = txn.next_number();
                txn.send(gift.to, Command::Take(Gift { from: txn.place().number, to: gift.to, number }));
                txn.emit(&Event::Put(Pair { name: "given".into(), value: number }));
                return Ok(Outcome::Now(number));
            }
            Command::Take(gift) => txn.emit(&Event::Taken(gift.clone())),
            Command::Owe(pair) => {
                let number = txn.next_number();
                txn.emit(&Event::Owed(Later { pair: pair.clone(), at: head.now, number }));
                txn.effect(Deliver { number });
                return Ok(Outcome::Now(number));
            }
            Command::Delivered(number) => {
                if txn.state().owed.contains(number) {
                    txn.emit(&Event::Delivered(*number));
                }
            }
            Command::Fill(fill) => {
                let value = txn.next_number();
                for part in 0..=fill.bytes / 1000 {
                    let name = format!("{}{part}{}", fill.name, "x".repeat(1000)).into();
                    txn.emit(&Event::Put(Pair { name, value }));
                }
            }
            Command::Panic(()) => {
                txn.emit(&Event::Put(Pair { name: "never".into(), value: 1 }));
                panic!("the toy was told to panic");
            }
            Command::Tick(()) => fire(txn, head.now),
            Command::Idle(()) => (),
        }
        Ok(Outcome::Now(0))
    }

    fn fault(
        txn: &mut Txn<'_, Self>,
        _head: &Head,
        command: &Command,
        fault: &Fault,
    ) -> Result<Outcome<Self>, Rejection> {
        match command {
            Command::Step(step) => txn.emit(&Event::Failed(step.pair.clone())),
            _ => return Err(Self::refuse(fault)),
        }
        Ok(Outcome::Now(0))
    }

    fn refuse(fault: &Fault) -> Rejection {
        Rejection { reason: format!("{fault:?}").into() }
    }

    fn apply(state: &mut State, event: &Event) {
        match event {
            Event::Put(pair) => {
                assert!(!pair.name.is_empty(), "a name is not empty");
                set(state, pair);
            }
            Event::Scheduled(later) => state.timers.insert((later.at, later.number), later.pair.clone()),
            Event::Fired(later) => {
                state.timers.remove(&(later.at, later.number));
                set(state, &later.pair);
            }
            Event::Removed(pair) => {
                state.values.remove(&pair.name);
                state.by_value.remove(&(pair.value, Arc::clone(&pair.name)));
            }
            Event::Awaited(wait) => {
                state.awaited.insert((Arc::clone(&wait.name), wait.token.raw()), 1);
            }
            Event::Answered(wait) => {
                state.awaited.remove(&(Arc::clone(&wait.name), wait.token.raw()));
            }
            Event::Taken(gift) => {
                let slot = (gift.from, gift.number);
                let before = state.gifts.get(&slot).map_or(0, |count| *count);
                state.gifts.insert(slot, before + 1);
            }
            Event::Owed(later) => state.owed.insert(later.number, later.pair.clone()),
            Event::Delivered(number) => drop(state.owed.remove(number)),
            Event::Failed(pair) => {
                set(state, &Pair { name: format!("failed {}", pair.name).into(), value: pair.value });
            }
        }
    }

    fn query(state: &State, _caller: &Caller, query: &Query) -> Answer {
        match query {
            Query::Value(name) => Answer::Value(state.values.get(name).map(|value| *value)),
            Query::Panic => panic!("the toy was told to panic"),
            Query::Gifts => {
                Answer::Gifts(state.gifts.range(..).map(|(gift, count)| (*gift, **count)).collect())
            }
            Query::All => {
                Answer::All(state.values.range(..).map(|(name, value)| (Arc::clone(name), **value)).collect())
            }
        }
    }

    fn due(state: &State) -> Option<Timestamp> {
        assert!(state.values.peek(&Arc::from("fatal")).is_none(), "the toy was told to panic");
        state.timers.range(..).next().map(|((at, _), _)| *at)
    }

    fn tick() -> Command {
        Command::Tick(())
    }

    fn owed(state: &State) -> Vec<Deliver> {
        state.owed.range(..).map(|(number, _)| Deliver { number: *number }).collect()
    }

    fn touched(event: &Event, wake: &mut dyn FnMut(Topic)) {
        if let Event::Put(pair) = event {
            wake(Topic { kind: 1, key: pair.value });
        }
    }

    fn describe(command: &Command) -> Handled {
        let intent = match command {
            Command::Put(_) => 1,
            Command::Tick(()) => 2,
            _ => 3,
        };
        Handled { value_type: 1, intent, key: 0 }
    }

    fn admission(command: &Command) -> Admission {
        match command {
            Command::Remove(_) | Command::Delivered(_) => Admission::Ongoing,
            Command::Tick(()) => Admission::Internal,
            _ => Admission::NewWork,
        }
    }

    fn weight(_command: &Command) -> usize {
        100
    }

    fn abridge(command: &Command, _bytes: usize) -> Command {
        command.clone()
    }
}

fn put(txn: &mut Txn<'_, Toy>, pair: &Pair) {
    txn.emit(&Event::Put(pair.clone()));
    let waiting: Vec<_> = txn
        .state()
        .awaited
        .scan(&(Arc::clone(&pair.name), 0), |(name, _)| *name == pair.name)
        .map(|((_, token), _)| Token::from_raw(*token))
        .collect();
    for token in waiting {
        txn.emit(&Event::Answered(Wait { name: Arc::clone(&pair.name), token }));
        txn.reply(token, pair.value);
    }
}

fn fire(txn: &mut Txn<'_, Toy>, now: Timestamp) {
    let due: Vec<_> = txn
        .state()
        .timers
        .range(..)
        .take_while(|((at, _), _)| *at <= now)
        .take(FIRE_MAX)
        .map(|((at, number), pair)| Later { pair: Pair::clone(pair), at: *at, number: *number })
        .collect();
    for later in due {
        txn.emit(&Event::Fired(later));
    }
}

fn set(state: &mut State, pair: &Pair) {
    if let Some(old) = state.values.get(&pair.name) {
        state.by_value.remove(&(*old, Arc::clone(&pair.name)));
    }
    state.values.insert(Arc::clone(&pair.name), pair.value);
    state.by_value.insert((pair.value, Arc::clone(&pair.name)));
}
