//! The names of BPMN 2.0, sorted by what they mean for an executable graph.

use std::fmt;

/// What an element inside a process or subprocess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It takes part in the flow of tokens.
    Flow(Tag),
    /// Documentation, data or bookkeeping: tokens pass it by.
    Passive,
    /// It belongs to another container, and its owner reads it.
    Marker,
    /// BPMN does not have it at this place.
    Foreign,
}

/// The elements that take part in the flow of tokens; the process is one as the outermost scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Process,
    SequenceFlow,
    StartEvent,
    EndEvent,
    IntermediateCatchEvent,
    IntermediateThrowEvent,
    BoundaryEvent,
    Task,
    ManualTask,
    ServiceTask,
    SendTask,
    ReceiveTask,
    UserTask,
    BusinessRuleTask,
    ScriptTask,
    CallActivity,
    SubProcess,
    AdHocSubProcess,
    Transaction,
    ExclusiveGateway,
    InclusiveGateway,
    ParallelGateway,
    EventBasedGateway,
    ComplexGateway,
    Choreography,
}

impl Tag {
    /// What people call it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::SequenceFlow => "sequence flow",
            Self::StartEvent => "start event",
            Self::EndEvent => "end event",
            Self::IntermediateCatchEvent => "intermediate catch event",
            Self::IntermediateThrowEvent => "intermediate throw event",
            Self::BoundaryEvent => "boundary event",
            Self::Task => "undefined task",
            Self::ManualTask => "manual task",
            Self::ServiceTask => "service task",
            Self::SendTask => "send task",
            Self::ReceiveTask => "receive task",
            Self::UserTask => "user task",
            Self::BusinessRuleTask => "business rule task",
            Self::ScriptTask => "script task",
            Self::CallActivity => "call activity",
            Self::SubProcess => "subprocess",
            Self::AdHocSubProcess => "ad-hoc subprocess",
            Self::Transaction => "transaction subprocess",
            Self::ExclusiveGateway => "exclusive gateway",
            Self::InclusiveGateway => "inclusive gateway",
            Self::ParallelGateway => "parallel gateway",
            Self::EventBasedGateway => "event-based gateway",
            Self::ComplexGateway => "complex gateway",
            Self::Choreography => "choreography or conversation element",
        }
    }

    /// The noun behind its article.
    pub(crate) const fn a_noun(self) -> Indefinite {
        Indefinite(self.noun())
    }

    /// Whether flow elements stand inside it.
    pub(crate) const fn is_scope(self) -> bool {
        matches!(self, Self::Process | Self::SubProcess | Self::AdHocSubProcess | Self::Transaction)
    }

    /// Whether conditions choose among its outgoing flows.
    pub(crate) const fn takes_conditions(self) -> bool {
        matches!(self, Self::ExclusiveGateway | Self::InclusiveGateway | Self::ComplexGateway)
    }

    /// Whether it may have event definitions.
    pub(crate) const fn is_event(self) -> bool {
        matches!(
            self,
            Self::StartEvent
                | Self::EndEvent
                | Self::IntermediateCatchEvent
                | Self::IntermediateThrowEvent
                | Self::BoundaryEvent
        )
    }

    /// Whether it may have a boundary event attached.
    pub(crate) const fn is_activity(self) -> bool {
        match self {
            Self::Task
            | Self::ManualTask
            | Self::ServiceTask
            | Self::SendTask
            | Self::ReceiveTask
            | Self::UserTask
            | Self::BusinessRuleTask
            | Self::ScriptTask
            | Self::CallActivity
            | Self::SubProcess
            | Self::AdHocSubProcess
            | Self::Transaction => true,
            Self::Process
            | Self::SequenceFlow
            | Self::StartEvent
            | Self::EndEvent
            | Self::IntermediateCatchEvent
            | Self::IntermediateThrowEvent
            | Self::BoundaryEvent
            | Self::ExclusiveGateway
            | Self::InclusiveGateway
            | Self::ParallelGateway
            | Self::EventBasedGateway
            | Self::ComplexGateway
            | Self::Choreography => false,
        }
    }
}

/// A noun that is written with its indefinite article.
#[derive(Clone, Copy)]
pub(crate) struct Indefinite(&'static str);

impl fmt::Display for Indefinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = if self.0.starts_with(['a', 'e', 'i', 'o', 'u']) && !self.0.starts_with("user") {
            "an"
        } else {
            "a"
        };
        write!(f, "{article} {}", self.0)
    }
}

