//! Random scripts of the catalog: what must hold after every step, after every restart, and at the end.
//!
//! Whoever waits for a change by an index must see each one: what there is to see of a subject never changes without
//! its index growing, and no index ever falls, also not while the subject is gone.
//!
//! `SEED=7 cargo test --release -p coreto-cases --test catalog` repeats one seed, and prints the script as a case when it
//! fails; `SEEDS=1000` plays more of them.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use coreto_cases::catalog::{Player, Views};

/// Seeds that are played when none is named.
const SEEDS: u64 = 300;

/// Steps of a script.
const STEPS: usize = 120;

#[test]
fn random_scripts_break_no_promise() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let mut taken = BTreeMap::new();
    for seed in seeds.clone() {
        let mut script = Vec::new();
        let played = catch_unwind(AssertUnwindSafe(|| game(seed, &mut script, &mut taken)));
        let fault = match played {
            Ok(Ok(())) => continue,
            Ok(Err(fault)) => fault,
            Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
        };
        panic!("SEED={seed}: {fault}\n\n# A claim.\n{}", script.join("\n"));
    }
    // So that the games stay worth their time.
    let idle: Vec<_> = WISHES.iter().filter(|wish| !taken.contains_key(**wish)).collect();
    assert!(seeds.count() < 100 || idle.is_empty(), "nothing ever came of {idle:?}");
}

/// What lies in logs is read for as long as it may lie there: the script's log stays as it is, bit by bit.
/// `UPDATE=1` writes it, when a new fact or field has come to the script; a line that was there is not changed.
#[test]
fn recorded_logs_are_written_as_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog").join("recorded");
    let script = fs::read_to_string(folder.join("script.txt")).unwrap();
    let mut player = Player::default();
    script.lines().for_each(|line| player.step(line).unwrap());
    let mut found = String::new();
    for batch in player.log() {
        for byte in batch {
            write!(found, "{byte:02x}").unwrap();
        }
        found.push('\n');
    }
    let path = folder.join("log.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(path).unwrap());
}

/// What clients wish for.
const WISHES: [&str; 14] = [
    "node",
    "forget",
    "register",
    "deregister",
    "check",
    "uncheck",
    "tell",
    "reap",
    "put",
    "delete",
    "clear",
    "session",
    "end",
    "advance",
];

/// Plays a seed's script, counting which wishes were granted.
fn game(seed: u64, script: &mut Vec<String>, taken: &mut BTreeMap<String, u32>) -> Result<(), String> {
    let mut dice = Dice(seed);
    let mut player = Player::default();
    let mut model = Model::default();
    let mut cuts = Vec::new();
    let mut last_seen = BTreeMap::new();
    if dice.below(2) == 0 {
        let (commands, few) = (1 + dice.below(6), 1 + dice.below(3));
        script.push(format!("limit commands {commands}"));
        script.extend(["deleted", "cleared", "due"].map(|name| format!("limit {name} {few}")));
        script.iter().try_for_each(|line| player.step(line))?;
    }
    for _ in 0..STEPS {
        let line = dice.line(player.state().index());
        script.push(line.clone());
        player.step(&line)?;
        if player.accepted() {
            let wish = line.split(' ').next().unwrap_or_default();
            *taken.entry(wish.to_owned()).or_default() += 1;
            model.take(&line);
        }
        model.compare(&mut player)?;
        look(&mut player, &mut last_seen)?;
        if dice.below(15) == 0 {
            cuts.push(player.cut());
        }
        if dice.below(25) == 0 {
            script.push("restart".to_owned());
            player.step("restart")?;
            look(&mut player, &mut last_seen)?;
        }
    }
    player.judge(&cuts)
}

/// What was seen of each subject before.
type Seen = BTreeMap<String, (u64, String)>;

/// Whoever waits misses nothing.
fn look(player: &mut Player, seen: &mut Seen) -> Result<(), String> {
    let names =
        |kind: &str, names: &[&str]| names.iter().map(|name| format!("{kind}:{name}")).collect::<Vec<_>>();
    let subjects = [
        names("service", &SERVICES),
        names("node", &NODES),
        names("key", &KEYS),
        names("below", &["", "a", "a/"]),
    ];
    for subject in subjects.concat() {
        let now = Views { state: player.state() }.indexed(&subject);
        if let Some(before) = seen.insert(subject.clone(), now.clone()) {
            if now.0 < before.0 {
                return Err(format!("{subject}: the index fell from {} to {}", before.0, now.0));
            }
            if now.1 != before.1 && now.0 == before.0 {
                return Err(format!("{subject} changed at {}: from{} to{}", now.0, before.1, now.1));
            }
        }
    }
    Ok(())
}

