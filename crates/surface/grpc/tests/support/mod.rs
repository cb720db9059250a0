//! A gateway on a free port, before partitions that do as a test says.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of it")]

pub mod whole;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coreto_engine::{Effect, Engine, SinkSpec};
use coreto_grpc::{Backend, Config, Error, Feed, Outlet, WatchError, Watcher, Wish};
use coreto_machine::{Caller, Machine, Timestamp};
use coreto_partition::Health;
use coreto_partition::{Address, Answer, Effects, Refused, Request};
use coreto_protocol::gateway::gateway_client::GatewayClient;
use coreto_record::reply::{JobsActivated, Reply};
use coreto_record::{ActivatedJob, Command, JobKey, Key, Rejection};
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

pub type Client = GatewayClient<Channel>;
type Respond = Box<dyn FnMut(&Command) -> Option<Answer<Engine>> + Send>;

/// Partitions whose answers a test decides. A thread plays the log thread: it alone calls the mailboxes.
pub struct Fake {
    respond: Mutex<Respond>,
    log: Mutex<Sender<Event>>,
    seen: Mutex<Seen>,
    next_sink: AtomicU64,
    partitions: u32,
}

#[derive(Default)]
pub struct Seen {
    pub requests: Vec<(u32, Command)>,
    pub operation_references: Vec<Option<u64>>,
    pub idempotency_keys: Vec<Option<String>>,
    pub sinks: Vec<(u64, SinkSpec, u32)>,
    pub closed: Vec<u64>,
    pub credit: Vec<(u64, u32)>,
    pub refuse: Option<Refused>,
    pub health: Option<Health>,
    pub watches: Vec<(Wish, Feed)>,
}

enum Event {
    Answer(Address<Engine>, Answer<Engine>),
    Push(Vec<Effect>),
    Hold,
    Release,
}

impl Fake {
    /// Answers by `respond`; `None` leaves the request without an answer.
    pub fn new(
        respond: impl FnMut(&Command) -> Option<Answer<Engine>> + Send + 'static,
    ) -> (Arc<Self>, Arc<Outlet>) {
        Self::with(1, 1, respond)
    }

    pub fn with(
        partitions: u32,
        threads: usize,
        respond: impl FnMut(&Command) -> Option<Answer<Engine>> + Send + 'static,
    ) -> (Arc<Self>, Arc<Outlet>) {
        let (log, events) = channel();
        let outlet = Outlet::new(threads);
        let to = Arc::clone(&outlet);
        std::thread::spawn(move || play(&events, &to));
        let fake = Self {
            respond: Mutex::new(Box::new(respond)),
            log: Mutex::new(log),
            seen: Mutex::default(),
            next_sink: AtomicU64::new(1),
            partitions,
        };
        (Arc::new(fake), outlet)
    }

    fn tell(&self, event: Event) {
        self.log.lock().unwrap().send(event).unwrap();
    }

    /// From now on nothing is durable.
    pub fn hold(&self) {
        self.tell(Event::Hold);
    }

    /// All that was held is durable.
    pub fn release(&self) {
        self.tell(Event::Release);
    }

    /// Pushes jobs to a sink, in one batch.
    pub fn push(&self, sink: u64, jobs: impl IntoIterator<Item = ActivatedJob>) {
        let effects = jobs.into_iter().map(|job| Effect::Push { sink, job: Box::new(job) });
        self.tell(Event::Push(effects.collect()));
    }