/// What an element inside a process or subprocess is, by its local name.
pub(crate) fn role(local: &str) -> Role {
    let tag = match local {
        "sequenceFlow" => Tag::SequenceFlow,
        "startEvent" => Tag::StartEvent,
        "endEvent" => Tag::EndEvent,
        "serviceTask" => Tag::ServiceTask,
        "task" => Tag::Task,
        "manualTask" => Tag::ManualTask,
        "userTask" => Tag::UserTask,
        "exclusiveGateway" => Tag::ExclusiveGateway,
        "parallelGateway" => Tag::ParallelGateway,
        "inclusiveGateway" => Tag::InclusiveGateway,
        "eventBasedGateway" => Tag::EventBasedGateway,
        "complexGateway" => Tag::ComplexGateway,
        "intermediateCatchEvent" => Tag::IntermediateCatchEvent,
        "intermediateThrowEvent" | "implicitThrowEvent" => Tag::IntermediateThrowEvent,
        "boundaryEvent" => Tag::BoundaryEvent,
        "sendTask" => Tag::SendTask,
        "receiveTask" => Tag::ReceiveTask,
        "businessRuleTask" => Tag::BusinessRuleTask,
        "scriptTask" => Tag::ScriptTask,
        "callActivity" => Tag::CallActivity,
        "subProcess" => Tag::SubProcess,
        "adHocSubProcess" => Tag::AdHocSubProcess,
        "transaction" => Tag::Transaction,
        "choreographyTask" | "subChoreography" | "callChoreography" | "conversation" | "subConversation"
        | "callConversation" => Tag::Choreography,
        "documentation"
        | "extensionElements"
        | "auditing"
        | "monitoring"
        | "laneSet"
        | "textAnnotation"
        | "association"
        | "group"
        | "dataObject"
        | "dataObjectReference"
        | "dataStoreReference"
        | "property"
        | "ioSpecification"
        | "ioBinding"
        | "supportedInterfaceRef"
        | "supports"
        | "categoryValueRef"
        | "correlationSubscription"
        | "performer"
        | "humanPerformer"
        | "potentialOwner"
        | "resourceRole"
        | "artifact"
        | "dataInputAssociation"
        | "dataOutputAssociation" => return Role::Passive,
        "incoming"
        | "outgoing"
        | "completionCondition"
        | "multiInstanceLoopCharacteristics"
        | "standardLoopCharacteristics" => return Role::Marker,
        _ => return Role::Foreign,
    };
    Role::Flow(tag)
}

/// Whether an element may stand directly in `definitions`.
pub(crate) fn is_root_element(local: &str) -> bool {
    matches!(
        local,
        "process"
            | "collaboration"
            | "message"
            | "signal"
            | "error"
            | "escalation"
            | "import"
            | "extension"
            | "documentation"
            | "extensionElements"
            | "relationship"
            | "category"
            | "choreography"
            | "globalChoreographyTask"
            | "conversation"
            | "globalConversation"
            | "correlationProperty"
            | "dataStore"
            | "endPoint"
            | "interface"
            | "itemDefinition"
            | "partnerEntity"
            | "partnerRole"
            | "resource"
            | "globalTask"
            | "globalManualTask"
            | "globalUserTask"
            | "globalScriptTask"
            | "globalBusinessRuleTask"
    ) || trigger(local).is_some()
}

/// What sets off an event, by the name of its event definition.
pub(crate) fn trigger(local: &str) -> Option<&'static str> {
    Some(match local {
        "messageEventDefinition" => "message",
        "timerEventDefinition" => "timer",
        "signalEventDefinition" => "signal",
        "errorEventDefinition" => "error",
        "escalationEventDefinition" => "escalation",
        "conditionalEventDefinition" => "conditional",
        "compensateEventDefinition" => "compensation",
        "linkEventDefinition" => "link",
        "terminateEventDefinition" => "terminate",
        "cancelEventDefinition" => "cancel",
        _ => return None,
    })
}

/// Whether an element is a part of the one around it, which people know by its name instead.
pub(crate) fn is_part(local: &str) -> bool {
    trigger(local).is_some()
        || matches!(
            local,
            "conditionExpression"
                | "multiInstanceLoopCharacteristics"
                | "standardLoopCharacteristics"
                | "completionCondition"
                | "timeDate"
                | "timeDuration"
                | "timeCycle"
        )
}
