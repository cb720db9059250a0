//! Models with bytes changed at random: read or refused, and never a panic.
//!
//! The cases of this crate, and the models in the folder of `CORETO_CORPUS` where it is set. A failure names the
//! seed, which repeats it: `SEED=…`.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads files and may fail")]

use std::path::{Path, PathBuf};

use coreto_bpmn::{Limits, Purpose, Severity};

/// Pieces of models that a byte at a time would hardly make.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "\"",
    "'",
    "&",
    "&#10;",
    "&lt;",
    "]]>",
    "<![CDATA[",
    "<!--",
    "-->",
    "<?",
    "?>",
    "=",
    ":",
    "id=",
    "xmlns=\"\"",
    "xmlns:zeebe=",
    "<process id=\"x\" isExecutable=\"true\">",
    "</process>",
    "<subProcess>",
    "<startEvent/>",
    "<task id=\"t\"/>",
    "sourceRef=\"t\" targetRef=\"t\"",
    "source=\"=a\"",
    "target=\"a.b\"",
    "\u{FEFF}",
    "\0",
    "é",
    "{",
    "}",
    "(",
    "=1 + ",
    "zeebe:",
    "extensionElements",
];

#[test]
fn changed_models_never_panic() {
    let models = models();
    assert!(models.len() > 50, "only {} models were found", models.len());
    let rounds = 40_000 / models.len().min(4_000);
    let first = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = first.unwrap_or(20_26);
    let mut chance = Chance(seed);
    let mut read = 0_u32;
    for path in &models {
        let original = std::fs::read(path).unwrap();
        for round in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=chance.below(4) {
                change(&mut bytes, &mut chance);
            }
            let result = std::panic::catch_unwind(|| check(&bytes));
            match result {
                Ok(accepted) => read += u32::from(accepted),
                Err(panic) => {
                    eprintln!("SEED={seed} {} round {round}", path.display());
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    // Some changes leave a model sound; if none did, nothing behind the XML would have been tried.
    assert!(read > 100, "only {read} changed models were accepted");
}

/// Reads for both purposes; whether the model was accepted.
fn check(bytes: &[u8]) -> bool {
    let (deployed, diagnostics) = coreto_bpmn::read(bytes, Purpose::Deploy, &Limits::default());
    assert_eq!(
        deployed.is_none(),
        diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    );
    let (loaded, late) = coreto_bpmn::read(bytes, Purpose::Load, &Limits::default());
    let Some(deployed) = deployed else {
        return false;
    };
    assert_eq!(late, []);
    for (deployed, loaded) in deployed.processes.iter().zip(&loaded.unwrap().processes) {
        let ids = |process: &coreto_bpmn::Process| {
            process.elements.iter().map(|element| element.id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids(deployed), ids(loaded));
    }
    true
}

fn change(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let end = (at + chance.below(40)).min(bytes.len());
    match chance.below(5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            let to = chance.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        3 => bytes.truncate(at.max(bytes.len() / 2)),
        _ => {
            let piece = PIECES[chance.below(PIECES.len())];
            bytes.splice(at..at, piece.bytes());
        }
    }
}

/// Numbers that look random and depend on the seed alone (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}

fn models() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")];
    folders.extend(std::env::var_os("CORETO_CORPUS").map(PathBuf::from));
    let mut models = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "bpmn") {
                models.push(path);
            }
        }
    }
    models.sort();
    models
}
