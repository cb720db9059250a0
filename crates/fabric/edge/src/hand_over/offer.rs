//! The side of the gateway that runs.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coreto_proxy::plane::Inherited;

use super::wire::Wire;
use super::{END, ENDING, Error, GREETING, LISTENER, MANAGEMENT, PATIENCE, READY, READY_WITHIN};
use crate::gateway::Shared;

/// A Unix socket at which successors are listened for.
pub(crate) struct Offer {
    listener: UnixListener,
    management: Inherited,
}

/// How long to wait when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The socket's file is for its owner alone.
const OWNER_ONLY: u32 = 0o600;

impl Offer {
    /// Listens at a path, in the place of whoever did before.
    pub(crate) fn bind(path: &Path, management: Inherited) -> Result<Self, Error> {
        let bind = || {
            // Renamed when it listens: there is always somebody at the path, the one before or this one.
            let mut new = path.as_os_str().to_owned();
            new.push(format!(".{}", std::process::id()));
            let listener = UnixListener::bind(&new)?;
            let placed = fs::set_permissions(&new, Permissions::from_mode(OWNER_ONLY))
                .and_then(|()| fs::rename(&new, path))
                .and_then(|()| listener.set_nonblocking(true));
            if placed.is_err() {
                let _ = fs::remove_file(&new);
            }
            placed.map(|()| listener)
        };
        let listener = bind().map_err(|source| Error::Offer { path: path.to_owned(), source })?;
        Ok(Self { listener, management })
    }

    /// Listens on a thread of its own, until the gateway is drained.
    pub(crate) fn start(self, shared: Arc<Shared>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || {
            if let Err(error) = runtime.block_on(self.serve(&shared)) {
                tracing::error!(%error, "no gateway can take over from this one");
            }
        };
        std::thread::Builder::new().name("hand-over".to_owned()).spawn(serve).map(drop)
    }

    async fn serve(self, shared: &Shared) -> io::Result<()> {
        let listener = tokio::net::UnixListener::from_std(self.listener)?;
        let drained = shared.plane().until_drained();
        tokio::pin!(drained);
        // Bound: until the gateway is drained.
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => hand_over(stream, shared, &self.management),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                () = &mut drained => return Ok(()),
            }
        }
    }
}

/// Hands over to one successor. It has the thread to itself: there are no two at a time.
fn hand_over(stream: tokio::net::UnixStream, shared: &Shared, management: &Inherited) {
    let blocking = stream.into_std().and_then(|stream| stream.set_nonblocking(false).map(|()| stream));
    match blocking.and_then(|stream| talk(stream, shared, management)) {
        Ok(()) => tracing::info!(
            "another gateway has taken over; requests under way are answered, and this one ends"
        ),
        Err(error) => {
            tracing::warn!(%error, "a gateway that was to take over has not got ready; this one goes on");
        }
    }
}

fn talk(stream: UnixStream, shared: &Shared, management: &Inherited) -> io::Result<()> {
    let wire = Wire::new(stream, PATIENCE)?;
    wire.expect(GREETING)?;
    for one in shared.plane().sockets()? {
        wire.put(&format!("{LISTENER} {}", one.asked), Some(&one.socket))?;
    }
    wire.put(&format!("{MANAGEMENT} {}", management.asked), Some(&management.socket))?;
    wire.put(END, None)?;
    wire.wait_for(READY_WITHIN)?;
    wire.expect(READY)?;
    shared.leave();
    wire.put(ENDING, None)
}
