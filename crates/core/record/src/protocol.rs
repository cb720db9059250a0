//! Value types and intents of Zeebe's record protocol, by number and name (contract: exported records).

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum ValueType {
    /// A job.
    Job = 0,
    /// A request for resources.
    Deployment = 4,
    /// An element instance.
    ProcessInstance = 5,
    /// An incident.
    Incident = 6,
    /// A timer.
    Timer = 15,
    /// A variable.
    Variable = 17,
    /// A message.
    Message = 10,
    /// Who waits for a message, on the side of the message.
    MessageSubscription = 11,
    /// Who waits for a message, on the side of the instance.
    ProcessMessageSubscription = 12,
    /// What starts instances by messages.
    MessageStartEventSubscription = 16,
    /// A request for jobs.
    JobBatch = 14,
    /// A request for variables.
    VariableDocument = 18,
    /// A request for an instance.
    ProcessInstanceCreation = 19,
    /// The engine failed inside.
    Error = 20,
    /// A process definition.
    Process = 22,
    /// What triggers an element.
    ProcessEvent = 24,
    /// A decision.
    Decision = 25,
    /// A decision requirements graph.
    DecisionRequirements = 26,
    /// A decision that is evaluated.
    DecisionEvaluation = 27,
    /// A resource that is deleted.
    ResourceDeletion = 32,
    /// A change of what runs in an instance.
    ProcessInstanceModification = 28,
    /// An instance that moves to another definition.
    ProcessInstanceMigration = 38,
    /// What is brought to all partitions.
    CommandDistribution = 33,
    /// What waits for a signal.
    SignalSubscription = 30,
    /// A signal.
    Signal = 31,
    /// Many element instances at once.
    ProcessInstanceBatch = 34,
    /// The controllable clock.
    Clock = 42,
}

macro_rules! intents {
    ($( $(#[$meta:meta])* $module:ident ($value_type:ident, $type_name:literal) { $($name:ident = $number:literal),* $(,)? } )*) => {
        /// Numbers of intents, a module per value type.
        #[expect(missing_docs, reason = "the names are the protocol's and say all there is")]
        pub mod intent {
            $(
                $(#[$meta])*
                pub mod $module {
                    $( pub const $name: u32 = $number; )*
                }
            )*
        }

        impl ValueType {
            /// The name in records.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$value_type => $type_name, )*
                }
            }

            /// The value type with this number.
            pub const fn from_number(number: u32) -> Option<Self> {
                $( if number == Self::$value_type as u32 {
                    return Some(Self::$value_type);
                } )*
                None
            }

            /// The name of an intent of this value type.
            pub const fn intent_name(self, intent: u32) -> Option<&'static str> {
                match self {
                    $( Self::$value_type => match intent {
                        $( $number => Some(stringify!($name)), )*
                        _ => None,
                    }, )*
                }
            }

            /// All value types.
            pub const ALL: &'static [Self] = &[$( Self::$value_type ),*];
        }
    };
}

