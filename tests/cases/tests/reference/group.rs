//! The engine's partitions, and what goes between them: in its order and once, or late, twice and not at all.

use coreto_cases::bench::{Bench, Bounds};
use coreto_cases::ground::Packet;
use coreto_engine::{Engine, State, invariant};
use coreto_machine::Place;
use coreto_partition::{Answer, Body};
use coreto_record::Command;

use crate::dice::Dice;
use crate::seen::Sight;

pub(crate) struct Group {
    benches: Vec<Bench>,
    packets: Vec<Packet>,
    /// Something was lost on its way or with a partition, or came too early.
    is_lossy: bool,
    /// Packets are lost and doubled, and partitions start again while some are on their way.
    has_accidents: bool,
    /// What the last command led to did not fit into one batch.
    pub(crate) is_cut: bool,
    answer: Option<Answer<Engine>>,
    pub(crate) sight: Sight,
}

impl Group {
    pub(crate) fn new(count: u32, bounds: &Bounds, has_accidents: bool) -> Self {
        let bench = |number| Bench::at(Place { number, count }, bounds.clone());
        let (packets, is_lossy, is_cut, answer, sight) = Default::default();
        let benches = (1..=count).map(bench).collect();
        Self { benches, packets, is_lossy, has_accidents, is_cut, answer, sight }
    }

    pub(crate) fn now(&self) -> i64 {
        self.benches[0].now().as_millis()
    }

    fn bench(&mut self, number: u32) -> &mut Bench {
        &mut self.benches[number as usize - 1]
    }

    fn numbers(&self) -> std::ops::RangeInclusive<u32> {
        1..=u32::try_from(self.benches.len()).unwrap()
    }

    /// Lets a partition do something with all that follows. Gives its answer.
    pub(crate) fn ask(
        &mut self,
        number: u32,
        command: Command,
        dice: &mut Dice,
    ) -> Result<Option<Answer<Engine>>, String> {
        self.is_cut = false;
        self.bench(number).ask(command);
        self.seal(number);
        self.settle(dice);
        self.check()?;
        Ok(self.answer.take())
    }

    /// Time passes, and what is due is done.
    pub(crate) fn pass(&mut self, millis: i64, dice: &mut Dice) -> Result<(), String> {
        self.is_cut = false;
        self.benches.iter_mut().for_each(|bench| bench.pass(millis));
        // Bound: each tick does something that is due.
        while let Some(number) = self.numbers().find(|number| self.bench(*number).tick()) {
            self.seal(number);
            self.settle(dice);
        }
        self.check()
    }

    /// All partitions start again from their logs.
    pub(crate) fn restart(&mut self) {
        self.benches.iter_mut().for_each(Bench::restart);
    }

    /// Does all that is left to be done, and brings what is on its way.
    fn settle(&mut self, dice: &mut Dice) {
        // Bound: what follows from a command ends; of what is on its way some is not lost.
        loop {
            if let Some(number) = self.numbers().find(|number| self.bench(*number).take_pending()) {
                self.is_cut = true;
                self.seal(number);
            } else if !self.packets.is_empty() {
                self.deliver(dice);
            } else if std::mem::take(&mut self.is_lossy) {
                for number in self.numbers() {
                    self.bench(number).resend();
                    self.seal(number);
                }
            } else {
                return;
            }
        }
    }

    /// Brings one packet to its partition, or does something else with it.
    fn deliver(&mut self, dice: &mut Dice) {
        if !self.has_accidents {
            let packet = self.packets.remove(0);
            return self.receive(packet);
        }
        let at = dice.below(self.packets.len());
        // What comes before its turn is not taken.
        self.is_lossy |= at > 0;
        match dice.below(20) {
            0..=2 => {
                self.packets.remove(at);
                self.is_lossy = true;
            }
            3..=5 => self.receive(self.packets[at].clone()),
            6 if self.answer.is_some() => {
                let number = self.packets[at].to();
                self.bench(number).restart();
                self.is_lossy = true;
            }
            _ => {
                let packet = self.packets.remove(at);
                self.receive(packet);
            }
        }
    }

    fn receive(&mut self, packet: Packet) {
        let number = packet.to();
        self.bench(number).receive(packet);
        self.seal(number);
    }

    fn seal(&mut self, number: u32) {
        let batch = self.bench(number).seal();
        for record in batch.records {
            if let Body::Event(event) = record.body {
                self.sight.learn(&event);
            }
        }
        self.packets.extend(batch.packets);
        let answer = batch.answers.into_iter().next().map(|(_, answer)| answer);
        self.answer = answer.or(self.answer.take());
    }

    fn check(&self) -> Result<(), String> {
        let states: Vec<&State> = self.benches.iter().map(Bench::state).collect();
        let each =
            self.benches.iter().flat_map(|bench| bench.broken().into_iter().chain(bench.differences()));
        match each.chain(invariant::apart(&states)).next() {
            Some(broken) => Err(broken),
            None => Ok(()),
        }
    }

    /// What should not be there when nothing runs.
    pub(crate) fn leftovers(&self) -> Vec<(&'static str, usize)> {
        self.benches.iter().flat_map(Bench::leftovers).collect()
    }
}
