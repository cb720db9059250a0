//! What processes do, told as simply as it can be: a tree of nodes, one for each element that runs, and a queue of steps.
//!
//! It knows nothing of the engine. What happens within one step of a client is done first come, first served, as the
//! engine does it; where more than one order is right, [`Order`] says which is tried.

mod begin;
mod by_hand;
mod end;
mod message;
mod migrate;
mod repeat;
mod set_off;
mod variable;
mod wait;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use crate::spec::{At, Element, Kind, Process, Value, Values};
pub(crate) use by_hand::Change;
use message::Message;
pub(crate) use wait::{On, Wait};

/// A node; later ones have larger numbers.
pub(crate) type Id = u64;

/// An element that runs.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The partition that it is on.
    pub(crate) home: u32,
    /// How the engine calls it, once that is known.
    pub(crate) key: Option<u64>,
    pub(crate) process: usize,
    pub(crate) at: At,
    /// The scope around, or the call of a process.
    pub(crate) around: Option<Id>,
    pub(crate) role: Role,
    pub(crate) state: State,
    pub(crate) variables: BTreeMap<String, Value>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) job: Option<Job>,
    /// Flows that were taken to elements that were not entered.
    tokens: Vec<(At, At)>,
    /// What has ended all else in it: an event subprocess or a terminate end event.
    stopped: Option<At>,
    /// An event that goes on when this, or what is in it, has ended.
    pending: Option<(At, Values)>,
    /// Of an event-based gateway: which of its events has happened.
    chosen: Option<At>,
    /// What an event or a job brought.
    given: Values,
    /// Of a loop: how many were begun and completed, and whether that is enough.
    begun: usize,
    completed: usize,
    is_enough: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    Plain,
    /// What holds the repetitions of an activity.
    Loop,
    /// The nth of them.
    Item(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was entered by hand and has yet to begin.
    New,
    Active,
    /// It could not be entered.
    Stuck,
    Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Ready,
    /// It has an incident: an error was thrown that nothing catches, or attempts were given anew.
    Held,
    /// It has an incident, and no attempt is left.
    Spent,
}

#[derive(Clone, Debug)]
enum Step {
    Enter {
        scope: Id,
        at: At,
        from: Option<At>,
    },
    /// What was entered by hand begins.
    Begin(Id),
    /// All repetitions of a loop.
    Items(Id),
    /// The next repetition of a loop.
    Item(Id),
    Leave(Id),
    /// On a partition, and then on the others.
    Broadcast(u32, String, Values),
    /// A signal of another partition has come to one.
    Hear(u32, String, Values),
    End(Id),
    /// All that is in a node ends.
    EndInside(Id),
    Deliver {
        to: Id,
        process: usize,
        message: usize,
    },
}

/// How steps follow each other where nothing says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    /// All that time or a signal sets off is set off before anything follows from it.
    pub(crate) together: bool,
    /// Messages that are kept come when nothing else is left to be done.
    pub(crate) late: bool,
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) processes: std::rc::Rc<[Process]>,
    pub(crate) partitions: u32,
    /// The version of the first process that is the latest.
    pub(crate) latest: usize,
    pub(crate) nodes: BTreeMap<Id, Node>,
    pub(crate) now: i64,
    /// When the game began.
    begin: i64,
    pub(crate) order: Order,
    last: Id,
    last_wait: u64,
    steps: VecDeque<Step>,
    late: VecDeque<Step>,
    messages: Vec<Message>,
    /// What sets off start events of the first process.
    starts: Vec<Wait>,
    /// Instances by the correlation key of the message that started them.
    locks: BTreeMap<String, Id>,
    /// What was written and read of which scopes in the last action.
    writes: Vec<(Id, String)>,
    reads: RefCell<Vec<(Id, String)>>,
    /// How many events have happened in it.
    happened: usize,
}

impl Model {
    pub(crate) fn new(processes: Vec<Process>, partitions: u32, now: i64) -> Self {
        let (nodes, steps, late, messages, starts, locks) = Default::default();
        let order = Order { together: false, late: false };
        let processes = processes.into();
        let (writes, reads, happened, last) = Default::default();
        let mut model = Self {
            processes,
            partitions,
            latest: 0,
            nodes,
            now,
            begin: now,
            order,
            last,
            last_wait: 0,
            steps,
            late,
            messages,
            starts,
            locks,
            writes,
            reads,
            happened,
        };
        model.await_starts();
        model
    }

    pub(crate) fn element_of(&self, node: &Node) -> &Element {
        &self.processes[node.process].elements[node.at]
    }

    fn element(&self, id: Id) -> Element {
        self.element_of(&self.nodes[&id]).clone()
    }

    fn kind(&self, process: usize, at: At) -> &Kind {
        &self.processes[process].elements[at].kind
    }

