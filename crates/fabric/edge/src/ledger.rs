//! What becomes of what is told of requests.

use std::sync::Arc;

use coreto_proxy::forward::Account;
use coreto_proxy::listen;

use crate::log::AccessLog;
use crate::metrics::Metrics;

/// Counts requests and writes them down.
pub(crate) struct Ledger {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Arc<AccessLog>,
}

impl listen::Ledger for Ledger {
    fn note(&self, worker: usize, account: &Account) {
        self.metrics.note(worker, account);
        self.log.note(worker, account);
    }
}
