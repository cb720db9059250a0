//! Models with bytes changed at random: read or refused, evaluated or failed, and never a panic.
//!
//! The models of the cases of this crate, and those below the folders of `CORETO_CORPUS` and `CORETO_TCK` where they are
//! set. A failure names the seed, which repeats it: `SEED=…`.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads files and may fail")]

use std::path::Path;

use coreto_dmn::{Model, Options, Severity};
use coreto_feel::{Budget, Dialect, Env, Scope, Variable};

/// Pieces of models that a byte at a time would hardly make.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/>",
    "\"",
    "&#10;",
    "]]>",
    "<!--",
    "xmlns=\"\"",
    "<decision id=\"a\">",
    "</decision>",
    "<literalExpression><text>a(a)</text></literalExpression>",
    "<requiredDecision href=\"#a\"/>",
    "<requiredKnowledge href=\"#f\"/>",
    "<context><contextEntry>",
    "<variable name=\"a\" typeRef=\"tNumbers\"/>",
    "<inputEntry><text>-</text></inputEntry>",
    "<output/>",
    "<list/>",
    " isCollection=\"true\"",
    " hitPolicy=\"COLLECT\" aggregation=\"SUM\"",
    "for i in 1..9 return",
    "1 +",
    "n",
    "[",
    "{",
    "(",
    "function(x) ",
    "\u{FEFF}",
    "\0",
    "é",
];

/// Most decisions of one model that are evaluated.
const DECISIONS_MAX: usize = 20;
/// Largest model that is changed, in bytes.
const BYTES_MAX: usize = 50_000;

/// A value for every name, of a kind that depends on the name.
struct Everything;

impl Scope for Everything {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        const VALUES: [&[u8]; 5] =
            [b"7", b"[1,2,{\"a\":1}]", b"\"2024-02-29\"", b"{\"a\":{\"b\":2}}", b"true"];
        VALUES.get(name.len() % 6).map(|text| Variable::Json(text))
    }
}

#[test]
fn changed_models_never_panic() {
    let models = models();
    assert!(models.len() > 50, "only {} models were found", models.len());
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_26);
    let mut chance = Chance(seed);
    let mut sound = 0_u32;
    let rounds = 40_000 / models.len();
    for (number, original) in models.iter().enumerate() {
        for round in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=chance.below(3) {
                change(&mut bytes, &mut chance);
            }
            match std::panic::catch_unwind(|| check(&bytes)) {
                Ok(evaluated) => sound += u32::from(evaluated),
                Err(panic) => {
                    eprintln!(
                        "SEED={seed} model {number} round {round}: {}",
                        String::from_utf8_lossy(&bytes)
                    );
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    // Some changes leave a model sound; if none did, nothing behind the XML would have been tried.
    assert!(sound > 1_000, "only {sound} changed models were evaluated");
}

/// Reads and evaluates; whether there was something to evaluate.
fn check(bytes: &[u8]) -> bool {
    let budget = Budget { steps: 10_000, bytes: 1 << 20, ..Budget::default() };
    let env = Env { budget, ..Env::default() };
    let mut evaluated = false;
    for (dialect, lenient) in [(Dialect::Camunda, false), (Dialect::Standard, true)] {
        let options = Options { dialect, lenient, ..Options::default() };
        let (model, diagnostics) = Model::read(bytes, &options);
        let refused = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        assert_eq!(model.is_none(), refused);
        let Some(model) = model else { continue };
        for decision in model.decisions().take(DECISIONS_MAX) {
            evaluated = true;
            match decision.evaluate(&Everything, &env) {
                Ok(evaluation) => assert!(!evaluation.decisions.is_empty()),
                Err(failure) => assert!(!failure.to_string().is_empty()),
            }
        }
        for service in model.services() {
            let _ = service.evaluate(&Everything, &env);
        }
    }
    evaluated
}

fn change(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len() + 1);
    let end = (at + chance.below(30)).min(bytes.len());
    match chance.below(5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            let to = chance.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
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

/// The models of all cases as whole documents.
fn models() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut models = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).unwrap();
        for block in text.split("\n== ").skip(1) {
            let xml: Vec<&str> = block
                .lines()
                .skip(1)
                .take_while(|line| !line.starts_with("-- ") && !line.starts_with("   ! DMN-"))
                .collect();
            let xml = xml.join("\n");
            let root = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\">";
            let whole = if xml.contains("definitions ") { xml } else { format!("{root}{xml}</definitions>") };
            models.push(whole.into_bytes());
        }
    }
    for variable in ["CORETO_CORPUS", "CORETO_TCK"] {
        models.extend(std::env::var_os(variable).iter().flat_map(|folder| found(Path::new(folder))));
    }
    models
}

/// Models that are not too large below a folder.
fn found(folder: &Path) -> Vec<Vec<u8>> {
    let mut models = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "dmn") {
                models.extend(std::fs::read(path).ok().filter(|model| model.len() <= BYTES_MAX));
            }
        }
    }
    models.sort();
    models
}
