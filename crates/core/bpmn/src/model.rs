//! The executable graph.

use std::sync::Arc;

use coreto_feel::Expression;

use crate::element::{
    BoundaryEvent, EndEvent, ExclusiveGateway, Job, MultiInstance, Rule, Script, StartEvent, ThrowEvent,
    Trigger,
};
use crate::extension::CalledElement;
use crate::mapping::Mapping;

/// What one BPMN resource holds.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its executable processes, in document order.
    pub processes: Vec<Process>,
    /// Identifiers of processes that are not executable; they are not deployed.
    pub skipped: Vec<Arc<str>>,
}

/// One executable process.
#[derive(Clone, Debug)]
pub struct Process {
    /// The identifier by which it is started.
    pub id: Arc<str>,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// Free text that marks this version.
    pub version_tag: Option<Arc<str>>,
    /// Its elements in document order, sequence flows included. Number 0 is the process itself. What is repeated
    /// stands behind all others, in the order of the activities around, with the same identifiers.
    pub elements: Box<[Element]>,
    /// Where an instance starts that nothing else has started.
    pub none_start: Option<ElementNumber>,
    /// Where an instance starts when something happens, in document order.
    pub event_starts: Box<[ElementNumber]>,
    /// Numbers of the elements, sorted by identifier.
    pub(crate) by_id: Box<[ElementNumber]>,
}

impl Process {
    /// The element with this identifier.
    pub fn element_by_id(&self, id: &str) -> Option<ElementNumber> {
        let found = self.by_id.binary_search_by(|number| (*self.elements[number.index()].id).cmp(id));
        found.ok().map(|at| self.by_id[at])
    }

    /// Whether an event ends what it happens to: a boundary event its activity, an event subprocess its scope, and any
    /// other event its own wait.
    pub fn interrupts(&self, event: ElementNumber) -> bool {
        let element = &self.elements[event.index()];
        match &element.kind {
            Kind::BoundaryEvent(boundary) => boundary.interrupting,
            Kind::StartEvent(_) => match self.elements[element.scope.index()].kind {
                Kind::EventSubProcess { interrupting, .. } => interrupting,
                _ => false,
            },
            _ => true,
        }
    }

    /// Whether an element is a catch event that an event-based gateway waits for.
    pub fn is_behind_gateway(&self, element: &Element) -> bool {
        let source = |flow: &ElementNumber| match self.elements[flow.index()].kind {
            Kind::SequenceFlow { source, .. } => Some(&self.elements[source.index()].kind),
            _ => None,
        };
        matches!(element.kind, Kind::CatchEvent(_))
            && matches!(element.incoming.first().and_then(source), Some(Kind::EventBasedGateway))
    }

    /// The element with this number, `None` when the process has fewer.
    pub fn element(&self, number: ElementNumber) -> Option<&Element> {
        self.elements.get(number.index())
    }
}

/// An element's place in its process; the same resource always gives the same numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementNumber(pub u32);

impl ElementNumber {
    /// The process itself.
    pub const PROCESS: Self = Self(0);

    /// The index into [`Process::elements`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One element of a process.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its identifier, unique in the resource.
    pub id: Arc<str>,
    /// What people call it.
    pub name: Option<Arc<str>>,
    /// What it does.
    pub kind: Kind,
    /// The scope that it stands in: the process, and for the process itself the process too.
    pub scope: ElementNumber,
    /// Sequence flows that lead to it, in document order.
    pub incoming: Box<[ElementNumber]>,
    /// Sequence flows that leave it, in document order. When it completes, all of them are taken.
    pub outgoing: Box<[ElementNumber]>,
    /// Boundary events that are attached to it, in document order.
    pub boundary_events: Box<[ElementNumber]>,
    /// Event subprocesses that stand in it, in document order.
    pub event_subprocesses: Box<[ElementNumber]>,
    /// What it waits for while it is active, beside what it is: the start events of its event subprocesses and its
    /// boundary events, or the catch events behind an event-based gateway. Those for errors are left out, since errors
    /// are looked for from where they are thrown.
    pub awaited: Box<[ElementNumber]>,
    /// Variables made when it is activated; `None` where there are none or they have no effect.
    pub inputs: Option<Mapping>,
    /// Variables made when it completes; `None` where there are none or they have no effect.
    pub outputs: Option<Mapping>,
}

