//! Stands in for the engine's types until that crate is there.
use coreto_machine::{
    Admission, Caller, Fault, Handled, Head, Machine, Outcome, Tenant, Timestamp, Topic, Txn,
};
use std::sync::Arc;
coreto_machine::tables! {
    /// None.
    pub struct State {
    }
}
/// The engine.
#[derive(Debug)]
pub struct Engine;
/// Effects.
pub enum Effect {
    /// Push
    Push {
        /// sink
        sink: u64,
        /// job
        job: Box<coreto_record::ActivatedJob>,
    },
}
impl Machine for Engine {
    type State = State;
    type Command = coreto_record::Command;
    type Event = coreto_record::Event;
    type Reply = coreto_record::Reply;
    type Rejection = coreto_record::Rejection;
    type Effect = Effect;
    type Query = ();
    type Answer = ();
    type Env = ();
    fn handle(_: &mut Txn<'_, Self>, _: &Head, _: &Self::Command) -> Result<Outcome<Self>, Self::Rejection> {
        unimplemented!()
    }
    fn fault(
        _: &mut Txn<'_, Self>,
        _: &Head,
        _: &Self::Command,
        _: &Fault,
    ) -> Result<Outcome<Self>, Self::Rejection> {
        unimplemented!()
    }
    fn refuse(_: &Fault) -> Self::Rejection {
        unimplemented!()
    }
    fn apply(_: &mut State, _: &Self::Event) {}
    fn query(_: &State, _: &Caller, _: &()) {}
    fn due(_: &State) -> Option<Timestamp> {
        None
    }
    fn tick() -> Self::Command {
        unimplemented!()
    }
    fn owed(_: &State) -> Vec<Effect> {
        Vec::new()
    }
    fn touched(_: &Self::Event, _: &mut dyn FnMut(Topic)) {}
    fn describe(_: &Self::Command) -> Handled {
        unimplemented!()
    }
    fn admission(_: &Self::Command) -> Admission {
        unimplemented!()
    }
    fn weight(_: &Self::Command) -> usize {
        0
    }
    fn abridge(c: &Self::Command, _: usize) -> Self::Command {
        c.clone()
    }
}
/// Spec
#[derive(Clone, Debug)]
pub struct SinkSpec {
    /// a
    pub job_type: Arc<str>,
    /// a
    pub worker: Arc<str>,
    /// a
    pub timeout_ms: i64,
    /// a
    pub fetch: Arc<[Arc<str>]>,
    /// a
    pub tenants: Arc<[Tenant]>,
    /// a
    pub kind: SinkKind,
}
/// Kind
#[derive(Clone, Copy, Debug)]
pub enum SinkKind {
    /// a
    Stream,
    /// a
    Poll {
        /// a
        max: u32,
    },
}
impl State {
    fn rebuild(&mut self) {}
}
