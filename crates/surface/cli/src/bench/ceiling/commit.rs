//! Group commit: what arrives while one batch is being synced makes up the next.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use tokio::sync::{mpsc, oneshot};

const BLOCK: [u8; 4096] = [0; 4096];

/// Makes commands durable, many at a time.
pub(super) struct Committer {
    gathering: Arc<Gathering>,
}

#[derive(Default)]
struct Gathering {
    batch: Mutex<Vec<oneshot::Sender<()>>>,
    begun: Condvar,
}

impl Gathering {
    fn add(&self, done: oneshot::Sender<()>) {
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        batch.push(done);
        if batch.len() == 1 {
            self.begun.notify_one();
        }
    }
}

impl Committer {
    /// Starts the thread that writes and the task that answers.
    pub(super) fn start(file: File, size: usize) -> Self {
        let gathering = Arc::new(Gathering::default());
        let (durable, batches) = mpsc::unbounded_channel();
        let own = gathering.clone();
        thread::spawn(move || write(&own, &file, size, &durable));
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

/// Ends when nothing can be written any more; whoever waits then learns it by the end of the channels.
fn write(
    gathering: &Gathering,
    file: &File,
    size: usize,
    durable: &mpsc::UnboundedSender<Vec<oneshot::Sender<()>>>,
) {
    let blocks = (size / BLOCK.len()) as u64;
    for number in 0u64.. {
        let batch = gathering.batch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = gathering
            .begun
            .wait_while(batch, |batch| batch.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let batch = std::mem::take(&mut *batch);
        let at = number % blocks * BLOCK.len() as u64;
        if file.write_all_at(&BLOCK, at).and_then(|()| file.sync_data()).is_err()
            || durable.send(batch).is_err()
        {
            return;
        }
    }
}

/// Wakes those who wait from inside the runtime: one signal across threads for a whole batch.
async fn answer(mut batches: mpsc::UnboundedReceiver<Vec<oneshot::Sender<()>>>) {
    while let Some(batch) = batches.recv().await {
        for done in batch {
            // Its call may have been cancelled.
            let _ = done.send(());
        }
    }
}