impl Element {
    /// Whether a token waits here until one has come by each flow that leads here.
    pub fn joins(&self) -> bool {
        matches!(self.kind, Kind::ParallelGateway) && self.incoming.len() > 1
    }
}

/// What an element does.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The process, the outermost scope.
    Process,
    /// Where tokens come from.
    StartEvent(StartEvent),
    /// Where a token's way ends.
    EndEvent(EndEvent),
    /// Where a token waits for something to happen; boxed since it is much larger than the others.
    CatchEvent(Box<Trigger>),
    /// Where a token waits for a message; its trigger is one.
    ReceiveTask(Box<Trigger>),
    /// A job for a worker; boxed since it is much larger than the others.
    ServiceTask(Box<Job>),
    /// A decision, or a job for a worker.
    BusinessRuleTask(Box<Rule>),
    /// Another process, with an instance of its own.
    CallActivity(Box<CalledElement>),
    /// A job for a worker that sends something.
    SendTask(Box<Job>),
    /// An expression, or a job for a worker.
    ScriptTask(Box<Script>),
    /// What a token sets off on its way.
    ThrowEvent(ThrowEvent),
    /// An undefined task, which is passed through.
    Task,
    /// A manual task, which is passed through.
    ManualTask,
    /// A scope inside of another.
    SubProcess {
        /// Where it begins.
        start: Option<ElementNumber>,
    },
    /// A scope that begins when something happens in the scope around it.
    EventSubProcess {
        /// Where it begins: the start event that waits for it.
        start: Option<ElementNumber>,
        /// Whether all else in the scope around it ends.
        interrupting: bool,
    },
    /// What happens to an activity, and where a token goes on then.
    BoundaryEvent(Box<BoundaryEvent>),
    /// One way out of several.
    ExclusiveGateway(ExclusiveGateway),
    /// All ways at once, when all that lead here have been taken.
    ParallelGateway,
    /// The way to the first of the catch events behind it that is set off.
    EventBasedGateway,
    /// An activity that is repeated: the scope around its repetitions, each of which is the inner element.
    MultiInstance(Box<MultiInstance>),
    /// The way from one flow node to the next.
    SequenceFlow {
        /// Where it leaves.
        source: ElementNumber,
        /// Where it leads.
        target: ElementNumber,
        /// When it is taken; must come to a boolean.
        condition: Option<Box<Expression>>,
    },
}

impl Kind {
    /// What it waits for, if it is an event that waits.
    pub const fn trigger(&self) -> Option<&Trigger> {
        match self {
            Self::StartEvent(StartEvent::On(trigger))
            | Self::CatchEvent(trigger)
            | Self::ReceiveTask(trigger) => Some(trigger),
            Self::BoundaryEvent(event) => Some(&event.trigger),
            Self::Process
            | Self::StartEvent(StartEvent::None)
            | Self::EndEvent(_)
            | Self::ServiceTask(_)
            | Self::BusinessRuleTask(_)
            | Self::CallActivity(_)
            | Self::SendTask(_)
            | Self::ScriptTask(_)
            | Self::ThrowEvent(_)
            | Self::Task
            | Self::ManualTask
            | Self::SubProcess { .. }
            | Self::EventSubProcess { .. }
            | Self::ExclusiveGateway(_)
            | Self::ParallelGateway
            | Self::EventBasedGateway
            | Self::MultiInstance(_)
            | Self::SequenceFlow { .. } => None,
        }
    }

