//! Random processes, that end when all that they wait for happens.

use crate::dice::Dice;
use crate::spec::{At, Catch, Element, Expr, Kind, Process, Repeat, Timing, Trigger, Value, Values, Work};

/// Variables that everything writes and reads.
pub(crate) const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Messages and signals.
pub(crate) const EVENTS: [&str; 3] = ["x", "y", "z"];
/// Errors. The last one is never caught by its code.
pub(crate) const ERRORS: [&str; 3] = ["broken", "empty", "odd"];

/// Where several flows leave, and where they meet.
const FORKS: [(Kind, Kind); 4] = [
    (Kind::Parallel, Kind::Parallel),
    (Kind::Parallel, Kind::Parallel),
    (Kind::Pass, Kind::Parallel),
    (Kind::Parallel, Kind::Merge),
];

const WORKS: [Work; 7] =
    [Work::Service, Work::Service, Work::Service, Work::Send, Work::Rule, Work::Script, Work::Throw];

/// A process, those that it calls, and another version of the first one.
pub(crate) fn processes(dice: &mut Dice) -> Vec<Process> {
    let mut all = Generator { dice, done: Vec::new(), numbers: 0, starts_by_signal: false };
    all.process("main", 3);
    let second = all.again(0);
    all.done.push(second);
    all.done
}

/// Some variables with values.
pub(crate) fn values(dice: &mut Dice) -> Values {
    let names: Vec<&str> = NAMES.into_iter().filter(|_| dice.once_in(3)).collect();
    names.into_iter().map(|name| (name.to_owned(), value(dice))).collect()
}

fn value(dice: &mut Dice) -> Value {
    let number = |dice: &mut Dice| Value::Number(i64::try_from(dice.below(5)).unwrap());
    match dice.below(8) {
        0 => Value::Null,
        1 => Value::List(vec![number(dice), number(dice)]),
        _ => number(dice),
    }
}

struct Generator<'a> {
    dice: &'a mut Dice,
    done: Vec<Process>,
    numbers: usize,
    /// A signal starts instances: none is broadcast then, so that they do not start one another for ever.
    starts_by_signal: bool,
}

/// A process in the making.
struct Draft {
    elements: Vec<Element>,
    /// Where in the list of processes it will be.
    index: usize,
    /// Items of the loops around what is being made.
    items: Vec<String>,
}

impl Draft {
    fn add(&mut self, id: String, kind: Kind, scope: At) -> At {
        let (flows, inputs, outputs, repeat) = Default::default();
        self.elements.push(Element { id, kind, scope, flows, inputs, outputs, repeat });
        self.elements.len() - 1
    }

    fn flow(&mut self, from: At, to: At) {
        self.elements[from].flows.push(to);
    }
}

