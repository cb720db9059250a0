//! The threads that serve, and what is said when one ends unasked.

use std::any::Any;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

use anyhow::Context;
use tokio::sync::{mpsc, oneshot};

/// Is ready once a service shall drain.
pub(super) type Drained = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Threads that serve until they are told to drain.
pub(super) struct Doors {
    open: Vec<Door>,
    ended: mpsc::UnboundedReceiver<&'static str>,
    /// Never dropped before the receiver, which so has no end.
    farewell: mpsc::UnboundedSender<&'static str>,
}

struct Door {
    name: &'static str,
    drain: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// Says that a thread ends, however it does.
struct Farewell {
    name: &'static str,
    to: mpsc::UnboundedSender<&'static str>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        // Nobody listens any more once the doors are closed.
        let _ = self.to.send(self.name);
    }
}

impl Doors {
    pub(super) fn new() -> Self {
        let (farewell, ended) = mpsc::unbounded_channel();
        Self { open: Vec::new(), ended, farewell }
    }

    /// Runs a service on a thread of its own.
    pub(super) fn open<F>(&mut self, name: &'static str, serve: F) -> anyhow::Result<()>
    where
        F: FnOnce(Drained) -> anyhow::Result<()> + Send + 'static,
    {
        let (drain, drained) = oneshot::channel();
        let farewell = Farewell { name, to: self.farewell.clone() };
        let run = move || {
            let _farewell = farewell;
            serve(Box::pin(async move { drop(drained.await) }))
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .with_context(|| format!("cannot start the thread of `{name}`"))?;
        self.open.push(Door { name, drain, thread });
        Ok(())
    }

    /// Waits until a thread ends that nobody has asked to; gives its name.
    pub(super) async fn ended(&mut self) -> &'static str {
        self.ended.recv().await.expect("the doors hold a sender themselves")
    }

    /// Lets all drain and waits for that.
    ///
    /// # Errors
    /// Why the first of those does not serve that failed or ended before it was asked to.
    pub(super) fn close(self) -> anyhow::Result<()> {
        let mut failed = Ok(());
        for Door { name, drain, thread } in self.open {
            // One that has ended already does not hear it.
            let was_open = drain.send(()).is_ok();
            let ended = match thread.join() {
                Ok(Ok(())) if was_open => continue,
                Ok(Ok(())) => Err(anyhow::anyhow!("it ended without being asked to")),
                Ok(Err(error)) => Err(error),
                Err(panic) => Err(anyhow::anyhow!("it panicked: {}", said(&*panic))),
            };
            let ended = ended.with_context(|| format!("`{name}` does not serve any more"));
            if let (Err(error), true) = (&ended, failed.is_err()) {
                tracing::error!("{error:#}");
            } else {
                failed = ended;
            }
        }
        failed
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it did not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves until it is asked to drain.
    fn serve(drained: Drained) -> anyhow::Result<()> {
        tokio::runtime::Builder::new_current_thread().build()?.block_on(drained);
        Ok(())
    }

    fn doors(failing: impl FnOnce(Drained) -> anyhow::Result<()> + Send + 'static) -> Doors {
        let mut doors = Doors::new();
        doors.open("sound", serve).unwrap();
        doors.open("failing", failing).unwrap();
        doors
    }

    /// Which door is found to have ended, and what is said of it.
    fn told(failing: impl FnOnce(Drained) -> anyhow::Result<()> + Send + 'static) -> (&'static str, String) {
        let mut doors = doors(failing);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ended = runtime.block_on(doors.ended());
        (ended, format!("{:#}", doors.close().unwrap_err()))
    }

    #[test]
    fn tells_of_those_that_end_unasked() {
        let says = |why| ("failing", format!("`failing` does not serve any more: {why}"));
        assert_eq!(told(|_| panic!("no more {}", "files")), says("it panicked: no more files"));
        assert_eq!(told(|_| panic!("no more files")), says("it panicked: no more files"));
        assert_eq!(told(|_| anyhow::bail!("no runtime")), says("no runtime"));
        assert_eq!(told(|_| Ok(())), says("it ended without being asked to"));
    }

    #[test]
    fn those_that_end_when_asked_are_sound() {
        doors(serve).close().unwrap();
    }
}
