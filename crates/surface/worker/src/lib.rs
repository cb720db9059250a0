//! Rust SDK for job workers and their clients, over the gateway protocol.
//!
//! **In:** the address of any server compatible with Zeebe/Camunda 8, and a handler per job type.
//! **Out:** jobs with their variables as the handler's own type; what it returns becomes the job's completion,
//! failure or BPMN error.
//!
//! # Invariants
//! - A worker never holds more than `max_active` jobs; what it takes it reports, or gives back when it stops.
//! - A handler that panics fails its job; the worker goes on.
//! - No connection error ends a worker: it tries again with growing pauses until it is stopped.
//!
//! # Where to look
//! `client.rs` connection and commands · `job.rs` what a handler gets and may say · `worker.rs` settings ·
//! `running.rs` the loop · `push.rs` and `poll.rs` the two ways to get jobs · `report.rs` telling the outcome ·
//! `backoff.rs` pauses · the attribute is `coreto-worker-macros`.
//!
//! ```no_run
//! use coreto_worker::{BpmnError, Client, CreateInstance, Job, worker};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     items: u32,
//! }
//!
//! #[derive(Serialize)]
//! struct Stock {
//!     reserved: u32,
//! }
//!
//! #[worker("check-stock", max_active = 16)]
//! async fn check_stock(job: Job<Order>) -> Result<Stock, BpmnError> {
//!     match job.variables.items {
//!         0 => Err(BpmnError::new("EMPTY_ORDER", "nothing to reserve")),
//!         items => Ok(Stock { reserved: items }),
//!     }
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("http://127.0.0.1:26500").await?;
//! client.deploy("order.bpmn", std::fs::read("order.bpmn")?).await?;
//!
//! let worker = check_stock(client.clone()).spawn();
//!
//! let order = serde_json::json!({ "items": 3 });
//! let instance = client.create_instance(CreateInstance::latest("order").variables(&order)?).await?;
//! println!("started {}", instance.process_instance_key);
//! worker.drain().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Worker::builder`] says the same with a closure, where job type and settings are not known before the program runs.

mod backoff;
mod client;
mod error;
mod job;
mod poll;
mod push;
mod report;
mod running;
mod worker;

pub use client::{Client, ClientBuilder, CreateInstance, GatewayClient};
pub use coreto_protocol::gateway as protocol;
pub use coreto_worker_macros::worker;
pub use error::Error;
#[doc(hidden)]
pub use job::outcome;
pub use job::{BpmnError, Job, JobError};
pub use worker::{Drained, Worker, WorkerBuilder, WorkerHandle};
