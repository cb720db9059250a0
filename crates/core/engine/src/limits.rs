//! Bounds of the engine, and what clients may name.

use std::sync::Arc;

/// Bounds of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of jobs that one answer may carry.
    pub message_bytes_max: usize,
    /// Due entries that one tick takes.
    pub due_per_tick: usize,
    /// Children that are told at once that their scope ends, and instances that are counted at once.
    pub children_per_step: usize,
    /// How many processes may call each other in a row. Each record of a called process names all that led to it.
    pub call_depth_max: usize,
    /// Characters of an error message that are kept.
    pub error_message_chars: usize,
    /// Bytes of a name that a client gives and that is kept: a job type, a worker, an error code, a resource's name.
    pub name_bytes_max: usize,
    /// Names of variables that a request for jobs or a result may list.
    pub fetch_names_max: usize,
    /// Bytes of these names together.
    pub fetch_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: (4 << 20) - (64 << 10),
            due_per_tick: 100,
            children_per_step: 50,
            call_depth_max: 100,
            error_message_chars: 10_000,
            name_bytes_max: 1024,
            fetch_names_max: 1000,
            fetch_bytes_max: 32 << 10,
        }
    }
}

impl Limits {
    /// Bytes of a document that one command may put on record again for one after the other: a part of what it may
    /// write, since more comes of each.
    pub(crate) const fn repeated_bytes_max(&self) -> usize {
        self.message_bytes_max / 4
    }

    /// Whether a name may be kept.
    ///
    /// # Errors
    /// What is wrong with it, as a clause that follows whose name it is.
    pub fn check_name(&self, name: &str) -> Result<(), String> {
        let (bytes, bytes_max) = (name.len(), self.name_bytes_max);
        if bytes <= bytes_max {
            return Ok(());
        }
        Err(format!("it has {bytes} bytes, at most {bytes_max} are possible"))
    }

    /// Whether so many variables may be asked for by name.
    ///
    /// # Errors
    /// What is wrong with the list, as a clause that follows which list it is.
    pub fn check_fetch(&self, names: &[Arc<str>]) -> Result<(), String> {
        let (count, count_max) = (names.len(), self.fetch_names_max);
        if count > count_max {
            return Err(format!(
                "{count} names are listed, at most {count_max} are possible; list none to get all"
            ));
        }
        let bytes: usize = names.iter().map(|name| name.len()).sum();
        let bytes_max = self.fetch_bytes_max;
        if bytes > bytes_max {
            return Err(format!(
                "the names have {bytes} bytes, at most {bytes_max} are possible; list none to get all"
            ));
        }
        Ok(())
    }
}
