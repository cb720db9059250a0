//! `coreto register`: a program that is found for as long as it runs.

mod address;
mod keep;
mod program;

use std::ffi::OsString;
use std::future::pending;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::catalog::CatalogArgs;
use crate::connect::Connection;
use crate::error::CliError;
use crate::output::Format;
use address::Address;
use keep::{Keeper, Voice};
use program::{Program, Signals};

/// Which program, and as what it is found.
#[derive(Args, Clone, Debug)]
pub struct RegisterArgs {
    /// The name of the service.
    #[arg(long, value_name = "NAME")]
    name: String,

    /// The port on which the program serves.
    #[arg(long, value_name = "PORT")]
    port: u16,

    #[command(flatten)]
    address: Address,

    /// The identifier of the instance; NAME-PORT, or NAME-ADDR-PORT with an address.
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// A tag; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// What else there is to know; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    meta: Vec<String>,

    /// How the catalog finds out whether it is well; may be repeated. It is found once all pass.
    ///
    /// An URL: `http://` and `https://` ask for a path, `tcp://HOST:PORT` connects, `grpc://HOST:PORT[/SERVICE]` and
    /// `grpcs://` ask for its health.
    #[arg(long, value_name = "URL")]
    check: Vec<String>,

    /// How often a check asks, and how long an answer may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    check_interval: u64,

    /// Take any certificate in checks over TLS.
    #[arg(long)]
    check_skip_verify: bool,

    /// How long the program goes on after it was taken out of use, before it gets the signal, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    grace: u64,

    #[command(flatten)]
    catalog: CatalogArgs,

    /// The program and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// How long the catalog may take to forget an instance that ends.
const FORGOTTEN_IN: Duration = Duration::from_secs(2);

pub(super) async fn run(
    args: RegisterArgs,
    connection: &Connection,
    format: Format,
) -> Result<ExitCode, CliError> {
    let (service, catalog) = (service(&args)?, args.catalog.catalog()?);
    // What comes before the program is there is not lost.
    let mut signals = Signals::listen(&args.command)?;
    let voice = Voice(format);
    let mut program = Program::start(&args.command)?;
    voice.say("started", &json!({ "pid": program.pid() }), &format!("started, process {}", program.pid()));
    let keeper = Keeper { catalog, service, timeout: connection.timeout(), voice };
    let mut registration = Registration::begin(keeper);
    let grace = Duration::from_millis(args.grace);
    let (mut draining, mut refused): (Option<(Signal, Drain)>, _) = (None, None);
    let ended = loop {
        tokio::select! {
            ended = program.ended() => break ended,
            signal = signals.next() => match (draining.is_some(), drains(signal)) {
                (false, true) => {
                    voice.say("draining", &json!({ "graceMs": args.grace }), "taking the program out of use");
                    draining = Some((signal, registration.drain(grace)));
                }
                (true, true) => {
                    draining = None;
                    program.signal(signal);
                }
                (_, false) => program.signal(signal),
            },
            signal = drained(&mut draining) => {
                draining = None;
                program.signal(signal);
            }
            error = registration.refused() => {
                voice.say("refused", &json!({ "reason": error.to_string() }), &format!("ending the program: {error}"));
                program.signal(Signal::TERM);
                refused = Some(error);
            }
        }
    };
    registration.drain(Duration::ZERO).await;
    let code = ended.code();
    voice.say("ended", &json!({ "code": code }), &format!("the program has ended with {code}"));
    match refused {
        Some(error) => Err(error),
        None => Ok(ExitCode::from(code)),
    }
}

/// Whether a signal asks for an end, before which requests under way are answered.
fn drains(signal: Signal) -> bool {
    signal == Signal::TERM || signal == Signal::INT
}

type Drain = Pin<Box<dyn Future<Output = ()>>>;

/// Ready once a drain is over, with the signal that it was for.
async fn drained(draining: &mut Option<(Signal, Drain)>) -> Signal {
    match draining {
        Some((signal, drain)) => {
            drain.await;
            *signal
        }
        None => pending().await,
    }
}

/// A registration that is kept by a task.
struct Registration {
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<Result<(), CliError>>>,
}

impl Registration {
    fn begin(keeper: Keeper) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop: Some(stop), task: Some(tokio::spawn(keeper.keep(stopped))) }
    }

    /// Ends it; ready once the catalog has forgotten the instance, and a time more.
    fn drain(&mut self, grace: Duration) -> Drain {
        self.stop = None;
        let task = self.task.take();
        Box::pin(async move {
            let Some(task) = task else { return };
            let _ = tokio::time::timeout(FORGOTTEN_IN, task).await;
            tokio::time::sleep(grace).await;
        })
    }

    /// Ready when the catalog does not take it, and never will.
    async fn refused(&mut self) -> CliError {
        let Some(task) = &mut self.task else { return pending().await };
        let ended = task.await;
        self.task = None;
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => pending().await,
        }
    }
}