const NODES: [&str; 3] = ["n", "m", "nm"];
const SERVICES: [&str; 3] = ["web", "webs", "db"];
const INSTANCES: [&str; 4] = ["i", "j", "k", "ij"];
const CHECKS: [&str; 4] = ["c", "d", "e", "cd"];
const KEYS: [&str; 5] = ["a", "a/b", "a/b/c", "a/c", "b"];
const SESSIONS: [&str; 4] = ["s", "t", "u", "v"];
const STATUSES: [&str; 3] = ["passing", "warning", "critical"];

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn maybe(&mut self, text: String) -> String {
        if self.below(3) == 0 { text } else { String::new() }
    }

    /// A random wish; `index` is the last number that was counted.
    fn line(&mut self, index: u64) -> String {
        let node = self.one(&NODES);
        let recent = index.saturating_sub(self.below(12));
        match self.below(30) {
            0..3 => format!("node {node} 10.0.0.{}", self.below(2)),
            3 => format!("forget {node}"),
            4..10 => self.register(node),
            10 => format!("deregister {node} {}", self.one(&INSTANCES)),
            11 => {
                let instance = format!(" of {}", self.one(&INSTANCES));
                let instance = self.maybe(instance);
                format!("check {node} {}{instance} {}", self.one(&CHECKS), self.one(&STATUSES))
            }
            12 => format!("uncheck {node} {}", self.one(&CHECKS)),
            13..17 => {
                format!("tell {node} {} {} o{}", self.one(&CHECKS), self.one(&STATUSES), self.below(2))
            }
            17 => format!("reap {node} {} {recent}", self.one(&CHECKS)),
            18..23 => {
                let (flags, cas) = (format!(" flags {}", self.below(2)), format!(" cas {recent}"));
                let lock = format!(" {} {}", self.one(&["acquire", "release"]), self.one(&SESSIONS));
                let (flags, cas, lock) = (self.maybe(flags), self.maybe(cas), self.maybe(lock));
                format!("put {} v{}{flags}{cas}{lock}", self.one(&KEYS), self.below(3))
            }
            23 => format!("delete {}", self.one(&KEYS)),
            24 => format!("clear {}", self.one(&KEYS)),
            25 | 26 => {
                let check = format!(" check {}", self.one(&CHECKS));
                let (check, delay) = (self.maybe(check), self.maybe(" delay 5000".to_owned()));
                let delete = self.maybe(" delete".to_owned());
                format!("session {} {node}{check}{delay}{delete}", self.one(&SESSIONS))
            }
            27 => format!("end {}", self.one(&SESSIONS)),
            _ => format!("advance {}", self.below(6000)),
        }
    }

    fn register(&mut self, node: &str) -> String {
        let (port, tag) = (format!(" port {}", self.below(2)), format!(" tag {}", self.one(&["x", "y"])));
        let check = format!(" check {} {}", self.one(&CHECKS), self.one(&STATUSES));
        let (port, tag, check) = (self.maybe(port), self.maybe(tag), self.maybe(check));
        let replace = self.maybe(" replace".to_owned());
        let (service, instance) = (self.one(&SERVICES), self.one(&INSTANCES));
        format!("register {node} {service} {instance}{port}{tag}{check}{replace}")
    }
}

/// Which instances and values there are, by another way: from the lines that were granted.
#[derive(Default)]
struct Model {
    instances: BTreeMap<(String, String), String>,
    values: BTreeMap<String, String>,
    /// Sessions may remove keys and reaping instances: then the model takes what it finds.
    vague: bool,
}

impl Model {
    fn take(&mut self, line: &str) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let word = |at: usize| words[at].clone();
        match words[0].as_str() {
            "register" => drop(self.instances.insert((word(1), word(3)), word(2))),
            "deregister" => drop(self.instances.remove(&(word(1), word(2)))),
            "forget" => {
                self.instances.retain(|(node, _), _| *node != words[1]);
                self.vague = true;
            }
            "put" => drop(self.values.insert(word(1), word(2))),
            "delete" => drop(self.values.remove(&words[1])),
            "clear" => self.values.retain(|key, _| !key.starts_with(&words[1])),
            "reap" | "end" | "tell" | "uncheck" => self.vague = true,
            _ => (),
        }
        if line.contains(" replace") {
            self.vague = true;
        }
    }

    fn compare(&mut self, player: &mut Player) -> Result<(), String> {
        let state = player.state();
        let text = |text: &std::sync::Arc<str>| text.to_string();
        let instances: BTreeMap<_, _> = state
            .instances
            .range(..)
            .map(|((_, node, id), entry)| ((text(node), text(id)), text(&entry.instance.service)))
            .collect();
        let values: BTreeMap<_, _> = state
            .entries
            .range(..)
            .map(|((_, key), entry)| (text(key), String::from_utf8(entry.value.to_vec()).unwrap()))
            .collect();
        if std::mem::take(&mut self.vague) {
            let fewer = instances.iter().all(|(place, service)| self.instances.get(place) == Some(service));
            let less = values.iter().all(|(key, value)| self.values.get(key) == Some(value));
            if !(fewer && less) {
                return Err(format!("more than went: {instances:?}, {values:?}"));
            }
            (self.instances, self.values) = (instances, values);
        } else if (&instances, &values) != (&self.instances, &self.values) {
            return Err(format!(
                "there are {instances:?} and {values:?}, expected {:?} and {:?}",
                self.instances, self.values
            ));
        }
        Ok(())
    }
}
