//! Group commit: what arrives while one batch is being synced makes up the next.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::{Notify, mpsc, oneshot};

const BLOCK: [u8; 4096] = [0; 4096];
/// So many are worth a sync of their own, which then runs while the rest is read. With one batch for all, disk and
/// processor would take turns.
const ENOUGH: usize = 16;

type Waiting = Vec<oneshot::Sender<()>>;

/// Makes commands durable, many at a time.
pub(super) struct Committer {
    gathering: Arc<Gathering>,
}

#[derive(Default)]
struct Gathering {
    batch: Mutex<Batch>,
    begun: Notify,
    closed: Condvar,
}

#[derive(Default)]
struct Batch {
    waiting: Waiting,
    closed: bool,
}

impl Gathering {
    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, done: oneshot::Sender<()>) {
        let mut batch = self.batch();
        batch.waiting.push(done);
        match batch.waiting.len() {
            1 => self.begun.notify_one(),
            ENOUGH => {
                batch.closed = true;
                self.closed.notify_one();
            }
            _ => (),
        }
    }

    fn take(&self) -> Waiting {
        let open = |batch: &mut Batch| !batch.closed;
        let mut batch = self.closed.wait_while(self.batch(), open).unwrap_or_else(PoisonError::into_inner);
        batch.closed = false;
        std::mem::take(&mut batch.waiting)
    }
}

impl Committer {
    /// Starts the thread that writes, and the tasks that gather and answer.
    pub(super) fn start(file: File, size: usize) -> Self {
        let gathering = Arc::new(Gathering::default());
        let (durable, batches) = mpsc::unbounded_channel();
        let own = gathering.clone();
        thread::spawn(move || write(&own, &file, size, &durable));
        tokio::spawn(gather(gathering.clone()));
        tokio::spawn(answer(batches));
        Self { gathering }
    }

    /// Waits until the batch that this call falls into is on the disk.
    pub(super) async fn durable(&self) -> Result<(), tonic::Status> {
        let (done, waiting) = oneshot::channel();
        self.gathering.add(done);
        waiting.await.map_err(|_| tonic::Status::internal("the file cannot be written"))
    }
}

/// Closes a batch after all calls that were read together: this task was woken by the first of them, so it runs
/// after the others. A thread that took the first one alone would sync far more often.
async fn gather(gathering: Arc<Gathering>) {
    loop {
        gathering.begun.notified().await;
        gathering.batch().closed = true;
        gathering.closed.notify_one();
    }
}

/// Ends when nothing can be written any more; whoever waits then learns it by the end of the channels.
fn write(gathering: &Gathering, file: &File, size: usize, durable: &mpsc::UnboundedSender<Waiting>) {
    let blocks = (size / BLOCK.len()) as u64;
    for number in 0u64.. {
        let batch = gathering.take();
        let at = number % blocks * BLOCK.len() as u64;
        if file.write_all_at(&BLOCK, at).and_then(|()| file.sync_data()).is_err()
            || durable.send(batch).is_err()
        {
            return;
        }
    }
}

/// Wakes those who wait from inside the runtime: one signal across threads for a whole batch.
async fn answer(mut batches: mpsc::UnboundedReceiver<Waiting>) {
    while let Some(batch) = batches.recv().await {
        for done in batch {
            // Its call may have been cancelled.
            let _ = done.send(());
        }
    }
}
