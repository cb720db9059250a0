//! The machine: which handler takes which command.

use coreto_machine::{Admission, Caller, Fault, Handled, Head, Machine, Outcome, Timestamp, Topic, Txn};
use coreto_record::{ActivatedJob, Command, Event, Rejection, Reply};

use crate::env::Env;
use crate::query::{self, Answer, Query};
use crate::state::State;
use crate::{apply, handler, weight};

/// The process engine.
#[derive(Debug)]
pub struct Engine;

/// What the shell does once a transaction is durable.
#[derive(Debug)]
pub enum Effect {
    /// Hands a job to a stream or a parked poll. When that is gone, the shell yields the job.
    Push {
        /// The stream or poll.
        sink: u64,
        /// The job.
        job: Box<ActivatedJob>,
    },
}

impl Machine for Engine {
    type State = State;
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Effect = Effect;
    type Query = Query;
    type Answer = Answer;
    type Env = Env;

    fn handle(txn: &mut Txn<'_, Self>, head: &Head, command: &Command) -> Result<Outcome<Self>, Rejection> {
        match command {
            Command::Deploy(command) => handler::deploy(txn, head, command),
            Command::CreateInstance(command) => handler::create_instance(txn, head, command),
            Command::ModifyInstance(command) => handler::modify_instance(txn, head, command),
            Command::MigrateInstance(command) => handler::migrate_instance(txn, head, command),
            Command::CancelInstance(command) => handler::cancel_instance(txn, head, command),
            Command::SetVariables(command) => handler::set_variables(txn, head, command),
            Command::ActivateJobs(command) => handler::activate_jobs(txn, head, command),
            Command::CompleteJob(command) => handler::complete_job(txn, head, command),
            Command::FailJob(command) => handler::fail_job(txn, head, command),
            Command::ThrowError(command) => handler::throw_error(txn, head, command),
            Command::UpdateJobRetries(command) => handler::update_job_retries(txn, head, command),
            Command::UpdateJobTimeout(command) => handler::update_job_timeout(txn, head, command),
            Command::ResolveIncident(command) => handler::resolve_incident(txn, head, command),
            Command::EvaluateDecision(command) => handler::evaluate_decision(txn, head, command),
            Command::DeleteResource(command) => handler::delete_resource(txn, head, command),
            Command::TakeDeletion(command) => handler::take_deletion(txn, head, command),
            Command::CountInstances(command) => handler::count_instances(txn, command),
            Command::BroadcastSignal(command) => handler::broadcast_signal(txn, head, command),
            Command::SpreadSignal(command) => handler::spread_signal(txn, head, command),
            Command::PublishMessage(command) => handler::publish_message(txn, head, command),
            Command::OpenMessageSubscription(command) => {
                handler::message_subscription::open(txn, head, command)
            }
            Command::CorrelateMessageSubscription(command) => {
                handler::message_subscription::correlate(txn, head, command)
            }
            Command::RejectMessageSubscription(command) => {
                handler::message_subscription::reject(txn, head, command)
            }
            Command::MigrateMessageSubscription(command) => {
                handler::message_subscription::migrate(txn, head, command)
            }
            Command::MigratedProcessSubscription(command) => {
                handler::process_subscription::migrated(txn, command)
            }
            Command::CloseMessageSubscription(command) => handler::message_subscription::close(txn, command),
            Command::OpenedProcessSubscription(command) => {
                handler::process_subscription::opened(txn, command)
            }
            Command::CorrelateProcessSubscription(command) => {
                handler::process_subscription::correlate(txn, head, command)
            }
            Command::ClosedProcessSubscription(command) => {
                handler::process_subscription::closed(txn, command)
            }
            Command::PinClock(command) => handler::pin_clock(txn, command),
            Command::ResetClock(()) => handler::reset_clock(txn),
            Command::YieldJob(command) => handler::yield_job(txn, head, command),
            Command::ActivateElement(command) => handler::activate_element(txn, head, command),
            Command::ActivateChildren(command) => handler::activate_children(txn, command),
            Command::CompleteElement(command) => handler::complete_element(txn, head, command),
            Command::ContinueTermination(command) => handler::continue_termination(txn, head, command),
            Command::TerminateElement(command) => handler::terminate_element(txn, command),
            Command::TerminateChildren(command) => handler::terminate_children(txn, command),
            Command::Tick(()) => handler::tick(txn, head),
            Command::Distribute(command) => handler::distribute(txn, command),
            Command::TakeDeployment(command) => handler::take_deployment(txn, head, command),
            Command::AcknowledgeDistribution(command) => handler::acknowledge_distribution(txn, command),
        }
    }

