//! Plays a script on a bench, and writes the trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_engine::{SinkKind, SinkSpec};
use coreto_machine::{Tenant, Timestamp};
use coreto_partition::{Answer, Body};
use coreto_record::command::{
    ActivateElement, ActivateJobs, Activation, AwaitResult, BroadcastSignal, CancelInstance, CompleteJob,
    CreateInstance, DeleteResource, Deploy, ElementMapping, EndsAfter, EvaluateDecision, FailJob,
    MigrateInstance, ModifyInstance, PinClock, PublishMessage, ResolveIncident, Resource, ScopedVariables,
    SetVariables, ThrowError, UpdateJobRetries, UpdateJobTimeout, YieldJob,
};
use coreto_record::{
    Command, Document, ElementInstanceKey, ElementNumber, JobKey, Key, ProcessDefinitionKey,
    ProcessInstanceKey, Reply,
};

use crate::bench::{Batch, Bench, Bounds};
use crate::names::Names;
use crate::step::Words;
use crate::trace::{self, Voice};

/// How long a worker holds a job when the script does not say.
const TIMEOUT_MS: i64 = 60_000;

/// Gives the bytes of the file with a name.
pub type Load<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Plays the script and gives its trace.
///
/// # Errors
/// The line that cannot be played and why, or the promise that the engine broke.
pub fn play(script: &str, load: Load<'_>) -> Result<String, String> {
    let mut player = Player::new(load);
    for (number, line) in script.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            player.step(line).map_err(|fault| format!("line {}: `{line}`: {fault}", number + 1))?;
        }
    }
    player.close();
    match player.bench().differences().first() {
        Some(difference) => Err(difference.clone()),
        None => Ok(player.trace),
    }
}

struct Player<'a> {
    load: Load<'a>,
    /// Bounds are set before the bench is there.
    bounds: Bounds,
    bench: Option<Bench>,
    names: Names,
    voice: Voice,
    trace: String,
    /// Streams and polls by their name in the script, and the names by number.
    sinks: BTreeMap<String, u64>,
    sink_names: BTreeMap<u64, String>,
    /// Polls by the number of their request.
    polls: BTreeMap<u64, u64>,
    /// Until when pushed jobs are held, for giving them back.
    pushed: BTreeMap<JobKey, Timestamp>,
    /// Steps go into one batch until the script seals it.
    together: bool,
    /// Commands that found no place in their batch wait until the script takes them.
    leaves: bool,
}

impl<'a> Player<'a> {
    fn new(load: Load<'a>) -> Self {
        Self {
            load,
            bounds: Bounds::default(),
            bench: None,
            names: Names::default(),
            voice: Voice { loud: true, ..Voice::default() },
            trace: String::new(),
            sinks: BTreeMap::new(),
            sink_names: BTreeMap::new(),
            polls: BTreeMap::new(),
            pushed: BTreeMap::new(),
            together: false,
            leaves: false,
        }
    }

    fn bench(&mut self) -> &mut Bench {
        self.bench.get_or_insert_with(|| Bench::new(self.bounds.clone()))
    }

    fn step(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words::split(line)?;
        let verb = words.need("a step")?;
        if !matches!(&*verb, "loud" | "quiet" | "sentences" | "limit") && self.voice.loud {
            self.say(&format!("> {}", words.line()));
        }
        self.act(&verb, &mut words)?;
        if let Some(left) = words.take() {
            return Err(format!("`{left}` is not understood"));
        }
        if !self.together && verb != "limit" {
            self.seal()?;
            while !self.leaves && self.bench().take_pending() {
                self.seal()?;
            }
        }
        Ok(())
    }

    /// Handles so many commands that wait, and what follows from them as far as it finds a place.
    fn take(&mut self, count: u32) -> Result<(), String> {
        for _ in 0..count {
            if !self.bench().take_pending() {
                return Err("fewer commands wait".to_owned());
            }
            self.seal()?;
        }
        Ok(())
    }

