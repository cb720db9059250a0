//! Processes as trees of blocks, and a model of how they run.

mod bpmn;

use std::collections::BTreeMap;

/// A part of a process. Numbers tell parts of one kind apart.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// A job.
    Task(u32),
    /// Nothing to be done.
    Pass(u32),
    /// One after the other.
    Sequence(Vec<Block>),
    /// A fork, and a join behind all branches.
    Branches(u32, Vec<Block>),
    /// A subprocess.
    Scope(u32, Box<Block>),
    /// Another process.
    Call(u32, Box<Block>),
    /// A subprocess, or a lone task, that is repeated for so many items.
    Loop { number: u32, items: u32, in_turn: bool, enough: Option<u32>, inner: Box<Block> },
}

/// A job that waits: its element, and the items of the loops around it by their variables.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    pub(crate) element: String,
    pub(crate) items: BTreeMap<String, u32>,
}

/// Numbers that seem random.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 11) % u64::from(bound)).expect("it is below a small number")
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        let count = u32::try_from(among.len()).expect("there are few");
        let at = self.below(count);
        among.iter().zip(0..).find(|(_, index)| *index == at).expect("it is one of them").0.clone()
    }
}

impl Block {
    /// A process of a few blocks.
    pub(crate) fn random(dice: &mut Dice) -> Self {
        let mut numbers = 0;
        let parts = 1 + dice.below(2);
        Self::Sequence((0..parts).map(|_| Self::part(dice, 3, &mut numbers)).collect())
    }

    fn part(dice: &mut Dice, depth: u32, numbers: &mut u32) -> Self {
        *numbers += 1;
        let number = *numbers;
        let kind = if depth == 0 { dice.below(3) } else { dice.below(12) };
        let mut some = |dice: &mut Dice, most: u32| -> Vec<Self> {
            (0..=dice.below(most)).map(|_| Self::part(dice, depth - 1, numbers)).collect()
        };
        match kind {
            0 | 1 => Self::Task(number),
            2 => Self::Pass(number),
            3 | 4 => Self::Sequence(some(dice, 3)),
            5 | 6 => Self::Branches(number, some(dice, 3)),
            7 => Self::Scope(number, Box::new(Self::Sequence(some(dice, 2)))),
            8 | 9 => Self::Call(number, Box::new(Self::Sequence(some(dice, 2)))),
            _ => {
                let (items, in_turn) = (dice.below(4), dice.below(2) == 0);
                let enough = (dice.below(3) == 0).then(|| 1 + dice.below(3));
                let inner = if dice.below(2) == 0 {
                    *numbers += 1;
                    Self::Task(*numbers)
                } else {
                    Self::Sequence(
                        (0..=dice.below(2)).map(|_| Self::part(dice, depth - 1, numbers)).collect(),
                    )
                };
                Self::Loop { number, items, in_turn, enough, inner: Box::new(inner) }
            }
        }
    }
}

/// A block that runs, until nothing of it is left.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    state: State,
    /// Results of loops over tasks that stand in no other loop and in no called process, by variable.
    collected: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum State {
    Done,
    Task(Waiting),
    /// What runs, and what comes then.
    Sequence(Box<State>, Vec<Block>, Place),
    /// All must be done.
    All(Vec<State>),
    Loop(Box<Looping>),
}

/// Where a block stands.
#[derive(Clone, Debug, Default)]
struct Place {
    items: BTreeMap<String, u32>,
    /// Whether what a loop collects here is the only writing of its variable, and reaches the process.
    is_outermost: bool,
}

#[derive(Clone, Debug)]
struct Looping {
    number: u32,
    total: u32,
    in_turn: bool,
    enough: Option<u32>,
    inner: Block,
    place: Place,
    /// Items that were begun, by number.
    running: BTreeMap<u32, State>,
    begun: u32,
    completed: u32,
    results: Vec<Option<u32>>,
}

impl Run {
    pub(crate) fn begin(block: &Block) -> Self {
        let mut collected = BTreeMap::new();
        let place = Place { items: BTreeMap::new(), is_outermost: true };
        Self { state: State::begin(block, &place, &mut collected), collected }
    }

    /// The jobs that wait.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let mut found = Vec::new();
        self.state.waiting(&mut found);
        found
    }

    /// A job completes with this result.
    pub(crate) fn complete(&mut self, job: &Waiting, result: u32) {
        assert!(self.state.complete(job, result, &mut self.collected), "the job waits");
    }

    /// What loops have handed out.
    pub(crate) fn collected(&self) -> BTreeMap<String, String> {
        self.collected.clone()
    }
}

