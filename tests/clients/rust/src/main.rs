//! What zeebe-rs can do, against the gateway in `ZEEBE_ADDRESS`.

mod bench;
mod claims;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use bench::{Bench, Outcome};

const STEP: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    let bench = match Bench::new().await {
        Ok(bench) => bench,
        Err(error) => {
            println!("FAIL rust: it connects: {error}");
            return ExitCode::FAILURE;
        }
    };
    if claims::try_all(&bench).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries a claim, says whether it holds, and cancels the instances that it started.
async fn claim(bench: &Bench, text: &str, claim: impl Future<Output = Outcome>) -> bool {
    let found = match tokio::time::timeout(STEP, claim).await {
        Ok(found) => found,
        Err(_) => Err(format!("not done after {} s", STEP.as_secs()).into()),
    };
    match &found {
        Ok(()) => println!("PASS rust: {text}"),
        Err(error) => println!("FAIL rust: {text}: {error}"),
    }
    bench.clean().await;
    found.is_ok()
}
