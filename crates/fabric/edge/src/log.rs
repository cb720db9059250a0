//! The access log: a line of JSON for each request, refused ones included.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coreto_proxy::forward::Account;
use coreto_proxy::gate::{Authority, Target};
use coreto_proxy::seldom::Seldom;
use http::{HeaderValue, Method};
use serde::Serialize;

/// Where lines go.
#[derive(Debug)]
pub enum Output {
    /// Nowhere.
    Off,
    /// To standard output.
    Standard,
    /// To a file, behind what is there.
    File(File, PathBuf),
}

impl Output {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn file(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(|file| Self::File(file, path.to_owned()))
    }
}

/// What is written once. Each worker has a buffer of its own, so that requests do not wait for each other or for the
/// disk; a thread empties them.
pub(crate) struct AccessLog {
    buffers: Vec<Mutex<Vec<u8>>>,
    output: Mutex<Output>,
    off: bool,
    closed: AtomicBool,
    /// Whether the file is to be opened again.
    reopen: AtomicBool,
    /// Lines that were left out since the buffers were full.
    lost: AtomicU64,
    lost_told: Seldom,
    failure_told: Seldom,
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
            reopen: AtomicBool::new(false),
            lost: AtomicU64::new(0),
            lost_told: Seldom::default(),
            failure_told: Seldom::default(),
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
                if log.reopen.swap(false, Ordering::AcqRel) {
                    log.open_again();
                }
            }
            log.flush();
        };
        std::thread::Builder::new().name("access-log".to_owned()).spawn(write)
    }

    /// Lets the thread open its file again, which may be another by now: the one before may have been moved away.
    /// Nobody waits for it, since what is written to may be stuck.
    pub(crate) fn reopen(&self) {
        self.reopen.store(true, Ordering::Release);
    }

    fn open_again(&self) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let Output::File(_, path) = &*output else { return };
        match Output::file(path) {
            Ok(again) => *output = again,
            Err(error) => {
                let path = path.display();
                tracing::error!(%path, %error, "the access log cannot be opened again, and stays with its old file");
            }
        }
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
            drop(buffer);
            return self.tell_lost();
        }
        let line = Line::of(account, SystemTime::now());
        serde_json::to_writer(&mut *buffer, &line).expect("a buffer takes all, and texts have no keys");
        buffer.push(b'\n');
    }

    fn flush(&self) {
        let mut text = Vec::new();
        for buffer in &self.buffers {
            let taken = std::mem::take(&mut *lock(buffer));
            if text.is_empty() { text = taken } else { text.extend_from_slice(&taken) }
        }
        self.tell_lost();
        if text.is_empty() {
            return;
        }
        let written = match &mut *self.output.lock().unwrap_or_else(PoisonError::into_inner) {
            Output::Off => Ok(()),
            Output::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(&text).and_then(|()| out.flush())
            }
            Output::File(file, _) => file.write_all(&text),
        };
        if let Err(error) = written
            && self.failure_told.tell()
        {
            tracing::warn!(%error, "the access log cannot be written");
        }
    }

    /// Says how many lines were left out since that was said last.
    fn tell_lost(&self) {
        if self.lost.load(Ordering::Relaxed) > 0 && self.lost_told.tell() {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            tracing::warn!(
                lost,
                "lines of the access log were left out: it is not written as fast as requests come"
            );
        }
    }
}

fn lock(buffer: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line. What is not known is left out.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
struct Line<'a> {
    time_ms: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<Cow<'a, str>>,
    client: IpAddr,
    peer: SocketAddr,
    tls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    protocol: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_status: Option<Cow<'a, str>>,
    bytes_in: u64,
    bytes_out: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl<'a> Line<'a> {
    fn of(account: &'a Account, now: SystemTime) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            time_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            duration_us: micros(account.took),
            request_id: account.id.as_ref().map(text),
            trace_id: account.trace_id().map(String::from_utf8_lossy),
            client: account.client,
            peer: account.peer,
            tls: account.secure,
            method: account.method.as_ref().map(Method::as_str),
            host: account.authority.as_ref().map(Authority::as_str),
            path: account.target.as_ref().map(Target::path),
            protocol: protocol(account.version),
            status: account.status.as_u16(),
            grpc_status: account.grpc_status.as_ref().map(text),
            bytes_in: account.bytes.0,
            bytes_out: account.bytes.1,
            route: account.route(),
            cluster: account.cluster.as_ref().map(|cluster| cluster.cluster().name.as_str()),
            endpoint: account.endpoint,
            attempts: account.endpoint.map(|_| account.attempts),
            upstream_us: account.waited.map(micros),
            error: account.error,
            detail: account.detail.map(|fault| fault.to_string()),
        }
    }
}

fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

fn protocol(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_10 => "HTTP/1.0",
        http::Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}