impl State {
    fn begin(block: &Block, place: &Place, collected: &mut BTreeMap<String, String>) -> Self {
        match block {
            Block::Task(number) => {
                Self::Task(Waiting { element: format!("task-{number}"), items: place.items.clone() })
            }
            Block::Pass(_) => Self::Done,
            Block::Sequence(blocks) => Self::sequence(blocks.clone(), place, collected),
            Block::Branches(_, blocks) => {
                Self::all(blocks.iter().map(|block| Self::begin(block, place, collected)).collect())
            }
            Block::Scope(_, inner) => Self::begin(inner, place, collected),
            Block::Call(_, inner) => {
                Self::begin(inner, &Place { is_outermost: false, ..place.clone() }, collected)
            }
            Block::Loop { number, items, in_turn, enough, inner } => {
                let looping = Looping {
                    number: *number,
                    total: *items,
                    in_turn: *in_turn,
                    enough: *enough,
                    inner: (**inner).clone(),
                    place: place.clone(),
                    running: BTreeMap::new(),
                    begun: 0,
                    completed: 0,
                    results: vec![None; *items as usize],
                };
                looping.go_on(collected)
            }
        }
    }

    fn sequence(mut blocks: Vec<Block>, place: &Place, collected: &mut BTreeMap<String, String>) -> Self {
        while !blocks.is_empty() {
            let first = Self::begin(&blocks.remove(0), place, collected);
            if !first.is_done() {
                return Self::Sequence(Box::new(first), blocks, place.clone());
            }
        }
        Self::Done
    }

    fn all(parts: Vec<Self>) -> Self {
        if parts.iter().all(Self::is_done) { Self::Done } else { Self::All(parts) }
    }

    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    fn waiting(&self, found: &mut Vec<Waiting>) {
        match self {
            Self::Done => (),
            Self::Task(waiting) => found.push(waiting.clone()),
            Self::Sequence(now, ..) => now.waiting(found),
            Self::All(parts) => parts.iter().for_each(|part| part.waiting(found)),
            Self::Loop(looping) => looping.running.values().for_each(|part| part.waiting(found)),
        }
    }

    /// Says whether the job was in it.
    fn complete(&mut self, job: &Waiting, result: u32, collected: &mut BTreeMap<String, String>) -> bool {
        match self {
            Self::Done => false,
            Self::Task(waiting) => {
                let is_it = waiting == job;
                if is_it {
                    *self = Self::Done;
                }
                is_it
            }
            Self::Sequence(now, rest, place) => {
                let found = now.complete(job, result, collected);
                if now.is_done() {
                    *self = Self::sequence(std::mem::take(rest), &place.clone(), collected);
                }
                found
            }
            Self::All(parts) => {
                let found = parts.iter_mut().any(|part| part.complete(job, result, collected));
                *self = Self::all(std::mem::take(parts));
                found
            }
            Self::Loop(looping) => {
                let found = looping.complete(job, result, collected);
                if found {
                    *self = looping.clone().go_on(collected);
                }
                found
            }
        }
    }
}

impl Looping {
    fn item(&self) -> String {
        format!("item_{}", self.number)
    }

    fn complete(&mut self, job: &Waiting, result: u32, collected: &mut BTreeMap<String, String>) -> bool {
        let numbers: Vec<u32> = self.running.keys().copied().collect();
        for number in numbers {
            let part = self.running.get_mut(&number).unwrap();
            if !part.complete(job, result, collected) {
                continue;
            }
            if part.is_done() {
                self.end(number, Some(result));
            }
            return true;
        }
        false
    }

    fn end(&mut self, number: u32, result: Option<u32>) {
        self.running.remove(&number);
        self.completed += 1;
        self.results[number as usize - 1] = result;
    }

    fn is_enough(&self) -> bool {
        self.enough.is_some_and(|enough| self.completed >= enough)
    }

    /// Begins what may begin. A repetition that has nothing to do is done at once.
    fn go_on(mut self, collected: &mut BTreeMap<String, String>) -> State {
        while !self.is_enough() && self.begun < self.total && (!self.in_turn || self.running.is_empty()) {
            self.begun += 1;
            let mut place = Place { is_outermost: false, ..self.place.clone() };
            place.items.insert(self.item(), self.begun);
            let part = State::begin(&self.inner, &place, collected);
            let number = self.begun;
            if part.is_done() {
                self.end(number, None);
            } else {
                self.running.insert(number, part);
            }
        }
        if !self.is_enough() && (!self.running.is_empty() || self.begun < self.total) {
            return State::Loop(Box::new(self));
        }
        if self.place.is_outermost && matches!(self.inner, Block::Task(_)) {
            let results = self.results.iter().map(|it| it.map_or("null".to_owned(), |it| it.to_string()));
            let list = format!("[{}]", results.collect::<Vec<_>>().join(","));
            collected.insert(format!("results_{}", self.number), list);
        }
        State::Done
    }
}