    fn act(&mut self, verb: &str, words: &mut Words<'_>) -> Result<(), String> {
        match verb {
            "quiet" => self.voice.loud = false,
            "loud" => (self.voice.loud, self.voice.only) = (true, words.rest()),
            "sentences" => self.voice.sentences = true,
            "limit" => self.limit(words)?,
            "batch" => self.together = true,
            "seal" => self.together = false,
            "leave" => self.leaves = true,
            "take" => match words.number::<u32>()? {
                None => self.leaves = false,
                Some(count) => self.take(count)?,
            },
            "advance" => self.advance(words)?,
            "pass" => {
                let millis = words.duration()?.ok_or("a duration is missing")?;
                self.bench().pass(millis);
                self.bench().tick();
            }
            "restart" => {
                self.close();
                self.bench().restart();
            }
            "left" => self.tell_what_is_left(),
            "stream" => drop(self.open(words, SinkKind::Stream)?),
            "poll" => self.poll(words)?,
            "credit" => {
                let sink = self.sink(words)?;
                let count = words.number()?.unwrap_or(1);
                self.bench().sinks().add_credit(sink, count);
            }
            "close" => {
                let sink = self.sink(words)?;
                self.bench().sinks().close(sink);
            }
            "break" => {
                let command = Command::ActivateElement(no_such_element(self.key(words)?));
                self.bench().ask_internally(command);
            }
            "yield" => {
                let job = self.key(words)?;
                let deadline = self.pushed.get(&job).copied().unwrap_or_default();
                self.bench().ask_internally(Command::YieldJob(YieldJob { job, deadline }));
            }
            _ => {
                let command = self.command(verb, words)?;
                self.bench().ask(command);
            }
        }
        Ok(())
    }

    /// The command of a client that a line stands for.
    fn command(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        Ok(match verb {
            "deploy" => self.deploy(words)?,
            "create" => self.create(words)?,
            "cancel" => Command::CancelInstance(CancelInstance { instance: self.key(words)? }),
            "modify" => self.modify(words)?,
            "migrate" => self.migrate(words)?,
            "set" => Command::SetVariables(SetVariables {
                scope: self.key(words)?,
                variables: document(words)?,
                local: words.flag("local"),
            }),
            "activate" => Command::ActivateJobs(Self::activate(words, 0)?),
            "complete" => {
                Command::CompleteJob(CompleteJob { job: self.key(words)?, variables: document(words)? })
            }
            "fail" => self.fail(words)?,
            "throw" => Command::ThrowError(ThrowError {
                job: self.key(words)?,
                code: stretched(&words.need("an error code")?).into(),
                message: words.next_if(|word| !word.starts_with('{')).unwrap_or_default().into(),
                variables: document(words)?,
            }),
            "retries" => Command::UpdateJobRetries(UpdateJobRetries {
                job: self.key(words)?,
                retries: words.number()?.ok_or("a number of retries is missing")?,
            }),
            "timeout" => Command::UpdateJobTimeout(UpdateJobTimeout {
                job: self.key(words)?,
                timeout: words.duration()?.ok_or("a duration is missing")?,
            }),
            "delete" => {
                let resource: ProcessDefinitionKey = self.key(words)?;
                Command::DeleteResource(DeleteResource { resource: resource.raw() })
            }
            "signal" => Command::BroadcastSignal(BroadcastSignal {
                name: stretched(&words.need("the name of a signal")?).into(),
                variables: document(words)?,
                ..BroadcastSignal::default()
            }),
            "publish" => Self::publish(words)?,
            "resolve" => Command::ResolveIncident(ResolveIncident { incident: self.key(words)? }),
            "evaluate" => self.evaluate(words)?,
            "pin" => {
                let at = self.bench().now().plus_millis(words.duration()?.unwrap_or(0));
                Command::PinClock(PinClock { at })
            }
            "unpin" => Command::ResetClock(()),
            _ => return Err("there is no such step".to_owned()),
        })
    }

