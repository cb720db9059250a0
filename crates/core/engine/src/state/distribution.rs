//! What is on its way to all partitions.

use coreto_machine::{Timestamp, Token};
use coreto_record::Reply;

coreto_machine::message! {
    /// Something that not all partitions have yet.
    pub(crate) struct Distribution {
        /// The value type of the command that is distributed.
        1 => pub(crate) value_type: u32,
        /// The intent of that command.
        2 => pub(crate) intent: u32,
        /// The partitions that have not said that they have it.
        3 => pub(crate) missing: Vec<u32>,
        /// Who waits for the answer, if anybody still does.
        4 => pub(crate) token: Option<Token>,
        /// The answer.
        5 => pub(crate) reply: Reply,
        /// When it goes out although a partition stays away; unset once it has.
        6 => pub(crate) answer_by: Option<Timestamp>,
    }
}
