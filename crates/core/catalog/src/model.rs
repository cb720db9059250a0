//! What services, checks, keys and sessions are, as clients give them.

use std::sync::Arc;

use coreto_machine::{message, numbered};

numbered! {
    /// How a check is. What is worse is smaller.
    pub enum Status {
        /// It must not be used.
        Critical = 0,
        /// It may be used, if there is nothing better.
        Warning = 1,
        /// It is well.
        Passing = 2,
    }
}

impl Status {
    /// The word that the protocol has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Passing => "passing",
        }
    }

    /// The status with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Critical, Self::Warning, Self::Passing].into_iter().find(|status| status.name() == name)
    }
}

numbered! {
    /// Who finds out how a check is.
    pub enum CheckKind {
        /// Whoever tells, at any time.
        Told = 0,
        /// Whoever tells, again before a time is over.
        Ttl = 1,
        /// A request over HTTP.
        Http = 2,
        /// A connection.
        Tcp = 3,
        /// The health protocol of gRPC.
        Grpc = 4,
        /// A stream of the instance that stays open.
        Stream = 5,
        /// Somebody has taken the instance out of use by hand.
        Maintenance = 6,
        /// The program, about itself.
        Node = 7,
    }
}

impl CheckKind {
    /// Whether the program registers such checks for itself: others neither change nor remove them.
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Node | Self::Stream)
    }

    /// Whether how such a check is, is for others to tell.
    pub const fn is_told(self) -> bool {
        matches!(self, Self::Told | Self::Ttl)
    }
}

message! {
    /// A name with a text.
    pub struct Pair {
        /// The name.
        1 => pub name: Arc<str>,
        /// The text.
        2 => pub value: Arc<str>,
    }
}

message! {
    /// An address under another name, such as one for other networks.
    pub struct TaggedAddress {
        /// The name.
        1 => pub name: Arc<str>,
        /// The address: of IP, or a host name.
        2 => pub address: Arc<str>,
        /// The port; 0 for none.
        3 => pub port: u16,
    }
}

message! {
    /// A machine on which instances run.
    pub struct Node {
        /// Its identifier, a UUID; empty when nobody gave one.
        1 => pub id: Arc<str>,
        /// Where it is reached: an address of IP, or a host name.
        2 => pub address: Arc<str>,
        /// Further addresses.
        3 => pub tagged: Vec<TaggedAddress>,
        /// What else is told of it, by name.
        4 => pub meta: Vec<Pair>,
    }
}

message! {
    /// What share of the traffic an instance gets, by its status.
    pub struct Weights {
        /// While all its checks pass.
        1 => pub passing: u32,
        /// While one of them warns.
        2 => pub warning: u32,
    }
}

message! {
    /// A copy of a service that can be reached.
    pub struct Instance {
        /// Its identifier, unique on its node.
        1 => pub id: Arc<str>,
        /// The service.
        2 => pub service: Arc<str>,
        /// Where it is reached; its node's address when this is empty.
        3 => pub address: Arc<str>,
        /// The port; 0 for none.
        4 => pub port: u16,
        /// Words by which instances are told apart.
        5 => pub tags: Vec<Arc<str>>,
        /// What else is told of it, by name.
        6 => pub meta: Vec<Pair>,
        /// Its share of the traffic.
        7 => pub weights: Weights,
        /// Further addresses.
        8 => pub tagged: Vec<TaggedAddress>,
        /// Where it runs, so that what is near can be preferred; empty for nowhere in particular.
        9 => pub zone: Arc<str>,
        /// Others than its owner may change its tags.
        10 => pub enable_tag_override: bool,
    }
}

message! {
    /// How a check finds out.
    pub struct Definition {
        /// Who finds out.
        1 => pub kind: CheckKind,
        /// The address or URL that is asked.
        2 => pub target: Arc<str>,
        /// The method of a request; GET when it is empty.
        3 => pub method: Arc<str>,
        /// Fields of a request.
        4 => pub headers: Vec<Pair>,
        /// The body of a request.
        5 => pub body: Arc<str>,
        /// It asks over TLS.
        6 => pub tls: bool,
        /// It does not care whose certificate it sees.
        7 => pub tls_skip_verify: bool,
        /// The name that the certificate must have; that of the target when it is empty.
        8 => pub tls_server_name: Arc<str>,
        /// Milliseconds between questions.
        9 => pub interval_ms: u64,
        /// Milliseconds that an answer may take.
        10 => pub timeout_ms: u64,
        /// Milliseconds for which what was told counts.
        11 => pub ttl_ms: u64,
        /// Answers in a row after which it passes again; 0 is as 1.
        12 => pub success_before_passing: u32,
        /// Failures in a row after which it is critical; 0 is as 1.
        13 => pub failures_before_critical: u32,
        /// Milliseconds of being critical after which its instance is deregistered; 0 for never.
        14 => pub deregister_after_ms: u64,
    }
}

message! {
    /// Something that tells whether an instance or a node can be used.
    pub struct Check {
        /// Its identifier, unique on its node.
        1 => pub id: Arc<str>,
        /// A name for people.
        2 => pub name: Arc<str>,
        /// A text for people.
        3 => pub notes: Arc<str>,
        /// The instance that it is about; its node when this is empty.
        4 => pub instance: Arc<str>,
        /// How it is.
        5 => pub status: Status,
        /// Why, for people.
        6 => pub output: Arc<str>,
        /// How it finds out.
        7 => pub definition: Definition,
    }
}

numbered! {
    /// What becomes of the keys that a session holds when it ends.
    pub enum Behavior {
        /// They stay, and nobody holds them.
        Release = 0,
        /// They go.
        Delete = 1,
    }
}

message! {
    /// Who may hold keys, for as long as its checks are not critical.
    pub struct Session {
        /// A name for people.
        1 => pub name: Arc<str>,
        /// The node that it lives on.
        2 => pub node: Arc<str>,
        /// Checks of that node which end it when they become critical.
        3 => pub checks: Vec<Arc<str>>,
        /// What becomes of its keys.
        4 => pub behavior: Behavior,
        /// Milliseconds for which nobody may take its keys after it has ended.
        5 => pub lock_delay_ms: u64,
        /// Milliseconds after which it ends when nobody renews it; 0 for never.
        6 => pub ttl_ms: u64,
    }
}

message! {
    /// When something came and last changed, in numbers that the catalog counts.
    pub struct Stamp {
        /// When it came.
        1 => pub create: u64,
        /// When it changed last.
        2 => pub modify: u64,
    }
}
