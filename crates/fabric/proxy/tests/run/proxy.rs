//! A proxy that sends all requests one way, for as long as the test needs it.

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_proxy::forward::{Account, Cluster, Failure, Order, Retry};
use coreto_proxy::gate::Request;
use coreto_proxy::listen::{Config, Ledger, Rules, Service};
use coreto_proxy::model::{Clocks, Protocol, Timeouts};

/// Runs until it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    #[allow(dead_code, reason = "not every test asks what was told of requests")]
    pub(crate) accounts: Arc<Mutex<Vec<Account>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct One(Order);

impl Rules for One {
    fn order(&self, _: &Request) -> Result<Order, Failure> {
        Ok(self.0.clone())
    }
}

struct Book(Arc<Mutex<Vec<Account>>>);

impl Ledger for Book {
    fn note(&self, account: &Account) {
        self.0.lock().expect("no test panics with it").push(account.clone());
    }
}

/// Every request may go to these, and nothing else is said.
pub(crate) fn order(endpoints: Vec<SocketAddr>, protocol: Protocol) -> Order {
    let cluster = Cluster {
        name: "origin".to_owned(),
        number: 0,
        endpoints,
        protocol,
        connect: Duration::from_secs(3),
        idle: Duration::from_secs(4),
        last: AtomicUsize::new(0),
    };
    Order {
        cluster: Arc::new(cluster),
        timeouts: Timeouts::default(),
        retry: Retry::default(),
        upgrades: Arc::default(),
        body_bytes_max: None,
    }
}

impl Proxy {
    /// Starts one with one worker on a free port.
    pub(crate) fn start(config: Config, order: Order) -> Self {
        let address = "127.0.0.1:0".parse().expect("an address");
        let clocks = Clocks { drain: Duration::from_millis(100), ..config.clocks.clone() };
        let config = Config { address, workers: 1, clocks, ..config };
        let accounts = Arc::default();
        let book = Book(Arc::clone(&accounts));
        let service = Service::build(config, Arc::new(One(order)), Arc::new(book)).expect("a port is free");
        let address = service.local_addr();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let drain = async {
                let _ = stopped.await;
            };
            service.run(drain).expect("workers start");
        });
        Self { address, accounts, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the proxy does not panic");
        }
    }
}
