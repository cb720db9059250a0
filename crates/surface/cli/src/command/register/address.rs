//! `--address` of an instance.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

/// The address at which an instance is reached.
///
/// All commands have a flag of this name, which an environment variable stands for that is about the engine; here it is
/// what was typed.
#[derive(Clone, Debug)]
pub(super) struct Address(pub(super) Option<String>);

const ADDRESS: &str = "address";

impl FromArgMatches for Address {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_typed = matches.value_source(ADDRESS) == Some(ValueSource::CommandLine);
        Ok(Self(matches.get_one(ADDRESS).filter(|_| is_typed).cloned()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Address {
    fn augment_args(command: Command) -> Command {
        let help = "The address at which it is reached; that of the catalog's node when nothing is said";
        command.arg(Arg::new(ADDRESS).long(ADDRESS).value_name("ADDR").help(help))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
