//! A game: the same is done to the model and to the engine, and they are compared.

use coreto_cases::bench::Bounds;
use coreto_machine::Tenant;
use coreto_partition::Answer;
use coreto_record::command::Deploy;
use coreto_record::{Command, RejectionKind};

use crate::action::Action;
use crate::dice::Dice;
use crate::group::Group;
use crate::model::{Model, Order};
use crate::{bpmn, choose, compare, generate};

/// What is done before all is ended.
const STEPS: usize = 40;

/// Ways to go where more than one is right; the first that the engine went is taken.
const ORDERS: [Order; 4] = [
    Order { together: false, late: false },
    Order { together: false, late: true },
    Order { together: true, late: false },
    Order { together: true, late: true },
];

pub(crate) struct Game {
    group: Group,
    dice: Dice,
    model: Model,
    /// What was done.
    pub(crate) past: Vec<String>,
    /// The engine does what follows in small pieces, and not always first come, first served.
    in_pieces: bool,
    /// Instances that moved to another version.
    pub(crate) migrated: u32,
    /// More than one thing happened at once, and who came first cannot be told: the game ends there.
    pub(crate) is_open: bool,
}

impl Game {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut bounds = Bounds::default();
        let in_pieces = dice.once_in(2);
        if in_pieces {
            bounds.engine.children_per_step = dice.pick(&[1, 2, 3]);
            bounds.partition.commands_in_batch_max = 1 + u32::try_from(dice.below(8)).unwrap();
        }
        let partitions = dice.pick(&[1, 1, 3]);
        let has_accidents = dice.once_in(2);
        let group = Group::new(partitions, &bounds, has_accidents);
        let model = Model::new(generate::processes(&mut dice), partitions, group.now());
        Self {
            group,
            dice,
            model,
            past: vec![format!(
                "in pieces: {in_pieces}, partitions: {partitions}, accidents: {has_accidents}"
            )],
            in_pieces,
            migrated: 0,
            is_open: false,
        }
    }

    /// Plays it. Gives what happened, for those who count it.
    pub(crate) fn play(&mut self) -> Result<(usize, usize), String> {
        self.play_steps().map_err(|fault| self.told(&fault))?;
        Ok(self.group.sight.ended)
    }

    fn play_steps(&mut self) -> Result<(), String> {
        let processes = std::rc::Rc::clone(&self.model.processes);
        let resources =
            processes[..processes.len() - 1].iter().map(|process| bpmn::resource(&processes, process));
        let deploy = Deploy { tenant: Tenant::DEFAULT, resources: resources.collect() };
        if let Some(refused) = self.ask(1, Command::Deploy(deploy))? {
            return Err(refused);
        }
        let first = generate::values(&mut self.dice);
        let home = choose::partition(&self.model, &mut self.dice);
        self.act(&Action::Create(home, Vec::new(), first))?;
        for _ in 0..STEPS {
            if self.dice.once_in(6) {
                self.past.push("a restart".to_owned());
                self.group.restart();
            }
            if let Some(action) = choose::action(&self.model, &mut self.dice) {
                self.act(&action)?;
            }
        }
        for root in self.model.roots() {
            self.act(&Action::Cancel(root))?;
        }
        // Whom messages started that were kept.
        while let Some(root) = self.model.roots().first().filter(|_| !self.is_open) {
            self.act(&Action::Cancel(*root))?;
        }
        if self.is_open {
            return Ok(());
        }
        match self.group.leftovers().first() {
            None => Ok(()),
            Some(left) => Err(format!("left is {left:?}")),
        }
    }

    /// Does something, unless nobody knows any more what it would do.
    fn act(&mut self, action: &Action) -> Result<(), String> {
        if self.is_open {
            return Ok(());
        }
        self.past.push(format!("{action:?}"));
        let refused = match action.command(&self.model, &self.group.sight) {
            Some((partition, command)) => self.ask(partition, command)?,
            None => self.pass(action)?,
        };
        self.model.begin_action();
        let mut found: Option<Model> = None;
        let (mut faults, mut raced) = (Vec::new(), false);
        for order in ORDERS {
            let mut model = self.model.clone();
            model.order = order;
            if action.apply(&mut model) != refused.is_none() {
                return Err(format!("the answer should be another one: {refused:?}"));
            }
            match (compare::pair(&mut model, &self.group.sight), &found) {
                (Ok(()), None) => found = Some(model),
                (Ok(()), Some(other)) => self.is_open |= other.kept() != model.kept(),
                (Err(fault), _) => {
                    let in_pieces = self.in_pieces || self.group.is_cut || self.model.partitions > 1;
                    raced |= in_pieces && model.is_mixed();
                    raced |= (in_pieces || model.is_mixed()) && model.has_race();
                    faults.push(fault);
                }
            }
            if found.as_ref().is_some_and(|model| !model.is_mixed()) {
                break;
            }
        }
        match found {
            Some(model) => {
                if std::env::var_os("TELL").is_some() {
                    println!("{action:?}\n{}", compare::text(&model));
                }
                let is_migration = matches!(action, Action::Migrate(..)) && refused.is_none();
                self.migrated += u32::from(is_migration);
                self.model = model;
                Ok(())
            }
            None if raced => {
                self.is_open = true;
                Ok(())
            }
            None => Err(faults.swap_remove(0)),
        }
    }

    /// Time passes for the engine, and what is due is done.
    fn pass(&mut self, action: &Action) -> Result<Option<String>, String> {
        let Action::Pass(millis) = action else { return Ok(None) };
        self.group.pass(*millis, &mut self.dice).map(|()| None)
    }

    /// Lets the engine do something. Gives the reason why it refuses what is wrong.
    fn ask(&mut self, partition: u32, command: Command) -> Result<Option<String>, String> {
        match self.group.ask(partition, command, &mut self.dice)? {
            Some(Answer::Reply(_)) => Ok(None),
            Some(Answer::Rejected(rejection)) if is_expected(rejection.kind) => {
                Ok(Some(rejection.reason.clone()))
            }
            other => Err(format!("the answer was {other:?}")),
        }
    }

    /// A fault with all that led to it.
    fn told(&self, fault: &str) -> String {
        let processes = &self.model.processes;
        let models: Vec<String> = processes.iter().map(|process| bpmn::model(processes, process)).collect();
        let (past, before) = (self.past.join("\n"), compare::text(&self.model));
        format!("{}\n\n{past}\n\nbefore:\n{before}\n{fault}", models.join("\n"))
    }
}

/// Whether games make such faults.
const fn is_expected(kind: RejectionKind) -> bool {
    use RejectionKind::{AlreadyExists, InvalidArgument, InvalidState};
    matches!(kind, AlreadyExists | InvalidArgument | InvalidState)
}
