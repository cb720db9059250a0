//! `coreto edge`: runs a gateway until it is asked to end.

use std::io::Write;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use coreto_edge::{Gateway, Output};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::LevelFilter;

use super::EdgeServeArgs;
use crate::server::{Told, with_catalog_token};

/// The exit code of a program that SIGINT ended, as shells count it.
const INTERRUPTED: i32 = 130;

pub(super) fn serve(args: &EdgeServeArgs, json: bool) -> anyhow::Result<ExitCode> {
    crate::logging::start(LevelFilter::INFO)?;
    let started = Instant::now();
    crate::descriptors::raise();
    let output = match args.access_log.as_str() {
        "off" => Output::Off,
        "-" => Output::Standard,
        path => {
            Output::file(Path::new(path)).with_context(|| format!("cannot write the access log `{path}`"))?
        }
    };
    let standard = matches!(output, Output::Standard);
    let processors = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let workers = args.workers.unwrap_or_else(processors).get();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listened for before anything else: a signal that finds nobody ends the program.
    let told = {
        let _inside = runtime.enter();
        Told::new()?
    };
    let gateway = match &args.hand_over {
        Some(socket) => Gateway::succeed(socket, &args.config, workers, output)?,
        None => Gateway::build(&args.config, workers, output)?,
    };
    let gateway = with_catalog_token(gateway);
    let shared = Arc::clone(gateway.shared());
    // Listened for before anybody is told that the gateway is there, and not earlier: until then it is ended at once.
    let asked = {
        let _inside = runtime.enter();
        Asked::new()?
    };
    let ready = Ready::of(&gateway);
    let serving = gateway.start()?;
    let ready = ready.tell(started, json);
    // Standard output belongs to the access log when it goes there.
    if standard {
        writeln!(std::io::stderr().lock(), "{ready}")?;
    } else {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{ready}").and_then(|()| out.flush())?;
    }
    runtime.block_on(told.follow(&shared, asked.wait()));
    shared.drain();
    serving.wait()?;
    Ok(ExitCode::SUCCESS)
}

/// The signals by which a gateway is asked to end.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
        })
    }

    /// Waits until the gateway is asked to end. From then on Ctrl-C ends it at once.
    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!(
            "ending: requests under way are answered, no others are taken; Ctrl-C again ends at once"
        );
        let mut interrupt = self.interrupt;
        // The runtime of this one stops with the wait; the next Ctrl-C is waited for on a thread of its own.
        let again = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let asked = runtime.is_ok_and(|runtime| runtime.block_on(interrupt.recv()).is_some());
            if asked {
                std::process::exit(INTERRUPTED);
            }
        };
        if std::thread::Builder::new().name("interrupt".to_owned()).spawn(again).is_err() {
            tracing::warn!("a second Ctrl-C will not be heard");
        }
    }
}

/// What is said once the gateway can be talked to.
struct Ready {
    listeners: Vec<(String, SocketAddr)>,
    admin: SocketAddr,
}

impl Ready {
    fn of(gateway: &Gateway) -> Self {
        Self { listeners: gateway.shared().addresses(), admin: gateway.admin() }
    }

    fn tell(self, started: Instant, json: bool) -> String {
        let Self { listeners, admin } = self;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if json {
            let listeners: serde_json::Map<_, _> =
                listeners.into_iter().map(|(name, address)| (name, json!(address.to_string()))).collect();
            return json!({ "readyInMs": millis, "listeners": listeners, "admin": admin.to_string() })
                .to_string();
        }
        let listeners: Vec<String> =
            listeners.iter().map(|(name, address)| format!("{name} on {address}")).collect();
        format!("ready in {millis} ms, {}, management on {admin}", listeners.join(", "))
    }
}
