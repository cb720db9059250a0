//! The access log: a line of JSON for each request, refused ones included.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coreto_proxy::forward::Account;

use crate::json::Object;

/// Where lines go.
#[derive(Debug)]
pub enum Output {
    /// Nowhere.
    Off,
    /// To standard output.
    Standard,
    /// To a file, behind what is there.
    File(File),
}

impl Output {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self::File)
    }
}

/// What is written once. Each worker has a buffer of its own, so that requests do not wait for each other or for the
/// disk; a thread empties them.
pub(crate) struct AccessLog {
    buffers: Vec<Mutex<Vec<u8>>>,
    output: Mutex<Output>,
    off: bool,
    closed: AtomicBool,
    /// Lines that were left out since the buffers were full.
    lost: AtomicU64,
}

/// How long a line waits at most.
const FLUSH_EVERY: Duration = Duration::from_millis(100);
/// What a worker's lines may take before they are left out.
const BUFFER_BYTES_MAX: usize = 4 << 20;

impl AccessLog {
    pub(crate) fn new(workers: usize, output: Output) -> Self {
        Self {
            buffers: (0..workers.max(1)).map(|_| Mutex::default()).collect(),
            off: matches!(output, Output::Off),
            output: Mutex::new(output),
            closed: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }
    }

    /// Starts the thread that writes.
    pub(crate) fn start(log: &Arc<Self>) -> io::Result<JoinHandle<()>> {
        let log = Arc::clone(log);
        let write = move || {
            // Bound: until it is closed.
            while !log.closed.load(Ordering::Acquire) {
                std::thread::park_timeout(FLUSH_EVERY);
                log.flush();
            }
            log.flush();
        };
        std::thread::Builder::new().name("access-log".to_owned()).spawn(write)
    }

    /// Lets the thread write what there is, and end.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Writes a request down.
    pub(crate) fn note(&self, worker: usize, account: &Account) {
        if self.off {
            return;
        }
        let mut buffer = lock(&self.buffers[worker]);
        if buffer.len() > BUFFER_BYTES_MAX {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        line(&mut buffer, account, SystemTime::now());
    }

    fn flush(&self) {
        let mut text = Vec::new();
        for buffer in &self.buffers {
            let taken = std::mem::take(&mut *lock(buffer));
            if text.is_empty() { text = taken } else { text.extend_from_slice(&taken) }
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(
                lost,
                "lines of the access log were left out: it is not written as fast as requests come"
            );
        }
        if text.is_empty() {
            return;
        }
        let written = match &mut *self.output.lock().unwrap_or_else(PoisonError::into_inner) {
            Output::Off => Ok(()),
            Output::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(&text).and_then(|()| out.flush())
            }
            Output::File(file) => file.write_all(&text),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the access log cannot be written");
        }
    }
}

fn lock(buffer: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line. What is not known is left out.
fn line(out: &mut Vec<u8>, account: &Account, now: SystemTime) {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = Object::begin(out);
    object.number("time_ms", u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    object.number("duration_us", micros(account.took));
    if let Some(id) = &account.id {
        object.bytes("request_id", id.as_bytes());
    }
    if let Some(trace) = account.trace_id() {
        object.bytes("trace_id", trace);
    }
    object.shown("client", &account.client);
    object.shown("peer", &account.peer);
    object.flag("tls", account.secure);
    if let Some(method) = &account.method {
        object.text("method", method.as_str());
    }
    if let Some(authority) = &account.authority {
        object.text("host", authority.as_str());
    }
    if let Some(target) = &account.target {
        object.text("path", target.path());
    }
    object.text("protocol", protocol(account.version));
    object.number("status", u64::from(account.status.as_u16()));
    if let Some(status) = &account.grpc_status {
        object.bytes("grpc_status", status.as_bytes());
    }
    object.number("bytes_in", account.bytes.0);
    object.number("bytes_out", account.bytes.1);
    if let Some(route) = account.route() {
        object.text("route", route);
    }
    if let Some(cluster) = &account.cluster {
        object.text("cluster", &cluster.cluster().name);
    }
    if let Some(endpoint) = account.endpoint {
        object.shown("endpoint", &endpoint);
        object.number("attempts", u64::from(account.attempts));
    }
    if let Some(waited) = account.waited {
        object.number("upstream_us", micros(waited));
    }
    if let Some(error) = account.error {
        object.text("error", error);
    }
    object.end();
    out.push(b'\n');
}

fn protocol(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}