    fn node(&mut self, id: Id) -> &mut Node {
        self.nodes.get_mut(&id).expect("the node is there")
    }

    pub(crate) fn children(&self, id: Id) -> Vec<Id> {
        self.nodes.iter().filter(|(_, node)| node.around == Some(id)).map(|(id, _)| *id).collect()
    }

    /// Process instances that nothing called.
    pub(crate) fn roots(&self) -> Vec<Id> {
        self.nodes.iter().filter(|(_, node)| node.around.is_none()).map(|(id, _)| *id).collect()
    }

    /// The process instance that a node is in.
    pub(crate) fn root(&self, id: Id) -> Id {
        let mut id = id;
        while self.nodes[&id].role != Role::Root {
            id = self.nodes[&id].around.expect("only a root may have nothing around it");
        }
        id
    }

    /// A node; one with nothing around it is on the first partition.
    fn add(&mut self, around: Option<Id>, process: usize, at: At, role: Role) -> Id {
        let home = around.map_or(1, |around| self.nodes[&around].home);
        self.last += 1;
        let (variables, waits, tokens, given) = Default::default();
        let (begun, completed, is_enough) = Default::default();
        let (key, job, stopped, pending, chosen) = Default::default();
        let state = State::Active;
        self.nodes.insert(
            self.last,
            Node {
                home,
                key,
                process,
                at,
                around,
                role,
                state,
                variables,
                waits,
                job,
                tokens,
                stopped,
                pending,
                chosen,
                given,
                begun,
                completed,
                is_enough,
            },
        );
        self.last
    }

    /// Whether an element may be entered and left in a scope.
    fn admits(&self, scope: Id, at: At) -> bool {
        self.nodes.get(&scope).is_some_and(|scope| {
            scope.state == State::Active && scope.stopped.is_none_or(|stopped| stopped == at)
        })
    }

    /// Does all that is left to be done.
    fn settle(&mut self) {
        while let Some(step) = self.steps.pop_front().or_else(|| self.late.pop_front()) {
            match step {
                Step::Enter { scope, at, from } => self.enter(scope, at, from),
                Step::Begin(id) => self.begin_by_hand(id),
                Step::Items(id) => self.begin_items(id),
                Step::Item(id) => self.begin_item(id),
                Step::Leave(id) => self.leave(id),
                Step::Broadcast(home, name, values) => self.broadcast(home, &name, &values),
                Step::Hear(home, name, values) => self.hear(home, 0, &name, &values),
                Step::End(id) => self.end(id),
                Step::EndInside(id) => self.end_inside(id),
                Step::Deliver { to, process, message } => self.deliver(to, process, message),
            }
        }
    }

    /// Creates an instance, perhaps with elements at which it begins. Says whether that is possible.
    pub(crate) fn create(&mut self, home: u32, starts: &[At], values: Values) -> bool {
        let root = self.add(None, self.latest, 0, Role::Root);
        self.node(root).home = home;
        self.node(root).variables.extend(values);
        if starts.is_empty() {
            self.begin(root);
        } else if !self.begin_at(root, starts) {
            self.nodes.remove(&root);
            return false;
        }
        self.settle();
        true
    }

    pub(crate) fn cancel(&mut self, root: Id) {
        self.end(root);
        self.settle();
    }

    /// A job is done.
    pub(crate) fn complete(&mut self, task: Id, values: Values) {
        let node = self.node(task);
        (node.job, node.given) = (None, values);
        self.steps.push_back(Step::Leave(task));
        self.settle();
    }

    /// An attempt at a job failed, and another one follows or none is left.
    pub(crate) fn fail(&mut self, task: Id, is_last: bool, values: Values) {
        let node = self.node(task);
        node.job = Some(if is_last { Job::Spent } else { Job::Ready });
        node.variables.extend(values);
    }

    /// A job gets another attempt.
    pub(crate) fn retry(&mut self, task: Id) {
        self.node(task).job = Some(Job::Held);
    }

    /// A job throws an error.
    pub(crate) fn throw(&mut self, task: Id, code: &str, values: Values) {
        let caught = self.throw_from(task, code, values);
        self.node(task).job = (!caught).then_some(Job::Held);
        self.settle();
    }

    /// An incident is resolved. Says whether that is possible.
    pub(crate) fn resolve(&mut self, id: Id) -> bool {
        let node = self.node(id);
        if node.job == Some(Job::Spent) {
            return false;
        }
        if node.state == State::Stuck {
            node.state = State::Active;
            self.begin(id);
        } else {
            node.job = Some(Job::Ready);
        }
        self.settle();
        true
    }

    /// A client sets variables.
    pub(crate) fn set(&mut self, scope: Id, local: bool, values: Values) {
        if local {
            self.node(scope).variables.extend(values);
        } else {
            self.propagate(scope, values);
        }
    }
}
