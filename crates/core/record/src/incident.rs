//! Why an element instance cannot go on.

coreto_machine::numbered! {
    /// The kind of an incident, as exported in `errorType`.
    pub enum IncidentKind {
        /// None of the others.
        Unknown = 0,
        /// An input or output mapping failed, or its result is no context.
        IoMappingError = 1,
        /// A job failed and has no retries left.
        JobNoRetries = 2,
        /// No outgoing flow is fulfilled and there is no default.
        ConditionError = 3,
        /// Any other expression failed or gave a value of the wrong type.
        ExtractValueError = 4,
        /// The called process cannot be started.
        CalledElementError = 5,
        /// Nobody catches a thrown error.
        UnhandledErrorEvent = 6,
        /// What was to be written does not fit into a message.
        MessageSizeExceeded = 7,
        /// The called decision cannot be found.
        CalledDecisionError = 8,
        /// The called decision failed.
        DecisionEvaluationError = 9,
        /// The form cannot be found.
        FormNotFound = 10,
    }
}

impl IncidentKind {
    /// The name in records and APIs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::IoMappingError => "IO_MAPPING_ERROR",
            Self::JobNoRetries => "JOB_NO_RETRIES",
            Self::ConditionError => "CONDITION_ERROR",
            Self::ExtractValueError => "EXTRACT_VALUE_ERROR",
            Self::CalledElementError => "CALLED_ELEMENT_ERROR",
            Self::UnhandledErrorEvent => "UNHANDLED_ERROR_EVENT",
            Self::MessageSizeExceeded => "MESSAGE_SIZE_EXCEEDED",
            Self::CalledDecisionError => "CALLED_DECISION_ERROR",
            Self::DecisionEvaluationError => "DECISION_EVALUATION_ERROR",
            Self::FormNotFound => "FORM_NOT_FOUND",
        }
    }
}
