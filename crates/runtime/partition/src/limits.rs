//! Bounds of a partition, all of them.

use std::time::Duration;

/// Bounds of a partition.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Commands of one transaction; what is left waits for a later batch.
    pub commands_in_batch_max: u32,
    /// Where a batch stops taking more.
    pub batch_bytes_soft: usize,
    /// Where it stops taking follow-ups that were left over and what is due, for which no client waits: so much stands
    /// before those who come next.
    pub own_bytes_soft: usize,
    /// Answers from which on a batch takes no more.
    pub answers_in_batch_max: usize,
    /// What one command may write by itself.
    pub command_bytes_max: usize,
    /// Where a rejected command's documents are cut.
    pub rejected_bytes_max: usize,
    /// Bytes of waiting requests from which on new work is refused.
    pub queue_bytes_soft: usize,
    /// Bytes of waiting requests from which on every request of a client is refused.
    pub queue_bytes_hard: usize,
    /// The wait from which on new work is refused.
    pub queue_wait_max: Duration,
    /// Entries that are taken at once to fill a new store, a few more or less: as many as take some milliseconds.
    pub entries_rewritten_at_once: usize,
    /// Bytes of commands that are under way to another partition, and not acknowledged, at once.
    pub frames_in_flight_bytes_max: usize,
    /// Replies kept for repeated requests.
    pub kept_replies_max: usize,
    /// Bytes of kept replies, with their keys and some 256 bytes for each, from which on no more are kept.
    pub kept_replies_bytes_max: u64,
    /// How long they are kept.
    pub kept_replies_for: Duration,
    /// Below this much free disk new work is refused.
    pub free_bytes_new_work: u64,
    /// Below this much free disk everything from clients is refused.
    pub free_bytes_all: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            commands_in_batch_max: 100,
            batch_bytes_soft: 1 << 20,
            own_bytes_soft: 64 << 10,
            answers_in_batch_max: 4096,
            command_bytes_max: 4 << 20,
            rejected_bytes_max: 8 << 10,
            queue_bytes_soft: 16 << 20,
            queue_bytes_hard: 64 << 20,
            queue_wait_max: Duration::from_millis(500),
            entries_rewritten_at_once: 5000,
            frames_in_flight_bytes_max: 1 << 20,
            kept_replies_max: 1_000_000,
            kept_replies_bytes_max: 512 << 20,
            kept_replies_for: Duration::from_hours(24),
            free_bytes_new_work: 256 << 20,
            free_bytes_all: 128 << 20,
        }
    }
}
