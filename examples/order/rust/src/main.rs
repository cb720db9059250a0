//! The two workers of the order process, in Rust. The gateway's address is in `ZEEBE_ADDRESS`.

#![expect(clippy::print_stdout, reason = "the example tells what its workers do")]

use coreto_worker::{Client, Job, JobError, Worker, worker};
use serde::{Deserialize, Serialize};

const PRICE: u32 = 20;

#[derive(Deserialize)]
struct Order {
    items: u32,
}

#[derive(Deserialize)]
struct Warehouse {
    warehouse: String,
}

#[derive(Serialize)]
struct Stock {
    reserved: u32,
}

#[derive(Deserialize)]
struct Purchase {
    quantity: u32,
}

#[derive(Deserialize)]
struct Currency {
    currency: String,
}

#[derive(Serialize)]
struct Payment {
    paid: bool,
    amount: u32,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let address = std::env::var("ZEEBE_ADDRESS").unwrap_or_else(|_| "127.0.0.1:26500".to_owned());
    let client = Client::connect(format!("http://{address}")).await?;
    let workers = [check_stock(client.clone()), make_payment(client)].map(Worker::spawn);
    tokio::signal::ctrl_c().await?;
    for worker in workers {
        worker.drain().await;
    }
    Ok(())
}

#[worker("check-stock", name = "rust")]
async fn check_stock(job: Job<Order>) -> Result<Stock, JobError> {
    let Warehouse { warehouse } = job.headers()?;
    let reserved = job.variables.items;
    println!("job {}: {reserved} items reserved in warehouse {warehouse}", job.key());
    Ok(Stock { reserved })
}

#[worker("make-payment", name = "rust")]
async fn make_payment(job: Job<Purchase>) -> Result<Payment, JobError> {
    let Currency { currency } = job.headers()?;
    let amount = job.variables.quantity * PRICE;
    println!("job {}: {amount} {currency} paid", job.key());
    Ok(Payment { paid: true, amount })
}
