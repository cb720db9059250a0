//! The two ways in which the language is spoken.

/// Which reading of the language is meant, at the few points where they differ.
///
/// What one of them has and the other lacks is mostly allowed in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// As models for Zeebe/Camunda 8 are written: a name is one word unless it stands in back-ticks, strings count
    /// UTF-16 units, the same instant in two zones is not equal.
    #[default]
    Camunda,
    /// As DMN 1.5 has it: names may have blanks, strings count characters, instants are compared, durations are
    /// multiplied by fractions, and a list of one item stands for that item and the other way round.
    Standard,
}

impl Dialect {
    pub(crate) fn is_standard(self) -> bool {
        self == Self::Standard
    }
}
