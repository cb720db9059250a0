//! What can be typed.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use coreto_cli::command::ClientCommand;
use coreto_cli::connect::Connection;

use crate::config::Flag;

/// A BPMN engine in one program: it runs processes, and hands their work to workers in any language over gRPC.
///
/// Clients of Zeebe/Camunda 8 that speak gRPC connect to it as they are.
/// Exit codes: 0 done, 1 refused or failed, 2 wrong use, 3 no server, 4 not found, 5 time-out.
#[derive(Parser, Debug)]
#[command(name = "coreto", version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

impl Cli {
    /// What can be typed, as help and completion show it: how a server is reached, only where one is talked to.
    pub(crate) fn shown() -> clap::Command {
        let clients = ClientCommand::augment_subcommands(clap::Command::default());
        let is_client = |name: &str| clients.get_subcommands().any(|client| client.get_name() == name);
        let mut command = Self::command();
        // What is for all commands is given to each of them, and can be hidden then.
        command.build();
        let others = command.get_subcommands_mut().filter(|command| !is_client(command.get_name()));
        others.for_each(|command| hide(command, &of_connection()));
        command
    }

    /// Reads what was typed, or ends the program with what is wrong.
    pub(crate) fn read() -> Self {
        let mut command = Self::shown();
        let matches = command.get_matches_mut();
        let cli = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
        // The load generator has an address of its own.
        let talks = matches!(cli.command, Command::Client(_) | Command::Bench(_));
        if let (false, Some(option)) = (talks, typed(&matches)) {
            let message =
                format!("`--{option}` is for commands that talk to a server, which this one does not");
            command.error(clap::error::ErrorKind::ArgumentConflict, message).exit();
        }
        cli
    }
}

/// The names of what says how a server is reached.
fn of_connection() -> Vec<clap::Id> {
    let connection = Connection::augment_args(clap::Command::default());
    connection.get_arguments().map(|argument| argument.get_id().clone()).collect()
}

fn hide(command: &mut clap::Command, arguments: &[clap::Id]) {
    command.get_subcommands_mut().for_each(|command| hide(command, arguments));
    let hidden = |argument: clap::Arg| {
        let is_one = argument.is_global_set() && arguments.contains(argument.get_id());
        if is_one { argument.hide(true) } else { argument }
    };
    *command = std::mem::take(command).mut_args(hidden);
}

