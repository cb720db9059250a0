//! A proxy for as long as the test needs it.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coreto_proxy::forward::Account;
use coreto_proxy::listen::{Ledger, Service};
use coreto_proxy::model::{
    Action, Clocks, Cluster, Endpoint, Forward, Listener, Model, Plan, Protocol, Route, Source, Split,
};
use coreto_proxy::plane::{Allows, Plane};

/// Runs until it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) accounts: Arc<Mutex<Vec<Account>>>,
    pub(crate) plane: Arc<Plane>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Book(Arc<Mutex<Vec<Account>>>);

impl Ledger for Book {
    fn note(&self, _: usize, account: &Account) {
        self.0.lock().expect("no test panics with it").push(account.clone());
    }
}

/// One listener, one route, one cluster, and nothing else is said.
pub(crate) fn model(endpoints: &[SocketAddr], protocol: Protocol) -> Model {
    let to = vec![Split { cluster: "origin".to_owned(), weight: 1 }];
    let route = Route {
        name: "all".to_owned(),
        action: Action::Forward(Forward { to, ..Forward::default() }),
        ..Route::default()
    };
    Model { listeners: vec![listener()], routes: vec![route], clusters: vec![cluster(endpoints, protocol)] }
}

/// A listener on a free port.
pub(crate) fn listener() -> Listener {
    let clocks = Clocks { drain: Duration::from_millis(100), ..Clocks::default() };
    let address = "127.0.0.1:0".parse().expect("an address");
    Listener { name: "public".to_owned(), address, clocks, ..Listener::default() }
}

/// A cluster `origin`.
pub(crate) fn cluster(endpoints: &[SocketAddr], protocol: Protocol) -> Cluster {
    let endpoint = |address: &SocketAddr| Endpoint { address: *address, weight: 1 };
    let source = Source::Static(endpoints.iter().map(endpoint).collect());
    Cluster { name: "origin".to_owned(), source, protocol, ..Cluster::default() }
}

/// A model that has no fault.
pub(crate) fn plan(model: Model) -> Plan {
    Plan::build(model).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

impl Proxy {
    /// Starts one with one worker.
    pub(crate) fn start(model: Model) -> Self {
        Self::start_with(model, 1)
    }

    /// Starts one with so many workers.
    pub(crate) fn start_with(model: Model, workers: usize) -> Self {
        let plane = Plane::build(plan(model), Allows(Box::new(|_, _| true))).expect("a port is free");
        let accounts = Arc::default();
        let service = Service::new(Arc::clone(&plane), workers, Arc::new(Book(Arc::clone(&accounts))));
        let thread = std::thread::spawn(move || service.run().expect("workers start"));
        let (_, address) = plane.addresses()[0];
        Self { address, accounts, plane, thread: Some(thread) }
    }

    /// Ends it, and gives what was told of requests.
    pub(crate) fn end(mut self) -> Vec<Account> {
        self.stop();
        std::mem::take(&mut *self.accounts.lock().expect("no test panics with it"))
    }

    fn stop(&mut self) {
        self.plane.drain();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the proxy does not panic");
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
    }
}