    pub fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap())
    }

    pub fn commands(&self) -> Vec<Command> {
        self.seen(|seen| seen.requests.iter().map(|(_, command)| command.clone()).collect())
    }

    /// Keys of the jobs that were given back.
    pub fn yielded(&self) -> Vec<u64> {
        let give = |command: &Command| match command {
            Command::YieldJob(give) => Some(give.job.raw()),
            _ => None,
        };
        self.commands().iter().filter_map(give).collect()
    }

    /// Waits, for a bounded time, until something was seen.
    pub async fn until(&self, what: &str, mut is: impl FnMut(&mut Seen) -> bool) {
        let begin = Instant::now();
        while !self.seen(&mut is) {
            assert!(begin.elapsed() < Duration::from_secs(10), "not seen within 10 s: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub async fn until_yielded(&self, count: usize) {
        self.until("yielded jobs", |seen| {
            seen.requests.iter().filter(|(_, command)| matches!(command, Command::YieldJob(_))).count()
                >= count
        })
        .await;
    }

    /// Waits until so many sinks were opened, and gives the last one's number.
    pub async fn until_sink(&self, count: usize) -> u64 {
        self.until("an open sink", |seen| seen.sinks.len() >= count).await;
        self.seen(|seen| seen.sinks.last().unwrap().0)
    }
}

fn play(events: &Receiver<Event>, outlet: &Outlet) {
    let mut held: Option<Vec<Event>> = None;
    for event in events {
        match (event, &mut held) {
            (Event::Hold, _) => held = Some(Vec::new()),
            (Event::Release, _) => held.take().into_iter().flatten().for_each(|event| perform(event, outlet)),
            (event, Some(held)) => held.push(event),
            (event, None) => perform(event, outlet),
        }
    }
}

fn perform(event: Event, outlet: &Outlet) {
    match event {
        Event::Answer(to, answer) => {
            to.mailbox.put(to.ticket, answer);
            to.mailbox.flush();
        }
        Event::Push(mut effects) => outlet.perform(&mut effects),
        Event::Hold | Event::Release => unreachable!("they are not held"),
    }
}

impl Backend for Fake {
    fn partitions(&self) -> u32 {
        self.partitions
    }

    fn health(&self, _: u32) -> Health {
        self.seen(|seen| seen.health.clone()).unwrap_or(Health::Healthy)
    }

    fn position(&self, _: u32) -> u64 {
        0
    }

    fn submit(&self, partition: u32, request: Request<Engine>) -> Result<(), Refused> {
        let mut seen = self.seen.lock().unwrap();
        if let (Some(refuse), true) = (&seen.refuse, request.answer.is_some()) {
            return Err(refuse.clone());
        }
        seen.requests.push((partition, request.command.clone()));
        seen.operation_references.push(request.operation_reference);
        seen.idempotency_keys.push(request.idempotency_key.map(|(_, key)| key.as_ref().to_owned()));
        drop(seen);
        let answer = (self.respond.lock().unwrap())(&request.command);
        if let (Some(answer), Some(to)) = (answer, request.answer) {
            self.tell(Event::Answer(to, answer));
        }
        Ok(())
    }

    fn query(
        &self,
        _: u32,
        _: Caller,
        _: <Engine as Machine>::Query,
        _: Address<Engine>,
    ) -> Result<(), Refused> {
        Err(Refused::Closed { reason: "no questions here".into() })
    }

    fn open_sink(&self, spec: SinkSpec, credit: u32) -> u64 {
        let sink = self.next_sink.fetch_add(1, Ordering::Relaxed);
        self.seen(|seen| seen.sinks.push((sink, spec, credit)));
        sink
    }

    fn add_credit(&self, sink: u64, count: u32) {
        self.seen(|seen| seen.credit.push((sink, count)));
    }

    fn close_sink(&self, sink: u64) {
        self.seen(|seen| seen.closed.push(sink));
    }
}

impl Watcher for Fake {
    fn watch(&self, wish: Wish, feed: Feed) -> Result<(), WatchError> {
        if wish.after == Some(999) {
            return Err(WatchError::Position { reason: "that is not in the log".to_owned() });
        }
        self.seen(|seen| seen.watches.push((wish, feed)));
        Ok(())
    }
}

/// A running gateway.
pub struct Server {
    pub address: std::net::SocketAddr,
    pub fake: Arc<Fake>,
    drain: Option<oneshot::Sender<()>>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Server {
    pub fn start((fake, outlet): (Arc<Fake>, Arc<Outlet>)) -> Self {
        Self::start_with(config(), (fake, outlet))
    }

    pub fn start_with(config: Config, (fake, outlet): (Arc<Fake>, Arc<Outlet>)) -> Self {
        let service = config.build(Arc::<Fake>::clone(&fake), outlet, Arc::<Fake>::clone(&fake)).unwrap();
        let address = service.local_addr();
        let (drain, drained) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            service.run(async {
                let _ = drained.await;
            })
        });
        Self { address, fake, drain: Some(drain), thread }
    }

    pub async fn client(&self) -> Client {
        GatewayClient::new(self.channel().await)
    }

    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub fn begin_drain(&mut self) {
        self.drain.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end of the drain, and says how long it took.
    pub async fn drained(self) -> Duration {
        let begin = Instant::now();
        self.ended().await.unwrap();
        begin.elapsed()
    }

    /// Waits for the end, and says how it was.
    pub async fn ended(self) -> Result<(), Error> {
        let begin = Instant::now();
        while !self.thread.is_finished() {
            assert!(begin.elapsed() < Duration::from_secs(30), "the server did not end");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.thread.join().unwrap()
    }
}

pub fn config() -> Config {
    Config { address: ([127, 0, 0, 1], 0).into(), ..Config::default() }
}

pub fn job(number: u64) -> ActivatedJob {
    ActivatedJob {
        key: JobKey::issue(1, number),
        job_type: "pack".into(),
        worker: "w".into(),
        retries: 3,
        deadline: Timestamp::from_millis(1000),
        ..ActivatedJob::default()
    }
}

pub fn jobs(numbers: impl IntoIterator<Item = u64>) -> Answer<Engine> {
    let jobs = numbers.into_iter().map(job).collect();
    Answer::Reply(Reply::JobsActivated(JobsActivated { jobs, truncated: false }))
}

#[expect(clippy::unnecessary_wraps, reason = "others give no answer")]
pub fn done(_: &Command) -> Option<Answer<Engine>> {
    Some(Answer::Reply(Reply::Done(())))
}

pub fn rejected(rejection: Rejection) -> impl FnMut(&Command) -> Option<Answer<Engine>> + Send {
    move |_| Some(Answer::Rejected(rejection.clone()))
}

/// A folder that is removed at the end.
pub struct Folder(pub std::path::PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("coreto-grpc-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
