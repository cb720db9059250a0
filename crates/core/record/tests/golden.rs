//! Encodings that logs and stores hold stay as they are, bit by bit.
//!
//! `golden/*.txt` has one line a variant: its name, and the bytes of a representative value. A line is never changed,
//! since what was written once must be read for ever; a new variant or field adds a sample and a line, which the
//! failing test prints.

#![allow(clippy::unwrap_used, reason = "a test")]

mod samples;

use std::fmt::{Debug, Write};

use coreto_machine::Codec;

#[test]
fn commands_keep_their_encoding() {
    check(include_str!("golden/command.txt"), samples::commands());
}

#[test]
fn events_keep_their_encoding() {
    check(include_str!("golden/event.txt"), samples::events());
}

#[test]
fn replies_keep_their_encoding() {
    check(include_str!("golden/reply.txt"), samples::replies());
}

#[test]
fn rejections_keep_their_encoding() {
    check(include_str!("golden/rejection.txt"), samples::rejections());
}

/// Compares each sample with the line of its name, and reads it back.
fn check<T: Codec + Debug + PartialEq>(golden: &str, samples: Vec<(&'static str, T)>) {
    let mut faults = String::new();
    let mut lines: Vec<(&str, &str)> = golden.lines().filter_map(|line| line.split_once(' ')).collect();
    for (name, sample) in samples {
        let bytes = sample.to_bytes();
        assert_eq!(T::decode(&bytes).unwrap(), sample, "what was encoded is decoded");
        let found = hex(&bytes);
        let at = lines.iter().position(|(line, _)| *line == name);
        match at.map(|at| lines.remove(at)) {
            Some((_, expected)) if expected == found => (),
            Some((_, expected)) => writeln!(faults, "{name}\n  was {expected}\n  is  {found}").unwrap(),
            None => writeln!(faults, "{name} {found}").unwrap(),
        }
    }
    assert!(faults.is_empty(), "these differ from their lines, or have none:\n{faults}");
    assert!(lines.is_empty(), "these lines have no sample: {lines:?}");
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