/// One of those that was typed, not only set in the environment.
fn typed(matches: &ArgMatches) -> Option<String> {
    let is_typed = |name: &clap::Id| matches.value_source(name.as_str()) == Some(ValueSource::CommandLine);
    of_connection().iter().find(|name| is_typed(name)).map(|name| name.as_str().replace('_', "-"))
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Run a server that forgets everything when it ends.
    Dev(ServerArgs),
    /// Run a server that keeps everything in a directory.
    Start(StartArgs),
    /// Run an order process with two workers, and tell its way step by step.
    Demo(DemoArgs),
    /// Check BPMN and DMN files without a server: all that is wrong with them, and where.
    Check(CheckArgs),
    /// Evaluate and check decisions without a server.
    #[command(subcommand)]
    Dmn(DmnCommand),
    /// Evaluate expressions without a server.
    #[command(subcommand)]
    Feel(FeelCommand),
    /// Run a gateway; check, compare and explain its configuration.
    Edge(crate::command::edge::EdgeArgs),
    /// Measure a server, or what this machine can do at best.
    Bench(Box<crate::command::bench::BenchArgs>),
    /// Show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the script by which a shell completes commands and options.
    Completion(CompletionArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

/// For which shell.
#[derive(Args, Clone, Debug)]
pub(crate) struct CompletionArgs {
    /// The shell; its documentation says where it looks for scripts.
    pub(crate) shell: clap_complete::Shell,
}

/// What a server can be told; `coreto.toml` and the environment know more.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServerArgs {
    /// The configuration file; `coreto.toml` in the working directory when it is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where the gateway protocol is served; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    grpc: Option<String>,

    /// The gateway's certificate chain, a PEM file.
    #[arg(long, value_name = "FILE")]
    grpc_tls_cert: Option<String>,

    /// The private key of the certificate, a PEM file.
    #[arg(long, value_name = "FILE")]
    grpc_tls_key: Option<String>,

    /// Where health, metrics and the clock are served; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    management: Option<String>,

    /// Where the catalog of services is served over Consul's HTTP, or `off`; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    catalog: Option<String>,

    /// Where names of the catalog are served over DNS, or `off`; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    dns: Option<String>,

    /// A DNS server that is asked for names of other domains, such as 10.0.0.2 or 10.0.0.2:53; several, with commas between
    /// them, one after the other until one knows. Without it such names are refused.
    #[arg(long, visible_alias = "dns-forward", value_name = "ADDR,…")]
    dns_recursors: Option<String>,

    /// Run a gateway in the same process, by this file; its services are those of the catalog.
    #[arg(long, value_name = "FILE")]
    edge: Option<String>,

    /// Partitions of the engine, fixed when the data directory is made.
    #[arg(long, value_name = "N")]
    partitions: Option<String>,

    /// `real`, or `controlled`: the management port may pin and move it.
    #[arg(long, value_name = "MODE")]
    clock: Option<String>,

    /// Send records to an Elasticsearch-compatible server.
    #[arg(long, value_name = "URL")]
    export_elasticsearch: Option<String>,

    /// Which records: `events`, or `all` (events and rejections of every value type).
    #[arg(long, value_name = "WHICH")]
    export_elasticsearch_records: Option<String>,

    /// How long records wait at most for a fuller request, in milliseconds.
    #[arg(long, value_name = "MS")]
    export_elasticsearch_delay: Option<String>,

    /// Write every record as a line of JSON to a file, or to standard output with `-`.
    #[arg(long, value_name = "FILE")]
    export_ndjson: Option<String>,
}

impl ServerArgs {
    /// The settings that flags give.
    pub(crate) fn settings(&self) -> impl Iterator<Item = Flag> {
        [
            ("--grpc", "grpc.address", &self.grpc),
            ("--grpc-tls-cert", "grpc.tls-cert", &self.grpc_tls_cert),
            ("--grpc-tls-key", "grpc.tls-key", &self.grpc_tls_key),
            ("--management", "management.address", &self.management),
            ("--catalog", "catalog.address", &self.catalog),
            ("--dns", "dns.address", &self.dns),
            ("--dns-recursors", "dns.recursors", &self.dns_recursors),
            ("--edge", "edge.config", &self.edge),
            ("--partitions", "data.partitions", &self.partitions),
            ("--clock", "clock.mode", &self.clock),
            ("--export-elasticsearch", "export.elasticsearch.url", &self.export_elasticsearch),
            (
                "--export-elasticsearch-records",
                "export.elasticsearch.records",
                &self.export_elasticsearch_records,
            ),
            (
                "--export-elasticsearch-delay",
                "export.elasticsearch.delay-ms",
                &self.export_elasticsearch_delay,
            ),
            ("--export-ndjson", "export.ndjson.file", &self.export_ndjson),
        ]
        .into_iter()
        .filter_map(|(name, key, value)| value.clone().map(|value| Flag { name, key, value }))
    }
}

#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// The directory that holds everything durable.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,

    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// End after the order has been told.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Files, or directories whose .bpmn and .dmn files are checked.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value and where that comes from.
    Print(ServerArgs),
}

#[derive(Subcommand, Debug)]
pub(crate) enum DmnCommand {
    /// Evaluate a decision, and show its whole way: inputs, rules that matched, results.
    Evaluate(EvaluateArgs),
    /// Check DMN files: all that is wrong with them, and where. They may import each other.
    Check(DmnCheckArgs),
}

#[derive(Args, Debug)]
pub(crate) struct EvaluateArgs {
    /// The DMN file, and behind it files that it imports. Those beside it are found without being named.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// A file that it imports, as one behind it.
    #[arg(long, value_name = "FILE")]
    pub(crate) import: Vec<PathBuf>,

    /// The identifier of the decision, or its name; it may be left out where there is only one.
    #[arg(long, value_name = "ID")]
    pub(crate) decision: Option<String>,

    /// The variables as a JSON object, or `@FILE`.
    #[arg(long, visible_alias = "context", value_name = "JSON", default_value = "{}")]
    pub(crate) variables: String,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

#[derive(Args, Debug)]
pub(crate) struct DmnCheckArgs {
    /// Files, or directories whose .dmn files are checked.
    #[arg(required = true, value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,

    /// In which dialect expressions are.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) dialect: DialectArg,
}

#[derive(Subcommand, Debug)]
pub(crate) enum FeelCommand {
    /// Evaluate an expression, and say why something in it is null.
    Eval(EvalArgs),
}

#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// The expression, with or without the `=` before it that models have.
    #[arg(value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub(crate) expression: String,

    /// The variables as a JSON object, or `@FILE`.
    #[arg(long, visible_alias = "variables", value_name = "JSON", default_value = "{}")]
    pub(crate) context: String,

    /// Take the expression as unary tests, and judge this value (an expression itself).
    #[arg(long, value_name = "INPUT")]
    pub(crate) input: Option<String>,

    #[command(flatten)]
    pub(crate) language: LanguageArgs,
}

/// How expressions are read, and what they see of the world.
#[derive(Args, Debug)]
pub(crate) struct LanguageArgs {
    /// In which dialect expressions are.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) dialect: DialectArg,

    /// The time zone of `now()` and `today()`.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default)]
pub(crate) enum DialectArg {
    /// As Zeebe/Camunda 8 has it.
    #[default]
    Camunda,
    /// As the DMN standard has it, with types.
    Standard,
}