    fn deploy(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let mut resources = Vec::new();
        while let Some(file) = words.take() {
            let content = (self.load)(&file)?;
            let name = if words.flag("as") { words.need("a name")? } else { file };
            resources.push(Resource { name: name.into(), content: content.into() });
        }
        Ok(Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources }))
    }

    fn evaluate(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let which = words.need("a decision")?;
        let by_key = which.starts_with("decision:") || which.parse::<u64>().is_ok();
        Ok(Command::EvaluateDecision(EvaluateDecision {
            tenant: Tenant::DEFAULT,
            decision: if by_key { Some(self.named(&which)?) } else { None },
            id: if by_key { Arc::default() } else { which.into() },
            variables: document(words)?,
        }))
    }

    fn create(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let which = words.need("a process id or a definition")?;
        let by_key = which.starts_with("definition:") || which.parse::<u64>().is_ok();
        let definition = if by_key { Some(self.named(&which)?) } else { None };
        let process = if by_key || which == "-" { "" } else { &which };
        let is_version =
            |word: &str| word.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
        let version = words.next_if(is_version).and_then(|word| word[1..].parse().ok());
        let mut starts = Vec::new();
        while words.flag("before") {
            starts.push(stretched(&words.need("an element")?).into());
        }
        let mut ends_after = Vec::new();
        while words.flag("until") {
            ends_after.push(stretched(&words.need("an element")?).into());
        }
        let variables = document(words)?;
        let await_result = words
            .flag("await")
            .then(|| AwaitResult { fetch: words.rest().iter().map(|name| stretched(name).into()).collect() });
        Ok(Command::CreateInstance(CreateInstance {
            definition,
            process: process.into(),
            version,
            variables,
            await_result,
            starts,
            ends_after: (!ends_after.is_empty()).then(|| Box::new(EndsAfter { elements: ends_after })),
            ..CreateInstance::default()
        }))
    }

    /// `publish NAME KEY {variables} DURATION id ID`; a key of `-` is the empty one.
    fn publish(words: &mut Words<'_>) -> Result<Command, String> {
        let name = words.need("the name of a message")?;
        let key = words.need("a correlation key")?;
        Ok(Command::PublishMessage(PublishMessage {
            name: stretched(&name).into(),
            correlation_key: if key == "-" { "".into() } else { stretched(&key).into() },
            variables: document(words)?,
            ttl: words.duration()?.unwrap_or(0),
            id: if words.flag("id") { stretched(&words.need("an id")?).into() } else { "".into() },
            ..PublishMessage::default()
        }))
    }

    fn fail(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let job = self.key(words)?;
        let retries = words.number()?.ok_or("a number of retries is missing")?;
        let backoff = words.duration()?.unwrap_or(0);
        let message = words.next_if(|word| !word.starts_with('{')).unwrap_or_default();
        let backoff = words.duration()?.unwrap_or(backoff);
        let variables = document(words)?;
        Ok(Command::FailJob(FailJob {
            job,
            retries,
            backoff,
            message: stretched(&message).into(),
            variables,
        }))
    }

    fn activate(words: &mut Words<'_>, poll: u64) -> Result<ActivateJobs, String> {
        let job_type = words.need("a job type")?;
        Ok(ActivateJobs {
            job_type: if job_type == "-" { "".into() } else { stretched(&job_type).into() },
            max: words.number()?.unwrap_or(10),
            timeout: words.duration()?.unwrap_or(TIMEOUT_MS),
            worker: if words.flag("worker") {
                stretched(&words.need("a worker")?).into()
            } else {
                "worker".into()
            },
            fetch: if words.flag("fetch") {
                words.rest().iter().map(|name| stretched(name).into()).collect()
            } else {
                vec![]
            },
            tenants: vec![Tenant::DEFAULT],
            poll,
        })
    }

    /// Opens a stream or a poll; its name is `stream:TYPE` or `poll:TYPE`, with a number from the second on.
    fn open(&mut self, words: &mut Words<'_>, kind: SinkKind) -> Result<u64, String> {
        let asked = Self::activate(words, 0)?;
        let (word, kind, credit) = match kind {
            SinkKind::Stream => ("stream", kind, asked.max),
            SinkKind::Poll { .. } => {
                ("poll", SinkKind::Poll { max: u32::try_from(asked.max).unwrap_or(0) }, asked.max)
            }
        };
        let spec = SinkSpec {
            job_type: Arc::clone(&asked.job_type),
            worker: Arc::clone(&asked.worker),
            timeout_ms: asked.timeout,
            fetch: asked.fetch.clone().into(),
            tenants: Arc::new([Tenant::DEFAULT]),
            kind,
        };
        let number = self.bench().open(spec, u32::try_from(credit).unwrap_or(0));
        let first = format!("{word}:{}", asked.job_type);
        let mut name = first.clone();
        let mut count = 1;
        while self.sinks.contains_key(&name) {
            count += 1;
            name = format!("{first}#{count}");
        }
        self.sinks.insert(name.clone(), number);
        self.sink_names.insert(number, name);
        Ok(number)
    }

    fn poll(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let mut again = Words::split(words.line())?;
        again.need("the step")?;
        let number = self.open(&mut again, SinkKind::Poll { max: 0 })?;
        let asked = Self::activate(words, number)?;
        let ticket = self.bench().ask(Command::ActivateJobs(asked));
        self.polls.insert(ticket, number);
        Ok(())
    }

    fn limit(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        if self.bench.is_some() {
            return Err("limits come before all other steps".to_owned());
        }
        let which = words.need("a limit")?;
        let value = words.number()?.ok_or("a number is missing")?;
        match &*which {
            "message_bytes" => self.bounds.engine.message_bytes_max = value,
            "children" => self.bounds.engine.children_per_step = value,
            "due" => self.bounds.engine.due_per_tick = value,
            "batch_bytes" => self.bounds.partition.batch_bytes_soft = value,
            "call_depth" => self.bounds.engine.call_depth_max = value,
            "command_bytes" => self.bounds.partition.command_bytes_max = value,
            "commands" => {
                let max = u32::try_from(value).map_err(|_| "the limit is too large")?;
                self.bounds.partition.commands_in_batch_max = max;
            }
            _ => return Err("there is no such limit".to_owned()),
        }
        Ok(())
    }

    /// Lets time pass and does what becomes due.
    fn advance(&mut self, words: &mut Words<'_>) -> Result<(), String> {
        let millis = words.duration()?.ok_or("a duration is missing")?;
        self.bench().pass(millis);
        // Bound: a tick that does nothing although something is due would be a fault.
        for _ in 0..10_000 {
            if !self.bench().tick() {
                return Ok(());
            }
            self.seal()?;
        }
        Err("ticks do not end".to_owned())
    }

    fn tell_what_is_left(&mut self) {
        let left = self.bench().leftovers();
        let left: Vec<String> = left.iter().map(|(table, count)| format!("{count} {table}")).collect();
        let text = if left.is_empty() { "nothing".to_owned() } else { left.join(", ") };
        self.say(&format!("left: {text}"));
    }

    /// Closes the batch, writes what it held, and checks what must hold now.
    fn seal(&mut self) -> Result<(), String> {
        let batch = self.bench().seal();
        for record in &batch.records {
            if let Body::Event(event) = &record.body {
                self.names.learn(event);
            }
        }
        for record in &batch.records {
            if let Some(line) = trace::record(record, &self.names, &self.voice) {
                self.say(&line);
            }
        }
        self.tell_answers(&batch);
        self.tell_pushes(batch);
        match self.bench().broken().first() {
            Some(broken) => Err(self.names.in_text(broken)),
            None => Ok(()),
        }
    }

    fn tell_answers(&mut self, batch: &Batch) {
        for (ticket, answer) in &batch.answers {
            let mut line = trace::answer(answer, &self.names, &self.voice);
            if let Some(poll) = self.polls.remove(ticket) {
                if matches!(answer, Answer::Reply(Reply::JobsActivated(jobs)) if jobs.jobs.is_empty()) {
                    line = format!("A {} waits", self.sink_names[&poll]);
                } else {
                    self.bench().sinks().close(poll);
                }
            }
            if self.voice.says("A", "") {
                self.say(&line);
            }
        }
    }

    fn tell_pushes(&mut self, batch: Batch) {
        for (sink, job) in batch.pushes {
            self.pushed.insert(job.key, job.deadline);
            let name = self.sink_names.get(&sink).cloned().unwrap_or_default();
            if self.voice.says("P", "") {
                let line = format!("P {name} {}", trace::for_worker(&job, &self.names));
                self.say(&line);
            }
            // A poll is answered with the batch that serves it.
            if name.starts_with("poll") {
                self.bench().sinks().close(sink);
            }
        }
    }

    fn close(&mut self) {
        // What an open batch still holds becomes part of the log; its trace is not wanted.
        self.bench().seal();
    }

    fn say(&mut self, line: &str) {
        self.trace.push_str(line);
        self.trace.push('\n');
    }

    fn sink(&self, words: &mut Words<'_>) -> Result<u64, String> {
        let name = words.need("a stream or poll")?;
        self.sinks.get(&name).copied().ok_or_else(|| format!("there is no `{name}`"))
    }

    /// `migrate ID to DEFINITION SOURCE TARGET …`
    fn migrate(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let instance = self.key(words)?;
        if !words.flag("to") {
            return Err("`to` and a definition are missing".to_owned());
        }
        let target = self.key(words)?;
        let mut mappings = Vec::new();
        while let Some(source) = words.take() {
            let target = words.need("the target of a mapping")?;
            mappings.push(ElementMapping { source: source.into(), target: target.into() });
        }
        Ok(Command::MigrateInstance(MigrateInstance { instance, target, mappings }))
    }

    fn modify(&self, words: &mut Words<'_>) -> Result<Command, String> {
        let mut modify = ModifyInstance { instance: self.key(words)?, ..ModifyInstance::default() };
        // Bound: every turn takes a word.
        loop {
            if words.flag("enter") {
                let mut activation =
                    Activation { element: words.need("an element")?.into(), ..Activation::default() };
                if words.flag("in") {
                    activation.ancestor = Some(self.key(words)?);
                }
                while words.flag("with") {
                    let scope = words.next_if(|word| !word.starts_with('{')).unwrap_or_default();
                    let variables = document(words)?;
                    activation.variables.push(ScopedVariables { scope: scope.into(), variables });
                }
                modify.activate.push(activation);
            } else if words.flag("end") {
                modify.terminate.push(self.key(words)?);
            } else {
                return Ok(Command::ModifyInstance(modify));
            }
        }
    }

    fn key<K: Key>(&self, words: &mut Words<'_>) -> Result<K, String> {
        let name = words.need("a name")?;
        self.named(&name)
    }

    fn named<K: Key>(&self, name: &str) -> Result<K, String> {
        self.names.key(name).ok_or_else(|| format!("nothing was called `{name}` so far"))
    }
}

/// A command of the engine's own in which it fails: no model has that many elements.
fn no_such_element(instance: ProcessInstanceKey) -> ActivateElement {
    ActivateElement {
        instance,
        scope: ElementInstanceKey::from(instance),
        element: ElementNumber(u32::MAX),
        ..ActivateElement::default()
    }
}

fn document(words: &mut Words<'_>) -> Result<Document, String> {
    Document::parse(&stretched(&words.object())).map_err(|error| error.to_string())
}

/// Puts letters in the place of `<1000>`, as many as the number says.
fn stretched(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        let count = behind.split_once('>').and_then(|(number, tail)| Some((number.parse().ok()?, tail)));
        if let Some((count, tail)) = count {
            out.extend(std::iter::repeat_n('x', count));
            rest = tail;
        } else {
            out.push('<');
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}
