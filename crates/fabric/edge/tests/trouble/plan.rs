//! What an upstream does to a request: all of it follows from the seed, the request's number and the try's.

use coreto_proxy::chance::Dice;

/// What is done to one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answers with a length.
    Whole,
    /// Answers in pieces of unknown number.
    Pieces,
    /// Answers before it has read the request's body, and then goes on as if nothing were.
    Early,
    /// Says that more is to come, and answers.
    Hints,
    /// Says a length that is less than what it sends.
    Short,
    /// Closes, or resets the stream, without a byte.
    Close,
    /// Resets the connection without a byte.
    Reset,
    /// Refuses the stream; on HTTP/1 closes the connection in the middle of the head.
    Refuse,
    /// Says nothing.
    Stall,
    /// Sends half of the body, and then …
    HalfClose,
    HalfReset,
    HalfStall,
    /// … a chunk that is none; of HTTP/2, more than its length.
    HalfGarbage,
    /// Says what is no answer; of HTTP/2, drops the connection with all its streams.
    Garbage,
    /// Answers, and says that the connection takes no others.
    Leave,
}

/// One try.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) act: Act,
    pub(crate) body: String,
}

impl Act {
    const ALL: [Self; 15] = [
        Self::Whole,
        Self::Pieces,
        Self::Early,
        Self::Hints,
        Self::Short,
        Self::Close,
        Self::Reset,
        Self::Refuse,
        Self::Stall,
        Self::HalfClose,
        Self::HalfReset,
        Self::HalfStall,
        Self::HalfGarbage,
        Self::Garbage,
        Self::Leave,
    ];
}

/// More bytes are neither asked with nor answered.
const BODY_BYTES_MAX: u64 = 90_000;

/// What is done to a try.
pub(crate) fn plan(seed: u64, id: u64, attempt: u64) -> Plan {
    let mut dice = Dice::seeded(seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (attempt << 56));
    let sound = dice.below(2) == 0;
    let all = Act::ALL;
    let act = if sound { Act::Whole } else { all[usize::try_from(dice.below(all.len() as u64)).unwrap()] };
    // Half of a body must be something.
    let length = 2 + if dice.below(4) == 0 { dice.below(BODY_BYTES_MAX) } else { dice.below(500) };
    Plan { act, body: text(&format!("{id}.{attempt} "), length) }
}

/// What a request brings; none for one that is a GET.
pub(crate) fn brings(seed: u64, id: u64) -> Option<String> {
    let mut dice = Dice::seeded(seed ^ !id);
    match dice.below(3) {
        0 => Some(text(&format!("<{id}>"), dice.below(BODY_BYTES_MAX))),
        _ => None,
    }
}

fn text(word: &str, length: u64) -> String {
    word.chars().cycle().take(usize::try_from(length).unwrap()).collect()
}
