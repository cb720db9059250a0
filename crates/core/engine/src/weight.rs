//! How many bytes a command holds, and what is kept of one that was rejected.

use std::sync::Arc;

use coreto_record::command::{CreateInstance, ElementMapping, Resource};
use coreto_record::{Command, Document};

/// Bytes of a command besides the texts in it.
const FRAME: usize = 256;

/// Bytes of a text in a list besides its characters.
const ENTRY: usize = 32;

/// About how many bytes a command holds.
pub(crate) fn of(command: &Command) -> usize {
    let texts = match command {
        Command::Deploy(deploy) => {
            deploy.resources.iter().map(|resource| ENTRY + resource.name.len() + resource.content.len()).sum()
        }
        Command::TakeDeployment(take) => {
            let files = take.processes.iter().map(|process| &process.resource);
            let files = files.chain(take.requirements.iter().map(|graph| &graph.resource));
            files.map(|file| ENTRY + file.len()).sum()
        }
        Command::CreateInstance(create) => of_creation(create),
        Command::SetVariables(set) => set.variables.as_str().len(),
        Command::ModifyInstance(modify) => {
            let given = modify.activate.iter().flat_map(|activation| &activation.variables);
            let given: usize =
                given.map(|given| ENTRY + given.scope.len() + given.variables.as_str().len()).sum();
            let ids: usize = modify.activate.iter().map(|activation| ENTRY + activation.element.len()).sum();
            given + ids + ENTRY * modify.terminate.len()
        }
        Command::MigrateInstance(migrate) => {
            let id = |mapping: &ElementMapping| ENTRY + mapping.source.len() + mapping.target.len();
            migrate.mappings.iter().map(id).sum()
        }
        Command::EvaluateDecision(evaluate) => evaluate.id.len() + evaluate.variables.as_str().len(),
        Command::ActivateJobs(activate) => {
            activate.job_type.len() + activate.worker.len() + list(&activate.fetch)
        }
        Command::CompleteJob(complete) => complete.variables.as_str().len(),
        Command::FailJob(fail) => fail.variables.as_str().len() + fail.message.len(),
        Command::ThrowError(throw) => throw.variables.as_str().len() + throw.code.len() + throw.message.len(),
        Command::PublishMessage(publish) => {
            let texts = [&publish.name, &publish.correlation_key, &publish.id];
            publish.variables.as_str().len() + texts.iter().map(|text| text.len()).sum::<usize>()
        }
        Command::BroadcastSignal(broadcast) => broadcast.variables.as_str().len() + broadcast.name.len(),
        Command::SpreadSignal(spread) => spread.variables.as_str().len() + spread.name.len(),
        Command::CorrelateProcessSubscription(correlate) => correlate.variables.as_str().len(),
        Command::OpenMessageSubscription(_)
        | Command::OpenedProcessSubscription(_)
        | Command::CorrelateMessageSubscription(_)
        | Command::RejectMessageSubscription(_)
        | Command::CloseMessageSubscription(_)
        | Command::ClosedProcessSubscription(_)
        | Command::MigrateMessageSubscription(_)
        | Command::MigratedProcessSubscription(_)
        | Command::CancelInstance(_)
        | Command::DeleteResource(_)
        | Command::TakeDeletion(_)
        | Command::CountInstances(_)
        | Command::UpdateJobRetries(_)
        | Command::UpdateJobTimeout(_)
        | Command::ResolveIncident(_)
        | Command::PinClock(_)
        | Command::ResetClock(())
        | Command::YieldJob(_)
        | Command::ActivateElement(_)
        | Command::CompleteElement(_)
        | Command::TerminateElement(_)
        | Command::ContinueTermination(_)
        | Command::TerminateChildren(_)
        | Command::ActivateChildren(_)
        | Command::Distribute(_)
        | Command::AcknowledgeDistribution(_)
        | Command::Tick(()) => 0,
    };
    FRAME + texts
}

fn of_creation(create: &CreateInstance) -> usize {
    let fetch = create.await_result.as_ref().map_or(0, |wanted| list(&wanted.fetch));
    let ends = create.ends_after.as_deref().map_or(0, |ends| list(&ends.elements));
    create.process.len() + create.variables.as_str().len() + list(&create.starts) + ends + fetch
}

fn list(names: &[Arc<str>]) -> usize {
    names.iter().map(|name| ENTRY + name.len()).sum()
}

