//! Configuration: `coreto.toml`, then the environment, then flags; the later one wins.
//!
//! Raw settings are texts with their origin; [`ServerConfig`] is what the code takes. Nothing below reads files or
//! the environment for configuration.

mod checked;
mod setting;
mod sources;

pub(crate) use checked::{CatalogConfig, EdgeConfig, ExportedRecords, ServerConfig};
pub(crate) use setting::{SETTINGS, Setting};
pub(crate) use sources::{ConfigError, Flag, Settings};
