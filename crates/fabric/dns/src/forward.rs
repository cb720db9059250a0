//! Names of others, asked of others: those that Consul calls recursors.
//!
//! Each question goes to the servers in their order, until one of them has an answer: over UDP from a port of its own that
//! the system picks at random, under a random number, and over TCP when the answer does not fit. What comes back counts
//! only from whom was asked, under that number, about that question (RFC 5452). Nothing of it is kept.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::question::{Asked, HEADER, OPT, Question, answered};
use crate::record::word;
use crate::reply::{CHECKING_DISABLED, RECURSION_AVAILABLE, RECURSION_DESIRED, TRUNCATED, Way, cut, failed};

/// Bytes of an answer that we ask for over UDP: what crosses all usual networks in one piece.
const UDP_BYTES_ASKED: usize = 1232;

/// Bytes of an answer over UDP that are read: servers may send more than they were asked for. One of this length is not
/// whole, perhaps.
const UDP_BYTES_READ: usize = 4096;

/// Answers that are those of the question; any other number says that this server does not know, and another may.
const NO_ERROR: u8 = 0;
const NO_NAME: u8 = 3;

/// Those who are asked, and how.
pub(crate) struct Forwarder {
    upstreams: Vec<SocketAddr>,
    wait_max: Duration,
    places: Arc<Semaphore>,
}

/// Room for one question.
pub(crate) type Place = OwnedSemaphorePermit;

/// A question that is being asked.
struct Query<'a> {
    question: &'a Question,
    id: u16,
    packet: Vec<u8>,
}

impl Forwarder {
    pub(crate) fn new(upstreams: Vec<SocketAddr>, wait_max: Duration, forwards_max: usize) -> Self {
        Self { upstreams, wait_max, places: Arc::new(Semaphore::new(forwards_max)) }
    }

    /// A place for one question more; nothing when there are as many as may be.
    pub(crate) fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// What the first of the servers says that knows; that it failed, if none does, or there was no place.
    pub(crate) async fn ask(
        &self,
        asked: &Asked,
        question: &Question,
        way: Way,
        place: Option<Place>,
    ) -> Vec<u8> {
        let mut reply = match place {
            Some(_place) => self.ask_all(asked, question, way.bytes_max(asked)).await,
            None => failed(asked, question),
        };
        reply[3] |= RECURSION_AVAILABLE;
        reply
    }

    async fn ask_all(&self, asked: &Asked, question: &Question, bytes_max: usize) -> Vec<u8> {
        for upstream in &self.upstreams {
            let Some(query) = Query::new(asked, question) else { break };
            let found = tokio::time::timeout(self.wait_max, query.ask(*upstream, bytes_max)).await;
            let Ok(Ok(reply)) = found else {
                tracing::debug!(%upstream, "a DNS server gave no answer");
                continue;
            };
            if matches!(reply[3] & 0xf, NO_ERROR | NO_NAME) {
                return query.fit(reply, asked, bytes_max);
            }
        }
        failed(asked, question)
    }
}

impl<'a> Query<'a> {
    /// The question under a number that nobody can guess; nothing when the system has none.
    fn new(asked: &Asked, question: &'a Question) -> Option<Self> {
        let mut id = [0; 2];
        (getrandom(&mut id, GetRandomFlags::empty()).ok()? == id.len()).then_some(())?;
        let extended = asked.extended;
        let mut packet = id.to_vec();
        packet.push(RECURSION_DESIRED);
        packet.push(if asked.checking_disabled { CHECKING_DISABLED } else { 0 });
        packet.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(extended.is_some())]);
        packet.extend_from_slice(&question.bytes);
        // Who says nothing of what it takes has to get an answer without it, too.
        if let Some(extended) = extended {
            packet.push(0);
            word(&mut packet, OPT);
            word(&mut packet, u16::try_from(UDP_BYTES_ASKED).unwrap_or(u16::MAX));
            packet.extend_from_slice(&[0, 0, if extended.signatures { 0x80 } else { 0 }, 0, 0, 0]);
        }
        Some(Self { question, id: u16::from_be_bytes(id), packet })
    }

    /// Asks a server. Has no end of its own.
    async fn ask(&self, upstream: SocketAddr, bytes_max: usize) -> std::io::Result<Vec<u8>> {
        let reply = self.ask_udp(upstream).await?;
        // Who takes no more over UDP than we asked for has to come by TCP itself.
        let is_enough = reply[2] & TRUNCATED == 0 || bytes_max <= UDP_BYTES_ASKED;
        if is_enough { Ok(reply) } else { self.ask_tcp(upstream).await }
    }

    async fn ask_udp(&self, upstream: SocketAddr) -> std::io::Result<Vec<u8>> {
        let any: SocketAddr = match upstream {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        // From here on the system drops what comes from elsewhere.
        socket.connect(upstream).await?;
        socket.send(&self.packet).await?;
        let mut reply = vec![0; UDP_BYTES_READ];
        // Bound: the time for this server.
        loop {
            let length = socket.recv(&mut reply).await?;
            if self.is_answered(&reply[..length]) {
                if length == UDP_BYTES_READ {
                    reply[2] |= TRUNCATED;
                }
                reply.truncate(length);
                return Ok(reply);
            }
            tracing::debug!(%upstream, "what came is no answer to what was asked");
        }
    }

    async fn ask_tcp(&self, upstream: SocketAddr) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(upstream).await?;
        let head = u16::try_from(self.packet.len()).unwrap_or(u16::MAX).to_be_bytes();
        stream.write_all(&[&head[..], &self.packet].concat()).await?;
        let length = stream.read_u16().await?;
        let mut reply = vec![0; usize::from(length)];
        stream.read_exact(&mut reply).await?;
        if self.is_answered(&reply) { Ok(reply) } else { Err(std::io::ErrorKind::InvalidData.into()) }
    }

    fn is_answered(&self, reply: &[u8]) -> bool {
        reply.starts_with(&self.id.to_be_bytes())
            && answered(reply).is_some_and(|found| found.key() == self.question.key())
    }

    /// The answer as the client takes it: under its number, with its letters, and no longer than it says.
    fn fit(&self, mut reply: Vec<u8>, asked: &Asked, bytes_max: usize) -> Vec<u8> {
        if reply.len() > bytes_max {
            return cut(asked, self.question);
        }
        reply[..2].copy_from_slice(&asked.id.to_be_bytes());
        let question = &self.question.bytes;
        reply[HEADER..HEADER + question.len()].copy_from_slice(question);
        reply
    }
}