/// The service as the catalog takes it.
fn service(args: &RegisterArgs) -> Result<Value, CliError> {
    let address = args.address.0.as_deref().unwrap_or_default();
    let port = args.port.to_string();
    let own = [&args.name, address, &port].into_iter().filter(|part| !part.is_empty());
    let id = args.id.clone().unwrap_or_else(|| own.collect::<Vec<_>>().join("-"));
    let mut meta = Map::new();
    for pair in &args.meta {
        let expected = || CliError::Usage(format!("`--meta {pair}` has no `=`, expected NAME=VALUE"));
        let (name, value) = pair.split_once('=').ok_or_else(expected)?;
        meta.insert(name.to_owned(), value.into());
    }
    let checks = args.check.iter().map(|url| check(url, args)).collect::<Result<Value, _>>()?;
    Ok(json!({
        "ID": id, "Name": args.name, "Address": address, "Port": args.port, "Tags": args.tag, "Meta": meta,
        "Checks": checks,
    }))
}

/// A check as the catalog takes it.
fn check(url: &str, args: &RegisterArgs) -> Result<Value, CliError> {
    let (scheme, target) = url.split_once("://").unwrap_or_default();
    let (kind, target) = match scheme {
        "http" | "https" => ("HTTP", url),
        "tcp" => ("TCP", target),
        "grpc" | "grpcs" => ("GRPC", target),
        _ => {
            let expected = "expected a URL with http://, https://, tcp://, grpc:// or grpcs://";
            return Err(CliError::Usage(format!("`--check {url}` is no check, {expected}")));
        }
    };
    let interval = format!("{}ms", args.check_interval);
    Ok(json!({
        kind: target, "Name": url, "Interval": interval, "Timeout": interval, "GRPCUseTLS": scheme == "grpcs",
        "TLSSkipVerify": args.check_skip_verify,
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RegisterArgs,
    }

    fn told(options: &[&str]) -> Result<Value, CliError> {
        let begin = ["register", "--name", "web", "--port", "80"];
        let line = [&begin[..], options, &["--", "true"]].concat();
        service(&Line::parse_from(line).args)
    }

    #[test]
    fn instances_of_a_service_are_told_apart() {
        for (options, id) in [
            (&[][..], "web-80"),
            (&["--address", "10.0.0.1"], "web-10.0.0.1-80"),
            (&["--address", "10.0.0.1", "--id", "a"], "a"),
        ] {
            assert_eq!(told(options).unwrap()["ID"], id);
        }
    }

    #[test]
    fn checks_and_meta_are_read() {
        let found = told(&["--meta", "a=b=c", "--check", "tcp://h:1", "--check", "grpcs://h:2/x"]).unwrap();
        assert_eq!(found["Meta"], json!({ "a": "b=c" }));
        assert_eq!(found["Checks"][0]["TCP"], "h:1");
        assert_eq!(
            (&found["Checks"][1]["GRPC"], &found["Checks"][1]["GRPCUseTLS"]),
            (&"h:2/x".into(), &true.into())
        );
        for wrong in [["--meta", "a"], ["--check", "h:1"], ["--check", "udp://h:1"]] {
            assert!(matches!(told(&wrong), Err(CliError::Usage(_))), "{wrong:?}");
        }
    }
}