intents! {
    job (Job, "JOB") {
        CREATED = 0, COMPLETE = 1, COMPLETED = 2, TIME_OUT = 3, TIMED_OUT = 4, FAIL = 5, FAILED = 6,
        UPDATE_RETRIES = 7, RETRIES_UPDATED = 8, CANCELED = 10, THROW_ERROR = 11, ERROR_THROWN = 12,
        RECUR_AFTER_BACKOFF = 13, RECURRED_AFTER_BACKOFF = 14, YIELD = 15, YIELDED = 16,
        UPDATE_TIMEOUT = 17, TIMEOUT_UPDATED = 18, MIGRATED = 19,
    }
    deployment (Deployment, "DEPLOYMENT") { CREATE = 0, CREATED = 1 }
    process_instance (ProcessInstance, "PROCESS_INSTANCE") {
        CANCEL = 0, SEQUENCE_FLOW_TAKEN = 1, ELEMENT_ACTIVATING = 2, ELEMENT_ACTIVATED = 3,
        ELEMENT_COMPLETING = 4, ELEMENT_COMPLETED = 5, ELEMENT_TERMINATING = 6, ELEMENT_TERMINATED = 7,
        ACTIVATE_ELEMENT = 8, COMPLETE_ELEMENT = 9, TERMINATE_ELEMENT = 10,
        ELEMENT_MIGRATED = 11, ANCESTOR_MIGRATED = 13, CONTINUE_TERMINATING_ELEMENT = 14,
    }
    incident (Incident, "INCIDENT") { CREATED = 0, RESOLVE = 1, RESOLVED = 2, MIGRATED = 3 }
    timer (Timer, "TIMER") { CREATED = 0, TRIGGER = 1, TRIGGERED = 2, CANCEL = 3, CANCELED = 4, MIGRATED = 5 }
    message (Message, "MESSAGE") { PUBLISH = 0, PUBLISHED = 1, EXPIRE = 2, EXPIRED = 3 }
    message_subscription (MessageSubscription, "MESSAGE_SUBSCRIPTION") {
        CREATE = 0, CREATED = 1, CORRELATE = 2, CORRELATED = 3, REJECT = 4, REJECTED = 5, DELETE = 6,
        DELETED = 7, CORRELATING = 8, MIGRATE = 9, MIGRATED = 10,
    }
    process_message_subscription (ProcessMessageSubscription, "PROCESS_MESSAGE_SUBSCRIPTION") {
        CREATING = 0, CREATE = 1, CREATED = 2, CORRELATE = 3, CORRELATED = 4, DELETING = 5, DELETE = 6,
        DELETED = 7, MIGRATING = 8, MIGRATE = 9, MIGRATED = 10,
    }
    message_start_event_subscription (MessageStartEventSubscription, "MESSAGE_START_EVENT_SUBSCRIPTION") {
        CREATED = 0, CORRELATED = 1, DELETED = 2,
    }
    signal_subscription (SignalSubscription, "SIGNAL_SUBSCRIPTION") { CREATED = 0, DELETED = 1, MIGRATED = 2 }
    signal (Signal, "SIGNAL") { BROADCAST = 0, BROADCASTED = 1 }
    variable (Variable, "VARIABLE") { CREATED = 0, UPDATED = 1, MIGRATED = 2 }
    job_batch (JobBatch, "JOB_BATCH") { ACTIVATE = 0, ACTIVATED = 1 }
    variable_document (VariableDocument, "VARIABLE_DOCUMENT") { UPDATE = 0, UPDATED = 1 }
    process_instance_creation (ProcessInstanceCreation, "PROCESS_INSTANCE_CREATION") {
        CREATE = 0, CREATED = 1, CREATE_WITH_AWAITING_RESULT = 2,
    }
    error (Error, "ERROR") { CREATED = 0 }
    process (Process, "PROCESS") { CREATED = 0, DELETING = 1, DELETED = 2 }
    process_event (ProcessEvent, "PROCESS_EVENT") { TRIGGERING = 0, TRIGGERED = 1 }
    decision (Decision, "DECISION") { CREATED = 0, DELETED = 1 }
    decision_requirements (DecisionRequirements, "DECISION_REQUIREMENTS") { CREATED = 0, DELETED = 1 }
    decision_evaluation (DecisionEvaluation, "DECISION_EVALUATION") { EVALUATED = 0, FAILED = 1, EVALUATE = 2 }
    resource_deletion (ResourceDeletion, "RESOURCE_DELETION") { DELETE = 0, DELETING = 1, DELETED = 2 }
    process_instance_modification (ProcessInstanceModification, "PROCESS_INSTANCE_MODIFICATION") {
        MODIFY = 0, MODIFIED = 1,
    }
    process_instance_migration (ProcessInstanceMigration, "PROCESS_INSTANCE_MIGRATION") {
        MIGRATE = 0, MIGRATED = 1,
    }
    command_distribution (CommandDistribution, "COMMAND_DISTRIBUTION") {
        STARTED = 0, DISTRIBUTING = 1, ACKNOWLEDGE = 2, ACKNOWLEDGED = 3, FINISHED = 4,
    }
    process_instance_batch (ProcessInstanceBatch, "PROCESS_INSTANCE_BATCH") { TERMINATE = 0, ACTIVATE = 1 }
    clock (Clock, "CLOCK") { PIN = 0, PINNED = 1, RESET = 2, RESETTED = 3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_go_both_ways() {
        for &value_type in ValueType::ALL {
            assert_eq!(ValueType::from_number(value_type as u32), Some(value_type));
        }
        assert_eq!(ValueType::Job.intent_name(intent::job::YIELDED), Some("YIELDED"));
        assert_eq!(ValueType::Clock.intent_name(9), None);
    }
}
