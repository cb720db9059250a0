//! Plays a script of the catalog, and writes the trace.

mod script;
mod trace;

use std::collections::BTreeMap;
use std::sync::Arc;

use coreto_catalog::{Catalog, Command, Env, Limits, Reply, State, invariant};
use coreto_machine::{Caller, Channel, Place};
use coreto_partition::{Answer, Body, Partition};

use crate::ground::{Cut, Ground, counted_chance};
use crate::step::Words;
use script::Step;
pub use trace::Views;

/// Plays the script and gives its trace.
///
/// # Errors
/// The line that cannot be played and why, or the promise that the catalog broke.
pub fn play(script: &str) -> Result<String, String> {
    let mut player = Player::default();
    for (number, line) in script.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            player.step(line).map_err(|fault| format!("line {}: `{line}`: {fault}", number + 1))?;
        }
    }
    match player.ground().differences().first() {
        Some(difference) => Err(difference.clone()),
        None => Ok(player.trace),
    }
}

/// A catalog, and what a script has done to it.
#[derive(Default)]
pub struct Player {
    limits: Limits,
    /// Commands of one transaction, where the script says it.
    commands_max: Option<u32>,
    ground: Option<Ground<Catalog>>,
    /// Identifiers of sessions by their name in the script.
    sessions: BTreeMap<String, Arc<str>>,
    quiet: bool,
    trace: String,
    /// Whether the last line was carried out.
    accepted: bool,
}

impl Player {
    /// Does what a line says.
    ///
    /// # Errors
    /// What is wrong with the line, or the promise that the catalog broke.
    pub fn step(&mut self, line: &str) -> Result<(), String> {
        let mut words = Words::split(line)?;
        let step = script::read(&mut words, &self.sessions)?;
        if let Some(rest) = words.take() {
            return Err(format!("`{rest}` is too much"));
        }
        if !matches!(step, Step::Quiet(_) | Step::Limit(..)) {
            self.tell(&format!("> {line}"));
        }
        self.accepted = !matches!(step, Step::Command(..));
        match step {
            Step::Quiet(quiet) => self.quiet = quiet,
            Step::Limit(name, number) => self.limit(&name, number)?,
            Step::Restart => self.ground().restart(),
            Step::Advance(millis) => {
                self.ground().pass(millis);
                self.run()?;
            }
            Step::Look(subject) => {
                let told = Views { state: self.ground().state() }.of(&subject);
                let told = self.named(&told);
                self.tell(&told);
            }
            Step::Command(command, session) => self.command(*command, session.as_deref())?,
        }
        self.check()
    }

    /// The catalog as it is.
    pub fn state(&mut self) -> &State {
        self.ground().state()
    }

    /// Whether the last line was carried out.
    pub const fn accepted(&self) -> bool {
        self.accepted
    }

    /// The batches that were written.
    pub fn log(&mut self) -> &[Vec<u8>] {
        self.ground().log()
    }

    /// Whether log and store give the live state.
    ///
    /// # Errors
    /// What differs.
    pub fn judge(&mut self, cuts: &[Cut]) -> Result<(), String> {
        let ground = self.ground();
        if cuts.iter().any(|cut| ground.differs_from(cut)) {
            return Err(
                "a store of an earlier time and the rest of the log do not give the live state".to_owned()
            );
        }
        ground.differences().into_iter().next().map_or(Ok(()), Err)
    }

    /// A copy of the store, for [`Player::judge`].
    pub fn cut(&mut self) -> Cut {
        self.ground().cut()
    }

    fn ground(&mut self) -> &mut Ground<Catalog> {
        let (limits, commands_max) = (self.limits, self.commands_max);
        self.ground.get_or_insert_with(|| Ground::new(Box::new(move || empty(limits, commands_max))))
    }

    fn command(&mut self, command: Command, session: Option<&str>) -> Result<(), String> {
        self.ground().ask(command, Caller::anonymous(Channel::Http));
        let answers = self.run()?;
        for answer in answers {
            self.accepted = matches!(answer, Answer::Reply(_));
            let told = match answer {
                Answer::Reply(Reply::Done(done)) => format!("A done at {}", done.index),
                Answer::Reply(Reply::SessionCreated(created)) => {
                    self.sessions.insert(session.unwrap_or_default().to_owned(), created.id);
                    "A session".to_owned()
                }
                Answer::Rejected(rejection) => format!("A {}: {}", rejection.kind.name(), rejection.reason),
                other => return Err(format!("an answer that a command does not have: {other:?}")),
            };
            let told = self.named(&told);
            self.tell(&told);
        }
        Ok(())
    }

    /// Does what is due and what was left, writing what happens.
    fn run(&mut self) -> Result<Vec<Answer<Catalog>>, String> {
        let mut answers = Vec::new();
        // Bound: commands that are left are fewer each time, and time stands still.
        loop {
            let ground = self.ground();
            let again = ground.take_pending() | ground.tick();
            let outcome = ground.seal();
            for record in &outcome.records {
                if let Body::Event(event) = &record.body {
                    let told = self.named(&trace::event(event));
                    self.tell(&told);
                }
            }
            answers.extend(outcome.answers.into_iter().map(|(_, answer)| answer));
            if !again {
                return Ok(answers);
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        // Bounds are set before the catalog is there.
        let broken = self.ground.as_ref().map(|ground| invariant::broken(ground.state())).unwrap_or_default();
        broken.into_iter().next().map_or(Ok(()), Err)
    }

    fn tell(&mut self, told: &str) {
        if !self.quiet && !told.is_empty() {
            self.trace.push_str(told);
            self.trace.push('\n');
        }
    }

    /// The text with names of sessions in the place of identifiers.
    fn named(&self, text: &str) -> String {
        self.sessions.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&**id, name))
    }

    fn limit(&mut self, name: &str, number: usize) -> Result<(), String> {
        let limits = &mut self.limits;
        let limit = match name {
            "commands" => {
                self.commands_max = Some(u32::try_from(number).map_err(|error| error.to_string())?);
                return Ok(());
            }
            "instances" => &mut limits.instances_max,
            "checks" => &mut limits.checks_max,
            "keys" => &mut limits.entries_max,
            "held" => &mut limits.held_max,
            "sessions" => &mut limits.sessions_max,
            "value_bytes" => &mut limits.value_bytes_max,
            "name_bytes" => &mut limits.name_bytes_max,
            "output_bytes" => &mut limits.output_bytes_max,
            "deleted" => &mut limits.deleted_at_once,
            "cleared" => &mut limits.cleared_at_once,
            "due" => &mut limits.due_per_tick,
            _ => return Err(format!("there is no limit `{name}`")),
        };
        *limit = number;
        Ok(())
    }
}

fn empty(limits: Limits, commands_max: Option<u32>) -> Partition<Catalog> {
    let mut bounds = coreto_partition::Limits { entries_rewritten_at_once: 7, ..Default::default() };
    if let Some(commands_max) = commands_max {
        bounds.commands_in_batch_max = commands_max;
    }
    Partition::create(Place { number: 1, count: 1 }, Env { limits }, bounds, counted_chance())
}
