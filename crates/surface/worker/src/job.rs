//! What a handler gets, and what it may say.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::time::Duration;

use coreto_protocol::gateway::ActivatedJob;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A job that the worker holds, its variables read as `In`.
#[derive(Clone, Debug)]
pub struct Job<In> {
    /// What the job can see, or those of it that the worker asked for.
    pub variables: In,
    /// The job as the server sent it, but for the text of its variables.
    pub activated: ActivatedJob,
}

impl<In> Job<In> {
    /// Key of the job.
    pub fn key(&self) -> i64 {
        self.activated.key
    }

    /// Key of the process instance it belongs to.
    pub fn process_instance_key(&self) -> i64 {
        self.activated.process_instance_key
    }

    /// Id of the BPMN element it belongs to.
    pub fn element_id(&self) -> &str {
        &self.activated.element_id
    }

    /// How often it may still be tried, this time included.
    pub fn retries(&self) -> i32 {
        self.activated.retries
    }

    /// Reads the headers of the model.
    ///
    /// # Errors
    /// Says which header does not fit `H`; as a [`JobError`], so that `?` fails the job.
    pub fn headers<H: DeserializeOwned>(&self) -> Result<H, JobError> {
        serde_json::from_str(object(&self.activated.custom_headers)).map_err(|error| {
            JobError::fail(format!("cannot read the headers of element `{}`: {error}", self.element_id()))
        })
    }
}

/// Why a job was not completed.
///
/// Any error of the standard kind turns into [`JobError::Fail`] with its whole chain of causes, so `?` works.
/// That is why this type is not such an error itself.
#[derive(Clone, Debug)]
pub enum JobError {
    /// It could not be done this time.
    Fail {
        /// Why; people see it at the incident.
        message: String,
        /// How often it may still be tried; `None` for one less than before. 0 raises an incident.
        retries: Option<i32>,
        /// How long before it may be taken again.
        backoff: Duration,
        /// Variables for the scope of its element.
        variables: Option<serde_json::Value>,
    },
    /// The process has to decide.
    Bpmn(BpmnError),
}

/// An error that the catch events of the process decide about.
#[derive(Clone, Debug, PartialEq)]
pub struct BpmnError {
    /// What catch events are matched by.
    pub code: String,
    /// For people.
    pub message: String,
    /// Variables for the catch event.
    pub variables: Option<serde_json::Value>,
}

impl BpmnError {
    /// An error without variables.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), variables: None }
    }

    /// Sends variables along; they must make a JSON object.
    #[must_use]
    pub fn with_variables(mut self, value: serde_json::Value) -> Self {
        self.variables = Some(value);
        self
    }
}

impl From<BpmnError> for JobError {
    fn from(error: BpmnError) -> Self {
        Self::Bpmn(error)
    }
}

impl JobError {
    /// Fails the job, to be tried again at once while retries last.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::Fail { message: message.into(), retries: None, backoff: Duration::ZERO, variables: None }
    }

    /// Throws a BPMN error.
    pub fn bpmn(code: impl Into<String>, message: impl Into<String>) -> Self {
        BpmnError::new(code, message).into()
    }

    /// Sets how often the job may still be tried; a BPMN error has no such number and stays as it is.
    #[must_use]
    pub fn with_retries(mut self, left: i32) -> Self {
        if let Self::Fail { retries, .. } = &mut self {
            *retries = Some(left);
        }
        self
    }

    /// Sets how long to wait before the next attempt; a BPMN error has none and stays as it is.
    #[must_use]
    pub fn with_backoff(mut self, pause: Duration) -> Self {
        if let Self::Fail { backoff, .. } = &mut self {
            *backoff = pause;
        }
        self
    }

    /// Sends variables along; they must make a JSON object.
    #[must_use]
    pub fn with_variables(mut self, value: serde_json::Value) -> Self {
        match &mut self {
            Self::Fail { variables, .. } | Self::Bpmn(BpmnError { variables, .. }) => {
                *variables = Some(value);
            }
        }
        self
    }
}

impl<E: StdError> From<E> for JobError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // Writing to a text cannot fail.
            let _ = write!(message, ": {cause}");
            source = cause.source();
        }
        Self::fail(message)
    }
}

/// What the attribute `worker` turns what a function returns into.
#[doc(hidden)]
pub fn outcome<Out, E: Into<JobError>>(returned: Result<Out, E>) -> Result<Out, JobError> {
    returned.map_err(Into::into)
}

/// Reads a job's variables; one that cannot be read goes straight to an incident.
pub(crate) fn typed<In: DeserializeOwned>(mut activated: ActivatedJob) -> Result<Job<In>, JobError> {
    let text = std::mem::take(&mut activated.variables);
    match serde_json::from_str(object(&text)) {
        Ok(variables) => Ok(Job { variables, activated }),
        // The same variables fail the same way on every attempt.
        Err(error) => {
            Err(JobError::fail(format!("cannot read the variables of job {}: {error}", activated.key))
                .with_retries(0))
        }
    }
}

/// Writes what a handler returned; `()` is no variables.
pub(crate) fn written<Out: Serialize>(job: i64, out: &Out) -> Result<String, JobError> {
    variables(out)
        .map_err(|why| JobError::fail(format!("cannot send the result of job {job}: {why}")).with_retries(0))
}

/// A JSON object as text; empty for a value that is nothing.
pub(crate) fn variables<V: Serialize + ?Sized>(value: &V) -> Result<String, NotAnObject> {
    match serde_json::to_string(value) {
        Ok(text) if text.starts_with('{') => Ok(text),
        Ok(text) if text == "null" => Ok(String::new()),
        Ok(_) => Err(NotAnObject(None)),
        Err(error) => Err(NotAnObject(Some(error))),
    }
}

/// Variables must be a JSON object.
#[derive(Debug)]
pub(crate) struct NotAnObject(pub(crate) Option<serde_json::Error>);

impl std::fmt::Display for NotAnObject {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(error) => error.fmt(out),
            None => out.write_str("it is not a JSON object"),
        }
    }
}

fn object(text: &str) -> &str {
    if text.is_empty() { "{}" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sends_objects_and_nothing_but_objects() {
        assert_eq!(variables(&serde_json::json!({ "a": 1 })).expect("an object"), r#"{"a":1}"#);
        assert_eq!(variables(&()).expect("nothing"), "");
        assert!(variables(&[1, 2]).is_err());
        assert!(variables("text").is_err());
    }

    #[test]
    fn tells_the_whole_chain_of_causes() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot charge the card")]
        struct Charge {
            source: std::io::Error,
        }
        let error = JobError::from(Charge { source: std::io::Error::other("no route") });
        let JobError::Fail { message, retries: None, .. } = error else { panic!("{error:?}") };
        assert_eq!(message, "cannot charge the card: no route");
    }
}
