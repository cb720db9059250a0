//! Connections with their sockets.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::error::Error;
use super::http2::{Connection, Sink};

const CONNECT_MAX: Duration = Duration::from_secs(10);
const READ_SIZE: usize = 256 << 10;

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: String,
    authority: String,
    headers: Vec<(String, String)>,
}

/// A connection and its socket.
pub(crate) struct Link<C> {
    pub(crate) connection: Connection<C>,
    socket: TcpStream,
    address: String,
    input: Vec<u8>,
    filled: usize,
    written: usize,
    /// The socket took less than it was given.
    stuck: bool,
}

impl Target {
    pub(crate) fn new(address: &str, headers: &[(String, String)]) -> Result<Self, Error> {
        let wrong = |why| Error::Address { address: address.to_owned(), why };
        if address.starts_with("https:") {
            return Err(wrong("not implemented: TLS; measure plain text"));
        }
        let authority = address.strip_prefix("http://").unwrap_or(address).trim_end_matches('/');
        if !authority.contains(':') || authority.contains('/') {
            return Err(wrong("write it like `http://127.0.0.1:26500`"));
        }
        Ok(Self { address: address.to_owned(), authority: authority.to_owned(), headers: headers.to_vec() })
    }

    pub(crate) fn connect<C>(&self) -> Result<Link<C>, Error> {
        let failed = |source| Error::Connect { address: self.address.clone(), source };
        let socket = self.socket().map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Link {
            connection: Connection::new(&self.authority, &self.headers),
            socket,
            address: self.address.clone(),
            input: vec![0; READ_SIZE],
            filled: 0,
            written: 0,
            stuck: false,
        })
    }

    fn socket(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::other("the name has no address");
        for address in self.authority.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_MAX) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl<C> Link<C> {
    /// Reads what has arrived, and handles it.
    pub(crate) fn receive(&mut self, sink: &mut impl Sink<C>) -> Result<(), Error> {
        if self.filled == self.input.len() {
            self.input.resize(self.filled * 2, 0);
        }
        match self.socket.read(&mut self.input[self.filled..]) {
            Ok(0) => {
                let source = io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it");
                return Err(self.lost(source));
            }
            Ok(more) => self.filled += more,
            Err(error) if passes(&error) => return Ok(()),
            Err(error) => return Err(self.lost(error)),
        }
        let read = self
            .connection
            .receive(&self.input[..self.filled], sink)
            .map_err(|source| Error::Broken { address: self.address.clone(), source })?;
        self.input.copy_within(read..self.filled, 0);
        self.filled -= read;
        Ok(())
    }

    /// Writes what is to be sent, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.stuck = false;
        while self.written < self.connection.output.len() {
            match self.socket.write(&self.connection.output[self.written..]) {
                Ok(some) => self.written += some,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stuck = true;
                    return Ok(());
                }
                Err(error) if passes(&error) => (),
                Err(error) => return Err(self.lost(error)),
            }
        }
        self.connection.output.clear();
        self.written = 0;
        Ok(())
    }

    fn lost(&self, source: io::Error) -> Error {
        Error::Lost { address: self.address.clone(), source }
    }
}

impl<C> AsFd for Link<C> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Waits until something can be read or written, at most as long as `wait`; tells which links are ready.
pub(crate) fn wait<C>(links: &[Link<C>], wait: Duration, ready: &mut Vec<bool>) -> Result<(), Error> {
    let interest = |link: &Link<C>| {
        if link.stuck { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN }
    };
    let mut fds: Vec<_> = links.iter().map(|link| PollFd::new(link, interest(link))).collect();
    let timeout = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
    ready.clear();
    match rustix::event::poll(&mut fds, Some(&timeout)) {
        Ok(_) => {
            ready.extend(fds.iter().map(|fd| !fd.revents().is_empty()));
            Ok(())
        }
        Err(rustix::io::Errno::INTR) => {
            ready.resize(links.len(), false);
            Ok(())
        }
        Err(error) => Err(Error::Wait { source: error.into() }),
    }
}

fn passes(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
