//! What a game did, as a case that can be played and kept.

use std::collections::BTreeMap;
use std::fmt;

use coreto_cases::bench::Bounds;
use coreto_cases::names::Names;
use coreto_record::command::{ActivateJobs, CreateInstance, ModifyInstance};
use coreto_record::{Command, Event, Key};

/// Who takes jobs in every game.
pub(crate) const WORKER: &str = "random";

/// Lines of a script, and the models that it deploys.
#[derive(Default)]
pub(crate) struct Script {
    lines: Vec<String>,
    models: Vec<(String, String)>,
    names: Names,
    /// Names of streams and polls by their number, and how often each was given.
    sinks: BTreeMap<u64, String>,
    given: BTreeMap<String, u32>,
}

impl Script {
    /// A script that sets the bounds of a game; its steps share a batch until they are settled.
    pub(crate) fn begin(bounds: &Bounds) -> Self {
        let mut script = Self::default();
        let usual = Bounds::default();
        let mut limit = |name: &str, value: usize, usual: usize| {
            if value != usual {
                script.line(&format!("limit {name} {value}"));
            }
        };
        let (engine, partition) = (&bounds.engine, &bounds.partition);
        limit("children", engine.children_per_step, usual.engine.children_per_step);
        limit("due", engine.due_per_tick, usual.engine.due_per_tick);
        limit("message_bytes", engine.message_bytes_max, usual.engine.message_bytes_max);
        limit("command_bytes", partition.command_bytes_max, usual.partition.command_bytes_max);
        let commands = partition.commands_in_batch_max as usize;
        limit("commands", commands, usual.partition.commands_in_batch_max as usize);
        script.line("batch");
        script
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    /// Adds the line of a command.
    pub(crate) fn tell(&mut self, command: &Command) {
        if let Command::Deploy(deploy) = command {
            let read = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
            self.models
                .extend(deploy.resources.iter().map(|file| (file.name.to_string(), read(&file.content))));
        }
        let line = self.line_of(command);
        self.lines.push(line);
    }

    fn line_of(&self, command: &Command) -> String {
        match command {
            Command::Deploy(it) => {
                it.resources.iter().fold("deploy".to_owned(), |line, file| format!("{line} {}", file.name))
            }
            Command::CreateInstance(it) => create(it),
            Command::CancelInstance(it) => format!("cancel {}", self.name(it.instance)),
            Command::SetVariables(it) => {
                let local = if it.local { " local" } else { "" };
                format!("set {} {}{local}", self.name(it.scope), it.variables.as_str())
            }
            Command::ActivateJobs(it) => activate(it),
            Command::CompleteJob(it) => format!("complete {} {}", self.name(it.job), it.variables.as_str()),
            Command::FailJob(it) => {
                let (job, variables) = (self.name(it.job), it.variables.as_str());
                format!("fail {job} {} {}ms \"{}\" {variables}", it.retries, it.backoff, it.message)
            }
            Command::ThrowError(it) => {
                format!("throw {} {} {}", self.name(it.job), it.code, it.variables.as_str())
            }
            Command::UpdateJobRetries(it) => format!("retries {} {}", self.name(it.job), it.retries),
            Command::UpdateJobTimeout(it) => format!("timeout {} {}ms", self.name(it.job), it.timeout),
            Command::ResolveIncident(it) => format!("resolve {}", self.name(it.incident)),
            Command::PublishMessage(it) => {
                let key = if it.correlation_key.is_empty() { "-" } else { &*it.correlation_key };
                format!("publish {} {key} {} {}ms", it.name, it.variables.as_str(), it.ttl)
            }
            Command::BroadcastSignal(it) => format!("signal {} {}", it.name, it.variables.as_str()),
            Command::ModifyInstance(it) => self.modify(it),
            Command::MigrateInstance(it) => {
                let line = format!("migrate {} to {}", self.name(it.instance), self.name(it.target));
                it.mappings
                    .iter()
                    .fold(line, |line, mapping| format!("{line} {} {}", mapping.source, mapping.target))
            }
            Command::YieldJob(it) => format!("yield {}", self.name(it.job)),
            other => panic!("no line is known for {other:?}"),
        }
    }

    fn modify(&self, command: &ModifyInstance) -> String {
        let line = format!("modify {}", self.name(command.instance));
        let line = command.activate.iter().fold(line, |line, it| format!("{line} enter {}", it.element));
        command.terminate.iter().fold(line, |line, key| format!("{line} end {}", self.name(*key)))
    }

    /// The name of what has a key, or its number.
    fn name(&self, key: impl Key) -> String {
        match self.names.name(key) {
            "?" => key.raw().to_string(),
            name => name.to_owned(),
        }
    }

    /// Gives names to what an event made.
    pub(crate) fn learn(&mut self, event: &Event) {
        self.names.learn(event);
    }

    /// Notes the name that the script's player gives to a stream or poll.
    pub(crate) fn open(&mut self, word: &str, job_type: &str, sink: u64) {
        let first = format!("{word}:{job_type}");
        let count = self.given.entry(first.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { first } else { format!("{first}#{count}") };
        self.sinks.insert(sink, name);
    }

    /// A stream or poll is closed.
    pub(crate) fn close(&mut self, sink: u64) {
        let line = format!("close {}", self.sinks[&sink]);
        self.lines.push(line);
    }

    /// The batch is closed, and what waits is done.
    pub(crate) fn settle(&mut self) {
        if self.lines.last().is_some_and(|line| line != "batch") {
            self.lines.extend(["seal", "batch"].map(str::to_owned));
        }
    }

    /// The batch is closed, and what waits is found again after a restart.
    pub(crate) fn restart(&mut self) {
        self.lines.extend(["leave", "seal", "restart", "batch", "take"].map(str::to_owned));
    }

    /// The lines, as a case plays them.
    pub(crate) fn steps(&self) -> String {
        self.lines.join("\n")
    }

    /// The text of a model.
    pub(crate) fn model(&self, name: &str) -> Option<&str> {
        self.models.iter().find(|(known, _)| known == name).map(|(_, text)| &**text)
    }
}

fn create(command: &CreateInstance) -> String {
    let awaits = if command.await_result.is_some() { " await" } else { "" };
    let line = format!("create {}", command.process);
    let line = command.starts.iter().fold(line, |line, id| format!("{line} before {id}"));
    format!("{line} {}{awaits}", command.variables.as_str())
}

fn activate(command: &ActivateJobs) -> String {
    let word = if command.poll == 0 { "activate" } else { "poll" };
    format!("{word} {} {} {}ms worker {}", command.job_type, command.max, command.timeout, command.worker)
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.steps())?;
        self.models.iter().try_for_each(|(name, text)| write!(f, "\n# {name}\n{text}\n"))
    }
}
