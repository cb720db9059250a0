//! The life of an element instance.

coreto_machine::numbered! {
    /// Where an element instance stands in its life; the numbers are those of the record protocol.
    pub enum Lifecycle {
        /// Input mappings are applied, subscriptions opened, work created.
        Activating = 2,
        /// It waits, or is about to complete.
        Activated = 3,
        /// Output mappings are applied, subscriptions closed.
        Completing = 4,
        /// It ended as modelled.
        Completed = 5,
        /// It is being ended early, children first.
        Terminating = 6,
        /// It was ended early.
        Terminated = 7,
    }
}

impl Lifecycle {
    /// Whether the life may go on from here to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Activating => matches!(next, Self::Activated | Self::Terminating),
            Self::Activated => matches!(next, Self::Completing | Self::Terminating),
            Self::Completing => matches!(next, Self::Completed | Self::Terminating),
            Self::Terminating => matches!(next, Self::Terminated),
            Self::Completed | Self::Terminated => false,
        }
    }

    /// Whether the life is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Terminated)
    }
}
