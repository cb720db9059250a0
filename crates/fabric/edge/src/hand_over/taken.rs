//! The side of the successor.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use coreto_proxy::plane::Inherited;

use super::wire::{Wire, unexpected};
use super::{END, ENDING, Error, GREETING, LISTENER, MANAGEMENT, PATIENCE, READY};

/// The sockets of a gateway that runs, and goes on until it is told that this one serves.
pub(crate) struct Taken {
    path: PathBuf,
    wire: Wire,
    pub(crate) listeners: Vec<Inherited>,
    pub(crate) management: Option<Inherited>,
}

/// No gateway has more listeners.
const SOCKETS_MAX: usize = 4096;

impl Taken {
    /// Asks the gateway that runs for its sockets; none when nobody listens at the path, which may be taken then.
    pub(crate) fn ask(path: &Path) -> Result<Option<Self>, Error> {
        // Connecting to another kind of file is refused, too, and what this gateway puts there would replace it.
        if std::fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(Error::Occupied { path: path.to_owned() });
        }
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            Err(error) if is_nobody(&error) => return Ok(None),
            Err(source) => return Err(Error::Connect { path: path.to_owned(), source }),
        };
        let broken = |source| Error::Broken { path: path.to_owned(), source };
        let wire = Wire::new(stream, PATIENCE).map_err(broken)?;
        wire.put(GREETING, None).map_err(broken)?;
        let mut taken = Self { path: path.to_owned(), wire, listeners: Vec::new(), management: None };
        taken.collect().map_err(broken)?;
        Ok(Some(taken))
    }

    fn collect(&mut self) -> io::Result<()> {
        for _ in 0..SOCKETS_MAX {
            let (line, socket) = self.wire.take()?;
            if line == END {
                return Ok(());
            }
            let read = line.split_once(' ').and_then(|(what, asked)| {
                Some((what, Inherited { asked: asked.parse::<SocketAddr>().ok()?, socket: socket? }))
            });
            match read {
                Some((LISTENER, one)) => self.listeners.push(one),
                Some((MANAGEMENT, one)) => self.management = Some(one),
                _ => return Err(unexpected(&line)),
            }
        }
        Err(io::Error::other(format!("more than {SOCKETS_MAX} sockets were sent")))
    }

    /// Tells the gateway that ran that this one serves, and waits until it has heard it.
    pub(crate) fn ready(self) -> Result<(), Error> {
        let heard = self.wire.put(READY, None).and_then(|()| self.wire.expect(ENDING));
        match heard {
            Ok(()) => Ok(()),
            // One that broke off is gone, unless it still listens.
            Err(_) if UnixStream::connect(&self.path).is_err() => Ok(()),
            Err(_) => Err(Error::Late { path: self.path }),
        }
    }
}

fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
