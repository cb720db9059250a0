//! The trait that the partition runtime runs.

use crate::codec::Codec;
use crate::head::{Caller, Head};
use crate::table::Tables;
use crate::time::Timestamp;
use crate::txn::Txn;

/// A deterministic state machine: fed by commands (a wish, may be rejected), changed only by events (a fact).
///
/// Two runs over the same events end in the same state, bit by bit.
pub trait Machine: Sized + Send + 'static {
    /// All that the machine remembers.
    type State: Tables;
    /// A wish.
    type Command: Codec + Clone + Send + Sync + 'static;
    /// A fact.
    type Event: Codec + Send + 'static;
    /// The answer to a command that was carried out.
    type Reply: Codec + Clone + Send + 'static;
    /// The answer to a command that was not.
    type Rejection: Codec + Clone + Send + 'static;
    /// What the shell shall do once the transaction is durable. Losing all effects loses no truth.
    type Effect: Send + 'static;
    /// A question about the state.
    type Query: Send + 'static;
    /// Its answer.
    type Answer: Send + 'static;
    /// What the shell knows and handlers may use; `apply`, `query`, `due` and `owed` never see it.
    type Env: Env;

    /// Decides what `command` does: reads state, emits events, adds follow-ups and effects.
    ///
    /// # Errors
    /// The reason not to do it. Every reason is found before the first event is emitted.
    fn handle(
        txn: &mut Txn<'_, Self>,
        head: &Head,
        command: &Self::Command,
    ) -> Result<Outcome<Self>, Self::Rejection>;

    /// Decides what becomes of an internal command that failed twice.
    ///
    /// # Errors
    /// When nothing can be done about it; the command is then dropped with this rejection on record.
    fn fault(
        txn: &mut Txn<'_, Self>,
        head: &Head,
        command: &Self::Command,
        fault: &Fault,
    ) -> Result<Outcome<Self>, Self::Rejection>;

    /// The rejection that a client gets whose command failed.
    fn refuse(fault: &Fault) -> Self::Rejection;

    /// Changes the state by what happened. Total, and all that replay runs.
    fn apply(state: &mut Self::State, event: &Self::Event);

    /// Answers a question as the caller may see it.
    fn query(state: &Self::State, caller: &Caller, query: &Self::Query) -> Self::Answer;

    /// When the next tick is wanted.
    fn due(state: &Self::State) -> Option<Timestamp>;

    /// The time at which a command has pinned the clock; a controlled clock stands there again after a start.
    fn pinned(_state: &Self::State) -> Option<Timestamp> {
        None
    }

    /// The command that does what has become due; it takes a bounded number of entries.
    fn tick() -> Self::Command;

    /// What must still leave for things that are not partitions; read after a start and every ten seconds.
    fn owed(state: &Self::State) -> Vec<Self::Effect>;

    /// Tells which topics an event touches, so that watchers wake.
    fn touched(event: &Self::Event, wake: &mut dyn FnMut(Topic));

    /// How a handled command stands in the log.
    fn describe(command: &Self::Command) -> Handled;

    /// How a command is treated under load.
    fn admission(command: &Self::Command) -> Admission;

    /// About how many bytes a command holds; queues are bounded by the sum.
    fn weight(command: &Self::Command) -> usize;

    /// The part of a rejected command that is kept: documents are cut at `bytes`.
    #[must_use]
    fn abridge(command: &Self::Command, bytes: usize) -> Self::Command;
}

/// What the shell lends to handlers. What a transaction took is given back when it is undone.
pub trait Env: Send + 'static {
    /// The transaction stands.
    fn commit(&mut self);
    /// The transaction never was.
    fn undo(&mut self);
    /// The open batch takes no more transactions.
    fn seal(&mut self) {}
}

impl Env for () {
    fn commit(&mut self) {}
    fn undo(&mut self) {}
}

/// How a command that was not rejected ends.
#[derive(Debug)]
pub enum Outcome<M: Machine> {
    /// The answer goes out when the batch is durable.
    Now(M::Reply),
    /// [`Txn::reply`] answers by the token of the head, or nobody waits.
    Later,
}

/// Why a command could not be carried through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The handler panicked; the text is the panic's message.
    Panicked(String),
    /// What the command wrote does not fit into a batch.
    TooLarge {
        /// Bytes that it wrote.
        bytes: usize,
        /// Bytes that one command may write.
        bytes_max: usize,
    },
}

/// A handled command as the log keeps it: numbers of value type and intent, and the key it was about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handled {
    /// The machine's number for what the command is about.
    pub value_type: u32,
    /// The machine's number for the wish.
    pub intent: u32,
    /// The key it was about; 0 when it has none yet.
    pub key: u64,
}

/// How a command is treated under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Starts new work: the first to be refused.
    NewWork,
    /// Lets go on or ends what is there: refused only at the hard limit.
    Ongoing,
    /// From the program itself: never refused.
    Internal,
}

/// Something that watchers wait for: a kind and a number that the machine defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The machine's number for the kind of thing.
    pub kind: u32,
    /// Which one.
    pub key: u64,
}
