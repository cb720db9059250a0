//! Decimal arithmetic against a proven library: the one that Python brings along, asked through a pipe.
//!
//! `FEEL_ORACLE_PAIRS` says how many pairs of operands are tried (100,000), `FEEL_ORACLE_SEED` where to start.

#![expect(clippy::disallowed_methods, reason = "a test starts a program and reads its settings")]

#[path = "support/random.rs"]
mod random;

use std::cmp::Ordering;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Command, Stdio};

use coreto_feel::Number;
use coreto_feel::value::Rounding;

use random::Random;

const ROUNDINGS: [(&str, Rounding); 7] = [
    ("UP", Rounding::Up),
    ("DOWN", Rounding::Down),
    ("CEILING", Rounding::Ceiling),
    ("FLOOR", Rounding::Floor),
    ("HALF_UP", Rounding::HalfUp),
    ("HALF_DOWN", Rounding::HalfDown),
    ("HALF_EVEN", Rounding::HalfEven),
];

impl Random {
    /// A coefficient of up to 38 digits; rows of one digit are where carries and ties are.
    fn coefficient(&mut self) -> String {
        let length = 1 + self.below(38);
        let row_from = if self.below(3) == 0 { self.below(length) } else { length };
        let filler = [b'0', b'9', b'5'][usize::try_from(self.below(3)).expect("small")];
        let digit =
            |at| if at > row_from { filler } else { b'0' + u8::try_from(self.below(10)).expect("a digit") };
        (0..length).map(digit).map(char::from).collect()
    }

    fn operand(&mut self) -> String {
        let sign = if self.below(2) == 0 { "-" } else { "" };
        let coefficient = self.coefficient();
        // Most exponents meet; some are at the ends of the range.
        let exponent = match self.below(16) {
            0 => self.below(12_600).cast_signed() - 6400,
            1 => self.below(80).cast_signed() - 6200,
            2 => self.below(60).cast_signed() + 6080,
            _ => self.below(50).cast_signed() - 40,
        };
        format!("{sign}{coefficient}e{exponent}")
    }

    fn question(&mut self) -> Question {
        let (left, right) = (self.operand(), self.operand());
        let scale = i32::try_from(self.below(60)).expect("small") - 20;
        let rounding = usize::try_from(self.below(7)).expect("small");
        Question { left, right, scale, rounding }
    }
}

struct Question {
    left: String,
    right: String,
    scale: i32,
    rounding: usize,
}

impl Question {
    fn line(&self) -> String {
        let Self { left, right, scale, rounding } = self;
        format!("{left} {right} {scale} {}", ROUNDINGS[*rounding].0)
    }

    /// What the script should answer; only the operands if one of them is out of range.
    fn answer(&self) -> Vec<String> {
        let (left, right) = (self.left.parse::<Number>().ok(), self.right.parse::<Number>().ok());
        let mut numbers = vec![left, right];
        let (Some(left), Some(right)) = (left, right) else {
            return numbers.into_iter().map(ours).collect();
        };
        numbers.extend([left.add(right), left.subtract(right), left.multiply(right), left.divide(right)]);
        numbers.push(left.modulo(right));
        numbers.push(left.rounded(self.scale, ROUNDINGS[self.rounding].1));
        let order = match left.cmp(&right) {
            Ordering::Less => "-1e0",
            Ordering::Equal => "0e0",
            Ordering::Greater => "1e0",
        };
        numbers.into_iter().map(ours).chain([order.to_owned()]).collect()
    }
}

fn ours(number: Option<Number>) -> String {
    let Some(number) = number else { return "none".into() };
    let mut json = Vec::new();
    number.write_json(&mut json);
    canonical(std::str::from_utf8(&json).expect("ASCII"))
}

/// Coefficient and exponent without zeros at either end.
fn canonical(text: &str) -> String {
    if text.ends_with("Infinity") || text == "NaN" {
        return "none".into();
    }
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let short = digits.trim_end_matches('0');
    if short.is_empty() {
        return "0e0".into();
    }
    let exponent: i64 = exponent.parse().expect("an exponent");
    let moved =
        i64::try_from(digits.len() - short.len()).expect("few") - i64::try_from(fraction.len()).expect("few");
    format!("{sign}{}e{}", short.trim_start_matches('0'), exponent + moved)
}

#[test]
fn agrees_with_a_proven_decimal_library() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let pairs = setting("FEEL_ORACLE_PAIRS").unwrap_or(100_000);
    let mut random = Random(setting("FEEL_ORACLE_SEED").unwrap_or(0x0dec));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle.py");
    let started = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = started else {
        eprintln!("skipped: there is no python3");
        return;
    };
    let mut questions = BufWriter::new(python.stdin.take().expect("piped"));
    let answers = BufReader::new(python.stdout.take().expect("piped"));
    let mut asked = random.clone();
    let asking = std::thread::spawn(move || {
        for _ in 0..pairs {
            writeln!(questions, "{}", asked.question().line()).expect("the script reads");
        }
    });
    let mut compared = 0;
    for line in answers.lines() {
        let (question, line) = (random.question(), line.expect("the script answers"));
        let ours = question.answer();
        let theirs: Vec<String> = line.split(' ').take(ours.len()).map(canonical).collect();
        assert_eq!(ours, theirs, "{}", question.line());
        compared += u64::from(ours.len() > 2);
    }
    asking.join().expect("all was asked");
    assert!(python.wait().expect("it ends").success());
    assert!(compared > pairs / 2, "{compared} of {pairs} pairs are in range");
}
