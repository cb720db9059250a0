//! The management server.

mod clock;
mod health;
mod metrics;
mod problem;
mod route;
mod server;

pub use clock::{Clock, ClockError};
pub use health::{Component, Health, Probe};
pub use metrics::{Family, Kind, Metrics, Sample};
pub use server::{Config, Error, Parts, Service};