impl Generator<'_> {
    fn id(&mut self, word: &str) -> String {
        self.numbers += 1;
        format!("{word}_{}", self.numbers)
    }

    /// Makes a process, and gives its place among all.
    fn process(&mut self, id: &str, depth: usize) -> usize {
        let index = self.done.len();
        self.done.push(Process { id: id.to_owned(), version: 1, elements: Vec::new() });
        let mut draft = Draft { elements: Vec::new(), index, items: Vec::new() };
        draft.add(id.to_owned(), Kind::Process, 0);
        self.content(&mut draft, 0, depth);
        self.done[index].elements = draft.elements;
        index
    }

    /// Another version of a process, in which some elements hand out something else.
    fn again(&mut self, process: usize) -> Process {
        let mut second = Process { version: 2, ..self.done[process].clone() };
        let nothing = Draft { elements: Vec::new(), index: process, items: Vec::new() };
        for element in &mut second.elements {
            let is_event = matches!(element.kind, Kind::Wait { .. } | Kind::Boundary(..));
            if (is_event || matches!(element.kind, Kind::Task(_) | Kind::Scope)) && self.dice.once_in(3) {
                element.outputs = self.mappings(&nothing);
            }
        }
        second
    }

    /// What a scope holds, from its start event to its end event.
    fn content(&mut self, draft: &mut Draft, scope: At, depth: usize) {
        let start = draft.add(self.id("start"), Kind::Start(None), scope);
        self.outputs(draft, start);
        let entry = draft.add(self.id("merge"), Kind::Merge, scope);
        draft.flow(start, entry);
        if scope == 0 && draft.index == 0 && self.dice.once_in(2) {
            self.other_start(draft, entry);
        }
        let parts = 1 + self.dice.below(2);
        let last = self.sequence(draft, scope, entry, parts, depth);
        let kind = match self.dice.below(10) {
            0 => Kind::Terminate,
            1 => Kind::Throw(self.dice.pick(&ERRORS).to_owned()),
            2 => Kind::Task(Work::Throw),
            3 if self.may_broadcast(draft, scope) => Kind::Broadcast(self.dice.pick(&EVENTS).to_owned()),
            _ => Kind::End,
        };
        let maps = matches!(kind, Kind::Task(_) | Kind::Broadcast(_));
        let end = draft.add(self.id("end"), kind, scope);
        draft.flow(last, end);
        if maps {
            self.inputs(draft, end);
            self.outputs(draft, end);
        }
        self.event_scopes(draft, scope, depth);
    }

    /// A start event of a process that something sets off.
    fn other_start(&mut self, draft: &mut Draft, entry: At) {
        let trigger = match self.dice.below(3) {
            // Such a message has no correlation key of its own.
            0 => Trigger::Message { name: self.dice.pick(&EVENTS).to_owned(), key: String::new() },
            1 => {
                self.starts_by_signal = true;
                Trigger::Signal(self.dice.pick(&EVENTS).to_owned())
            }
            _ => Trigger::Timer(self.dice.pick(&[
                Timing::After(5_000),
                Timing::At(40_000),
                Timing::Each(5_000, 2),
            ])),
        };
        let start = draft.add(self.id("start"), Kind::Start(Some(Catch { trigger, interrupts: true })), 0);
        self.outputs(draft, start);
        draft.flow(start, entry);
    }

    /// Parts one after the other behind an element. Gives the last one.
    fn sequence(&mut self, draft: &mut Draft, scope: At, behind: At, parts: usize, depth: usize) -> At {
        let mut last = behind;
        for _ in 0..parts {
            let (first, end) = self.part(draft, scope, depth);
            draft.flow(last, first);
            last = end;
        }
        last
    }

    /// Makes a part, and gives its first and its last element.
    fn part(&mut self, draft: &mut Draft, scope: At, depth: usize) -> (At, At) {
        let kinds = if depth == 0 { 7 } else { 17 };
        let only = match self.dice.below(kinds) {
            0..=2 => self.task(draft, scope),
            3 => draft.add(self.id("pass"), Kind::Pass, scope),
            4 | 5 => self.wait(draft, scope),
            6 => self.compute(draft, scope),
            7 => {
                let (fork, join) = self.dice.pick(&FORKS);
                return self.branches(draft, scope, depth - 1, fork, join);
            }
            8 => {
                let (name, is_strict) = (self.dice.pick(&NAMES).to_owned(), self.dice.once_in(4));
                return self.branches(
                    draft,
                    scope,
                    depth - 1,
                    Kind::Choice { name, limit: 2, is_strict },
                    Kind::Merge,
                );
            }
            9 => return self.first(draft, scope),
            10 => self.broadcast(draft, scope),
            11..=14 => self.inner_scope(draft, scope, depth - 1),
            _ => self.call(draft, scope, depth - 1),
        };
        (only, only)
    }

    fn task(&mut self, draft: &mut Draft, scope: At) -> At {
        let work = self.dice.pick(&WORKS);
        let task = draft.add(self.id("task"), Kind::Task(work), scope);
        if work == Work::Throw {
            self.inputs(draft, task);
            self.outputs(draft, task);
        } else {
            self.activity(draft, task);
        }
        task
    }

    fn compute(&mut self, draft: &mut Draft, scope: At) -> At {
        let names = [NAMES.map(str::to_owned).as_slice(), &draft.items].concat();
        let (target, mut expression) = (self.dice.pick(&NAMES).to_owned(), self.expression(&names));
        self.may_fail(&mut expression);
        let task = draft.add(self.id("script"), Kind::Compute(target, expression), scope);
        self.activity(draft, task);
        task
    }

    /// Whether a signal may be broadcast there: not in an event subprocess, which may be set off by it.
    fn may_broadcast(&self, draft: &Draft, scope: At) -> bool {
        let mut around =
            std::iter::successors(Some(scope), |at| (*at > 0).then(|| draft.elements[*at].scope));
        !self.starts_by_signal && !around.any(|at| draft.elements[at].kind == Kind::EventScope)
    }

    fn broadcast(&mut self, draft: &mut Draft, scope: At) -> At {
        if !self.may_broadcast(draft, scope) {
            return draft.add(self.id("pass"), Kind::Pass, scope);
        }
        let throw = draft.add(self.id("throw"), Kind::Broadcast(self.dice.pick(&EVENTS).to_owned()), scope);
        self.inputs(draft, throw);
        throw
    }

    fn wait(&mut self, draft: &mut Draft, scope: At) -> At {
        let trigger = self.trigger(draft, false, EVENTS[0]);
        let is_task = matches!(trigger, Trigger::Message { .. }) && self.dice.once_in(2);
        let wait = draft.add(self.id("wait"), Kind::Wait { trigger, is_task }, scope);
        self.inputs(draft, wait);
        self.outputs(draft, wait);
        wait
    }

    fn branches(&mut self, draft: &mut Draft, scope: At, depth: usize, fork: Kind, join: Kind) -> (At, At) {
        let fork = draft.add(self.id("fork"), fork, scope);
        let join = draft.add(self.id("join"), join, scope);
        for _ in 0..2 {
            let parts = 1 + self.dice.below(2);
            let last = self.sequence(draft, scope, fork, parts, depth);
            draft.flow(last, join);
        }
        (fork, join)
    }

    /// An event-based gateway.
    fn first(&mut self, draft: &mut Draft, scope: At) -> (At, At) {
        let gateway = draft.add(self.id("first"), Kind::First, scope);
        let join = draft.add(self.id("join"), Kind::Merge, scope);
        for name in &EVENTS[..2] {
            let trigger = self.trigger(draft, false, name);
            let wait = draft.add(self.id("wait"), Kind::Wait { trigger, is_task: false }, scope);
            self.outputs(draft, wait);
            draft.flow(gateway, wait);
            draft.flow(wait, join);
        }
        (gateway, join)
    }

    fn inner_scope(&mut self, draft: &mut Draft, scope: At, depth: usize) -> At {
        let inner = draft.add(self.id("scope"), Kind::Scope, scope);
        self.activity(draft, inner);
        let item = draft.elements[inner].repeat.as_ref().map(Repeat::item);
        let around = draft.items.len();
        draft.items.extend(item);
        self.content(draft, inner, depth);
        draft.items.truncate(around);
        inner
    }

    fn call(&mut self, draft: &mut Draft, scope: At, depth: usize) -> At {
        let id = self.id("called");
        let process = self.process(&id, depth);
        let (takes_all, gives_all) = (!self.dice.once_in(3), self.dice.once_in(2));
        let call = draft.add(self.id("call"), Kind::Call { process, takes_all, gives_all }, scope);
        self.activity(draft, call);
        call
    }

    /// Mappings, boundary events and repetition of an activity.
    fn activity(&mut self, draft: &mut Draft, activity: At) {
        if self.dice.once_in(4) {
            draft.elements[activity].repeat = Some(self.repeat());
        }
        self.inputs(draft, activity);
        self.outputs(draft, activity);
        for name in EVENTS {
            if self.dice.once_in(4) {
                self.boundary(draft, activity, name);
            }
        }
        for code in [Some(ERRORS[0]), Some(ERRORS[1]), None] {
            if self.dice.once_in(8) {
                let trigger = Trigger::Error(code.map(str::to_owned));
                self.add_boundary(draft, activity, Catch { trigger, interrupts: true });
            }
        }
    }

    fn boundary(&mut self, draft: &mut Draft, host: At, name: &str) {
        let interrupts = self.dice.once_in(2);
        let trigger = self.trigger(draft, !interrupts, name);
        self.add_boundary(draft, host, Catch { trigger, interrupts });
    }

    fn add_boundary(&mut self, draft: &mut Draft, host: At, catch: Catch) {
        let scope = draft.elements[host].scope;
        let boundary = draft.add(self.id("boundary"), Kind::Boundary(host, catch), scope);
        self.outputs(draft, boundary);
        let kind = self.dice.pick(&[Kind::Pass, Kind::Task(Work::Service)]);
        let behind = draft.add(self.id("behind"), kind, scope);
        draft.flow(boundary, behind);
    }

    /// Event subprocesses of a scope.
    fn event_scopes(&mut self, draft: &mut Draft, scope: At, depth: usize) {
        // A scope waits for a name only once, inside or at its boundary.
        let used = |name: &str| {
            let is_used = |element: &Element| match &element.kind {
                Kind::Boundary(host, Catch { trigger, .. }) if *host == scope => trigger.name() == Some(name),
                _ => false,
            };
            draft.elements.iter().any(is_used)
        };
        let free: Vec<&str> = EVENTS.into_iter().filter(|name| !used(name)).collect();
        for name in free {
            if self.dice.once_in(7) {
                let interrupts = self.dice.once_in(2);
                let trigger = self.trigger(draft, !interrupts, name);
                self.event_scope(draft, scope, depth, Catch { trigger, interrupts });
            }
        }
        for code in [Some(ERRORS[0]), None] {
            if self.dice.once_in(12) {
                let trigger = Trigger::Error(code.map(str::to_owned));
                self.event_scope(draft, scope, depth, Catch { trigger, interrupts: true });
            }
        }
    }

    fn event_scope(&mut self, draft: &mut Draft, scope: At, depth: usize, catch: Catch) {
        let inner = draft.add(self.id("event"), Kind::EventScope, scope);
        self.inputs(draft, inner);
        self.outputs(draft, inner);
        let start = draft.add(self.id("start"), Kind::Start(Some(catch)), inner);
        self.outputs(draft, start);
        let last = self.sequence(draft, inner, start, 1, depth.min(1));
        let end = draft.add(self.id("end"), Kind::End, inner);
        draft.flow(last, end);
    }

    fn repeat(&mut self) -> Repeat {
        self.numbers += 1;
        let (number, items) = (self.numbers, self.dice.below(4));
        let enough = self.dice.once_in(3).then(|| 1 + self.dice.below(3));
        let result = self.dice.once_in(2).then(|| self.expression(&NAMES.map(str::to_owned)));
        Repeat { number, items, in_turn: self.dice.once_in(2), enough, result }
    }

    /// What is waited for; two at one place never wait for the same name.
    fn trigger(&mut self, draft: &Draft, may_repeat: bool, name: &str) -> Trigger {
        let name = name.to_owned();
        match self.dice.below(4) {
            0 => Trigger::Signal(name),
            1 => {
                let millis = 1_000 * i64::try_from(1 + self.dice.below(6)).unwrap();
                Trigger::Timer(match self.dice.below(8) {
                    0 => Timing::At(5 * millis),
                    1 if may_repeat => Timing::Clock(millis),
                    2..=4 if may_repeat => Timing::Each(millis, self.dice.pick(&[1, 2, 3, -1])),
                    _ => Timing::After(millis),
                })
            }
            _ => Trigger::Message { name, key: self.name(draft) },
        }
    }

    /// A variable that may be seen there.
    fn name(&mut self, draft: &Draft) -> String {
        if !draft.items.is_empty() && self.dice.once_in(2) {
            return self.dice.pick(&draft.items);
        }
        self.dice.pick(&NAMES).to_owned()
    }

    fn inputs(&mut self, draft: &mut Draft, at: At) {
        let mut inputs = self.mappings(draft);
        for (_, source) in &mut inputs {
            self.may_fail(source);
        }
        draft.elements[at].inputs = inputs;
    }

    fn may_fail(&mut self, source: &mut Expr) {
        if let Expr::Of(name) = source
            && self.dice.once_in(4)
        {
            *source = Expr::Sure(name.clone());
        }
    }

    fn outputs(&mut self, draft: &mut Draft, at: At) {
        draft.elements[at].outputs = self.mappings(draft);
    }

    fn mappings(&mut self, draft: &Draft) -> Vec<(String, Expr)> {
        let names = [NAMES.map(str::to_owned).as_slice(), &draft.items].concat();
        let mut mappings = Vec::new();
        for target in NAMES {
            if self.dice.once_in(9) {
                mappings.push((target.to_owned(), self.expression(&names)));
            }
        }
        mappings
    }

    fn expression(&mut self, names: &[String]) -> Expr {
        let name = self.dice.pick(names);
        match self.dice.below(4) {
            0 => Expr::Fixed(i64::try_from(self.dice.below(5)).unwrap()),
            1 | 2 => Expr::Of(name),
            _ => Expr::Plus(name, 1),
        }
    }
}
