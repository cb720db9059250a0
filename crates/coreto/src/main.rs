//! The one binary: reads what was typed, builds, runs, drains.

mod args;
mod command;
mod config;
mod descriptors;
mod logging;
mod server;

use std::process::ExitCode;

use args::{Cli, Command, DmnCommand, FeelCommand};

/// A server allocates and frees on different threads all the time; mimalloc is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages, and whoever touches a new one waits until 2 MiB are zero: up to 2 ms. Where
    // they cannot be turned off that is all that is lost.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let cli = Cli::read();
    let json = cli.json;
    match run(cli) {
        Ok(code) => code,
        Err(error) => report(&error, json),
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let json = cli.json;
    match cli.command {
        Command::Dev(args) => command::serve::dev(&args, json),
        Command::Start(args) => command::serve::start(&args, json),
        Command::Demo(args) => command::demo::run(&args, json),
        Command::Check(args) => command::check::run(&args, json),
        Command::Dmn(DmnCommand::Evaluate(args)) => command::dmn::evaluate::run(&args, json),
        Command::Dmn(DmnCommand::Check(args)) => command::dmn::check::run(&args, json),
        Command::Feel(FeelCommand::Eval(args)) => command::feel::run(&args, json),
        Command::Edge(args) => command::edge::run(&args, json),
        Command::Bench(args) => command::bench::run(&args, json),
        Command::Config(args::ConfigCommand::Print(args)) => command::config::print(&args, json),
        Command::Completion(args) => command::completion::print(&args),
        Command::Client(client) => command::client::run(client, &cli.connection, json),
    }
}

/// Says what failed with all its causes, and gives the exit code that fits.
fn report(error: &anyhow::Error, json: bool) -> ExitCode {
    if let Some(error) = error.downcast_ref::<coreto_cli::CliError>() {
        if error.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        let told = Chain(error).to_string();
        if json {
            eprintln!("{}", serde_json::json!({ "error": told, "code": error.code() }));
        } else {
            eprintln!("error: {told}");
        }
        return ExitCode::from(error.exit_code());
    }
    let closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(closed) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {error:#}");
    let usage = error.downcast_ref::<config::ConfigError>().is_some();
    ExitCode::from(if usage { 2 } else { 1 })
}

/// An error that prints its causes, too.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut told = self.0.to_string();
        write!(f, "{told}")?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let next = error.to_string();
            // Some errors say themselves what their cause says again.
            if !told.contains(&next) {
                write!(f, ": {next}")?;
            }
            told = next;
            cause = error.source();
        }
        Ok(())
    }
}