    fn fault(
        txn: &mut Txn<'_, Self>,
        head: &Head,
        command: &Command,
        fault: &Fault,
    ) -> Result<Outcome<Self>, Rejection> {
        handler::fault(txn, head, command, fault)
    }

    fn refuse(fault: &Fault) -> Rejection {
        Rejection::of_fault("engine", fault)
    }

    fn apply(state: &mut State, event: &Event) {
        apply::apply(state, event);
    }

    fn query(state: &State, caller: &Caller, query: &Query) -> Answer {
        query::answer(state, caller, query)
    }

    fn due(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(at, ..)| *at)
    }

    fn pinned(state: &State) -> Option<Timestamp> {
        state.clock.get().pinned
    }

    fn tick() -> Command {
        Command::Tick(())
    }

    fn owed(_state: &State) -> Vec<Effect> {
        // A job whose push was lost comes back at its deadline.
        Vec::new()
    }

    fn touched(_event: &Event, _wake: &mut dyn FnMut(Topic)) {}

    fn describe(command: &Command) -> Handled {
        let (value_type, intent, key) = command.describe();
        Handled { value_type: value_type as u32, intent, key }
    }

    fn admission(command: &Command) -> Admission {
        match command {
            Command::CreateInstance(_)
            | Command::ActivateJobs(_)
            | Command::EvaluateDecision(_)
            | Command::PublishMessage(_)
            | Command::ModifyInstance(_)
            | Command::MigrateInstance(_)
            | Command::BroadcastSignal(_) => Admission::NewWork,
            Command::Deploy(_)
            | Command::DeleteResource(_)
            | Command::CancelInstance(_)
            | Command::SetVariables(_)
            | Command::CompleteJob(_)
            | Command::FailJob(_)
            | Command::ThrowError(_)
            | Command::UpdateJobRetries(_)
            | Command::UpdateJobTimeout(_)
            | Command::ResolveIncident(_)
            | Command::PinClock(_)
            | Command::ResetClock(()) => Admission::Ongoing,
            Command::YieldJob(_)
            | Command::ActivateElement(_)
            | Command::CompleteElement(_)
            | Command::TerminateElement(_)
            | Command::ContinueTermination(_)
            | Command::TerminateChildren(_)
            | Command::ActivateChildren(_)
            | Command::Distribute(_)
            | Command::TakeDeployment(_)
            | Command::AcknowledgeDistribution(_)
            | Command::TakeDeletion(_)
            | Command::CountInstances(_)
            | Command::Tick(())
            | Command::OpenMessageSubscription(_)
            | Command::OpenedProcessSubscription(_)
            | Command::CorrelateProcessSubscription(_)
            | Command::CorrelateMessageSubscription(_)
            | Command::RejectMessageSubscription(_)
            | Command::CloseMessageSubscription(_)
            | Command::ClosedProcessSubscription(_)
            | Command::MigrateMessageSubscription(_)
            | Command::MigratedProcessSubscription(_)
            | Command::SpreadSignal(_) => Admission::Internal,
        }
    }

    fn weight(command: &Command) -> usize {
        weight::of(command)
    }

    fn abridge(command: &Command, bytes: usize) -> Command {
        weight::abridged(command, bytes)
    }
}
