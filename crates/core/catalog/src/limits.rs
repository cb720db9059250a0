//! Bounds of the catalog.

/// Bounds of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a name: of a service, an instance, a node, a check, a tag, a key of metadata.
    pub name_bytes_max: usize,
    /// Bytes of a text: a value of metadata, an address, notes, a target.
    pub text_bytes_max: usize,
    /// Bytes of the output of a check that are kept.
    pub output_bytes_max: usize,
    /// Tags, pairs of metadata and further addresses of one thing, of each so many.
    pub parts_max: usize,
    /// Checks of one instance, or listed by one session.
    pub checks_max: usize,
    /// Nodes.
    pub nodes_max: usize,
    /// Instances of all services.
    pub instances_max: usize,
    /// Checks of all nodes and instances.
    pub all_checks_max: usize,
    /// Keys.
    pub entries_max: usize,
    /// Bytes of a key.
    pub key_bytes_max: usize,
    /// Bytes of a value.
    pub value_bytes_max: usize,
    /// Sessions.
    pub sessions_max: usize,
    /// Keys that one session may hold.
    pub held_max: usize,
    /// Milliseconds for which keys may be barred after their session has ended.
    pub lock_delay_ms_max: u64,
    /// Milliseconds after which a session that is not renewed may end at the soonest.
    pub session_ttl_ms_min: u64,
    /// And at the latest.
    pub session_ttl_ms_max: u64,
    /// Keys that are removed together.
    pub deleted_at_once: usize,
    /// Due entries that one tick takes.
    pub due_per_tick: usize,
    /// Things on a node that are removed together when it goes.
    pub cleared_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            name_bytes_max: 255,
            text_bytes_max: 2048,
            output_bytes_max: 4096,
            parts_max: 64,
            checks_max: 64,
            nodes_max: 10_000,
            instances_max: 100_000,
            all_checks_max: 400_000,
            entries_max: 1_000_000,
            key_bytes_max: 1024,
            value_bytes_max: 512 << 10,
            sessions_max: 100_000,
            held_max: 1000,
            lock_delay_ms_max: 60_000,
            session_ttl_ms_min: 10_000,
            session_ttl_ms_max: 86_400_000,
            deleted_at_once: 1000,
            due_per_tick: 100,
            cleared_at_once: 100,
        }
    }
}
