//! What is told of seldom, however often it happens.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets something be told of once a minute.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Instant>>);

const EVERY: Duration = Duration::from_mins(1);

impl Seldom {
    /// Whether to tell of it now.
    pub fn tell(&self) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tell = told.is_none_or(|last| last.elapsed() >= EVERY);
        if tell {
            *told = Some(Instant::now());
        }
        tell
    }
}
