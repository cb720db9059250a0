//! Lines over a Unix socket, each with a socket that listens or without.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

/// A conversation. Neither side sends a second line without a socket before the other has answered, and a line with
/// one is never read together with the next (unix(7)): what is read at once is one line.
pub(super) struct Wire(UnixStream);

/// No line is longer.
const LINE_BYTES_MAX: usize = 256;

impl Wire {
    pub(super) fn new(stream: UnixStream, patience: Duration) -> io::Result<Self> {
        stream.set_write_timeout(Some(patience))?;
        let wire = Self(stream);
        wire.wait_for(patience)?;
        Ok(wire)
    }

    /// How long the next lines may take.
    pub(super) fn wait_for(&self, patience: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(patience))
    }

    pub(super) fn put(&self, line: &str, socket: Option<&TcpListener>) -> io::Result<()> {
        let line = format!("{line}\n");
        let fds: Vec<_> = socket.iter().map(|socket| socket.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !along.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("there is no room for a socket"));
        }
        let sent = sendmsg(&self.0, &[IoSlice::new(line.as_bytes())], &mut along, SendFlags::NOSIGNAL)?;
        if sent < line.len() { Err(io::ErrorKind::WriteZero.into()) } else { Ok(()) }
    }

    /// The next line, and the socket that came with it.
    pub(super) fn take(&self) -> io::Result<(String, Option<TcpListener>)> {
        let mut bytes = [0; LINE_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let read =
            recvmsg(&self.0, &mut [IoSliceMut::new(&mut bytes)], &mut along, RecvFlags::CMSG_CLOEXEC)?.bytes;
        let mut fds = along.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let socket: Option<OwnedFd> = fds.by_ref().flatten().next();
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side has broken off"));
        }
        let line = std::str::from_utf8(&bytes[..read]).ok().and_then(|line| line.strip_suffix('\n'));
        let line = line.ok_or_else(|| unexpected(&String::from_utf8_lossy(&bytes[..read])))?;
        Ok((line.to_owned(), socket.map(TcpListener::from)))
    }

    /// Takes a line that can only be this one.
    pub(super) fn expect(&self, line: &str) -> io::Result<()> {
        let (found, _) = self.take()?;
        if found == line { Ok(()) } else { Err(unexpected(&found)) }
    }
}

pub(super) fn unexpected(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("`{}` was not expected", line.escape_debug()))
}