/// The command without its documents and with its texts cut at `bytes`.
pub(crate) fn abridged(command: &Command, bytes: usize) -> Command {
    let mut command = command.clone();
    match &mut command {
        Command::Deploy(deploy) => {
            deploy.resources.truncate(1);
            deploy.resources.iter_mut().for_each(|file| cut_file(file, bytes));
        }
        Command::CreateInstance(create) => {
            create.variables = Document::EMPTY;
            cut(&mut create.process, bytes);
            create.starts.clear();
            create.ends_after = None;
            if let Some(wanted) = &mut create.await_result {
                wanted.fetch.clear();
            }
        }
        Command::TakeDeployment(take) => {
            take.processes.clear();
            take.requirements.clear();
            take.decisions.clear();
        }
        Command::SetVariables(set) => set.variables = Document::EMPTY,
        Command::ModifyInstance(it) => (it.activate, it.terminate) = Default::default(),
        Command::MigrateInstance(it) => it.mappings.clear(),
        Command::EvaluateDecision(it) => shorten(&mut it.variables, [&mut it.id], bytes),
        Command::ActivateJobs(activate) => {
            activate.fetch.clear();
            cut(&mut activate.job_type, bytes);
            cut(&mut activate.worker, bytes);
        }
        Command::CompleteJob(complete) => complete.variables = Document::EMPTY,
        Command::FailJob(it) => shorten(&mut it.variables, [&mut it.message], bytes),
        Command::ThrowError(it) => shorten(&mut it.variables, [&mut it.code, &mut it.message], bytes),
        Command::PublishMessage(it) => {
            shorten(&mut it.variables, [&mut it.name, &mut it.correlation_key, &mut it.id], bytes);
        }
        Command::BroadcastSignal(it) => shorten(&mut it.variables, [&mut it.name], bytes),
        Command::SpreadSignal(it) => shorten(&mut it.variables, [&mut it.name], bytes),
        Command::CorrelateProcessSubscription(correlate) => correlate.variables = Document::EMPTY,
        Command::OpenMessageSubscription(_)
        | Command::OpenedProcessSubscription(_)
        | Command::CorrelateMessageSubscription(_)
        | Command::RejectMessageSubscription(_)
        | Command::CloseMessageSubscription(_)
        | Command::ClosedProcessSubscription(_)
        | Command::MigrateMessageSubscription(_)
        | Command::MigratedProcessSubscription(_)
        | Command::CancelInstance(_)
        | Command::DeleteResource(_)
        | Command::TakeDeletion(_)
        | Command::CountInstances(_)
        | Command::UpdateJobRetries(_)
        | Command::UpdateJobTimeout(_)
        | Command::ResolveIncident(_)
        | Command::PinClock(_)
        | Command::ResetClock(())
        | Command::YieldJob(_)
        | Command::ActivateElement(_)
        | Command::CompleteElement(_)
        | Command::TerminateElement(_)
        | Command::ContinueTermination(_)
        | Command::TerminateChildren(_)
        | Command::ActivateChildren(_)
        | Command::Distribute(_)
        | Command::AcknowledgeDistribution(_)
        | Command::Tick(()) => (),
    }
    command
}

/// Leaves out a document, and cuts texts.
fn shorten<const N: usize>(document: &mut Document, texts: [&mut Arc<str>; N], bytes: usize) {
    *document = Document::EMPTY;
    for text in texts {
        cut(text, bytes);
    }
}

fn cut_file(file: &mut Resource, bytes: usize) {
    let kept = file.content.len().min(bytes);
    file.content = file.content[..kept].into();
    cut(&mut file.name, bytes);
}

fn cut(text: &mut Arc<str>, bytes: usize) {
    if text.len() > bytes {
        *text = text[..text.floor_char_boundary(bytes)].into();
    }
}

#[cfg(test)]
mod tests {
    use coreto_record::command::{ActivateJobs, ThrowError};

    use super::*;

    #[test]
    fn counts_every_name_of_a_list() {
        let fetch = vec![Arc::from("name"); 1000];
        let command = Command::ActivateJobs(ActivateJobs { fetch, ..ActivateJobs::default() });
        assert!(of(&command) > 36_000);
    }

    #[test]
    fn cuts_texts_between_characters() {
        let command =
            Command::ThrowError(ThrowError { code: "é".repeat(100).into(), ..ThrowError::default() });
        let Command::ThrowError(throw) = abridged(&command, 7) else { panic!("another command") };
        assert_eq!(&*throw.code, "ééé");
    }
}
