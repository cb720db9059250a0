//! A gateway before a partition that only numbers things and syncs: what the gateway itself costs.
//!
//! `cargo run --release -p coreto-grpc --example bare -- 127.0.0.1:26500 FILE` serves one-task instances to
//! any load generator, with one 4 KiB block and fdatasync per batch into FILE. It holds every instance as one
//! job, which goes to the streams of its type in turn.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example for measuring")]

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use coreto_engine::{Effect, Engine, SinkKind, SinkSpec};
use coreto_grpc::{Backend, Config, Feed, Outlet, WatchError, Watcher, Wish};
use coreto_machine::{Caller, Machine, Tenant};
use coreto_partition::{Address, Answer, Effects, Health, Refused, Request};
use coreto_record::reply::{Deployed, InstanceCreated, JobsActivated, Reply};
use coreto_record::{
    ActivatedJob, Command, DeploymentKey, JobKey, Key, ProcessDefinitionKey, ProcessInstanceKey,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Default)]
struct Bare {
    queue: Mutex<Vec<Request<Engine>>>,
    filled: Condvar,
    streams: Mutex<HashMap<Arc<str>, Vec<u64>>>,
    next_sink: AtomicU64,
}

impl Bare {
    fn work(&self, file: &File, outlet: &Outlet) {
        let (mut batch, mut effects, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        let mut counter = 10;
        let mut block = vec![0; BLOCK];
        for number in 0_u64.. {
            let mut queue = self.queue.lock().unwrap();
            while queue.is_empty() {
                queue = self.filled.wait(queue).unwrap();
            }
            std::mem::swap(&mut *queue, &mut batch);
            drop(queue);
            for request in batch.drain(..) {
                let reply = self.handle(request.command, &mut counter, &mut effects);
                answers.extend(request.answer.map(|to| (to, reply)));
            }
            block[..8].copy_from_slice(&number.to_le_bytes());
            file.write_all_at(&block, number % BLOCKS * BLOCK as u64).unwrap();
            file.sync_data().unwrap();
            let mailbox = answers.first().map(|(to, _): &(Address<Engine>, Reply)| Arc::clone(&to.mailbox));
            for (to, reply) in answers.drain(..) {
                to.mailbox.put(to.ticket, Answer::Reply(reply));
            }
            if !effects.is_empty() {
                outlet.perform(&mut effects);
            }
            if let Some(mailbox) = mailbox {
                mailbox.flush();
            }
        }
    }

    fn handle(&self, command: Command, counter: &mut u64, effects: &mut Vec<Effect>) -> Reply {
        *counter += 2;
        let definition = ProcessDefinitionKey::issue(1, 2);
        match command {
            Command::Deploy(_) => {
                let key = DeploymentKey::issue(1, 1);
                Reply::Deployed(Deployed { key, tenant: Tenant::DEFAULT, ..Deployed::default() })
            }
            Command::CreateInstance(create) => {
                let instance = ProcessInstanceKey::issue(1, *counter);
                let mut streams = self.streams.lock().unwrap();
                if let Some(sinks) = streams.get_mut(&create.process)
                    && !sinks.is_empty()
                {
                    sinks.rotate_left(1);
                    let job = Box::new(ActivatedJob {
                        key: JobKey::issue(1, *counter + 1),
                        job_type: create.process.clone(),
                        instance,
                        process: create.process.clone(),
                        version: 1,
                        definition,
                        element: "task".into(),
                        worker: "worker".into(),
                        retries: 3,
                        variables: create.variables,
                        ..ActivatedJob::default()
                    });
                    effects.push(Effect::Push { sink: sinks[0], job });
                }
                Reply::InstanceCreated(InstanceCreated {
                    key: instance,
                    definition,
                    process: create.process,
                    version: 1,
                    tenant: Tenant::DEFAULT,
                })
            }
            Command::ActivateJobs(_) => Reply::JobsActivated(JobsActivated::default()),
            _ => Reply::Done(()),
        }
    }
}

impl Backend for Bare {
    fn partitions(&self) -> u32 {
        1
    }
    fn health(&self, _: u32) -> Health {
        Health::Healthy
    }
    fn position(&self, _: u32) -> u64 {
        0
    }
    fn submit(&self, _: u32, request: Request<Engine>) -> Result<(), Refused> {
        let mut queue = self.queue.lock().unwrap();
        queue.push(request);
        if queue.len() == 1 {
            self.filled.notify_one();
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
        Err(Refused::Closed { reason: "nothing is kept here".into() })
    }
    fn open_sink(&self, spec: SinkSpec, _: u32) -> u64 {
        let sink = self.next_sink.fetch_add(1, Ordering::Relaxed);
        if matches!(spec.kind, SinkKind::Stream) {
            self.streams.lock().unwrap().entry(spec.job_type).or_default().push(sink);
        }
        sink
    }
    fn add_credit(&self, _: u64, _: u32) {}
    fn close_sink(&self, sink: u64) {
        self.streams.lock().unwrap().values_mut().for_each(|sinks| sinks.retain(|open| *open != sink));
    }
}

impl Watcher for Bare {
    fn watch(&self, _: Wish, _: Feed) -> Result<(), WatchError> {
        Err(WatchError::Log { reason: "there is none".to_owned() })
    }
}

const BLOCK: usize = 4096;
const BLOCKS: u64 = 4096;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().expect("an address").parse().expect("an address");
    let path = arguments.next().expect("a file");
    let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path).unwrap();
    // Zeros are really written: extents that are only reserved would make each sync slow.
    for block in 0..BLOCKS {
        file.write_all_at(&[0; BLOCK], block * BLOCK as u64).unwrap();
    }
    file.sync_all().unwrap();
    let bare = Arc::new(Bare::default());
    let outlet = Outlet::new(1);
    let config = Config { address, ..Config::default() };
    let service =
        config.build(Arc::<Bare>::clone(&bare), Arc::clone(&outlet), Arc::<Bare>::clone(&bare)).unwrap();
    println!("serving on {}, pid {}", service.local_addr(), std::process::id());
    std::thread::Builder::new().name("log".into()).spawn(move || bare.work(&file, &outlet)).unwrap();
    service.run(std::future::pending()).unwrap();
}