    /// The job that it creates for a worker, if it does.
    pub fn job(&self) -> Option<&Job> {
        match self {
            Self::ServiceTask(job)
            | Self::SendTask(job)
            | Self::ThrowEvent(ThrowEvent::Message(job))
            | Self::EndEvent(EndEvent::Message(job)) => Some(job),
            Self::ScriptTask(script) => match &**script {
                Script::Job(job) => Some(job),
                Script::Expression { .. } => None,
            },
            Self::BusinessRuleTask(rule) => match &**rule {
                Rule::Job(job) => Some(job),
                Rule::Decision(_) => None,
            },
            Self::Process
            | Self::StartEvent(_)
            | Self::EndEvent(_)
            | Self::ThrowEvent(ThrowEvent::None | ThrowEvent::Signal(_))
            | Self::CatchEvent(_)
            | Self::ReceiveTask(_)
            | Self::CallActivity(_)
            | Self::Task
            | Self::ManualTask
            | Self::SubProcess { .. }
            | Self::EventSubProcess { .. }
            | Self::BoundaryEvent(_)
            | Self::ExclusiveGateway(_)
            | Self::ParallelGateway
            | Self::EventBasedGateway
            | Self::MultiInstance(_)
            | Self::SequenceFlow { .. } => None,
        }
    }

    /// Where it begins, if it is a subprocess.
    pub const fn start(&self) -> Option<ElementNumber> {
        match self {
            Self::SubProcess { start } | Self::EventSubProcess { start, .. } => *start,
            _ => None,
        }
    }

    /// The value of `bpmnElementType` in records.
    pub const fn element_type(&self) -> &'static str {
        match self {
            Self::Process => "PROCESS",
            Self::StartEvent(_) => "START_EVENT",
            Self::EndEvent(_) => "END_EVENT",
            Self::CatchEvent(_) => "INTERMEDIATE_CATCH_EVENT",
            Self::ReceiveTask(_) => "RECEIVE_TASK",
            Self::ServiceTask(_) => "SERVICE_TASK",
            Self::BusinessRuleTask(_) => "BUSINESS_RULE_TASK",
            Self::CallActivity(_) => "CALL_ACTIVITY",
            Self::SendTask(_) => "SEND_TASK",
            Self::ScriptTask(_) => "SCRIPT_TASK",
            Self::ThrowEvent(_) => "INTERMEDIATE_THROW_EVENT",
            Self::Task => "TASK",
            Self::ManualTask => "MANUAL_TASK",
            Self::SubProcess { .. } => "SUB_PROCESS",
            Self::EventSubProcess { .. } => "EVENT_SUB_PROCESS",
            Self::BoundaryEvent(_) => "BOUNDARY_EVENT",
            Self::ExclusiveGateway(_) => "EXCLUSIVE_GATEWAY",
            Self::ParallelGateway => "PARALLEL_GATEWAY",
            Self::MultiInstance(_) => "MULTI_INSTANCE_BODY",
            Self::EventBasedGateway => "EVENT_BASED_GATEWAY",
            Self::SequenceFlow { .. } => "SEQUENCE_FLOW",
        }
    }

    /// The value of `bpmnEventType` in records.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::StartEvent(event) => event.event_type(),
            Self::EndEvent(event) => event.event_type(),
            Self::ThrowEvent(event) => event.event_type(),
            Self::CatchEvent(trigger) => trigger.event_type(),
            Self::BoundaryEvent(event) => event.trigger.event_type(),
            Self::Process
            | Self::ReceiveTask(_)
            | Self::ServiceTask(_)
            | Self::BusinessRuleTask(_)
            | Self::CallActivity(_)
            | Self::SendTask(_)
            | Self::ScriptTask(_)
            | Self::Task
            | Self::ManualTask
            | Self::SubProcess { .. }
            | Self::EventSubProcess { .. }
            | Self::ExclusiveGateway(_)
            | Self::ParallelGateway
            | Self::EventBasedGateway
            | Self::MultiInstance(_)
            | Self::SequenceFlow { .. } => "UNSPECIFIED",
        }
    }
}
