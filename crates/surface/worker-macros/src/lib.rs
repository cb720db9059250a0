//! The attribute that makes a worker of a function; `coreto-worker` exports it as `coreto_worker::worker`.
//!
//! **In:** a job type, settings, and an `async fn` that takes a job. **Out:** a function of the same name that takes a
//! client, and what else the first one takes, and gives a `coreto_worker::Worker`.

mod arguments;
mod expand;

use proc_macro::TokenStream;

/// Makes a worker of an `async fn` from a `Job` to a `Result`.
///
/// The first argument is the job type. Settings of `WorkerBuilder` may follow by their names: `name`, `timeout`,
/// `max_active`, `streaming`, `poll_timeout`, `poll_interval`, `drain_timeout`, `fetch_variables`, `tenants`.
///
/// The function becomes one that takes a `Client` and gives a `Worker`. What it takes behind the job it takes behind the
/// client then, once, and each job gets a clone of it. The error may be anything that turns into a `JobError`.
///
/// ```ignore
/// #[worker("collect-money", max_active = 16)]
/// async fn collect_money(job: Job<Order>, till: Arc<Till>) -> Result<Receipt, BpmnError> {
///     till.charge(job.variables.total).await.map_err(|_| BpmnError::new("NO-FUNDS", "the card was refused"))
/// }
///
/// let worker = collect_money(client, till).spawn();
/// ```
#[proc_macro_attribute]
pub fn worker(arguments: TokenStream, function: TokenStream) -> TokenStream {
    expand::worker(arguments.into(), function.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}
