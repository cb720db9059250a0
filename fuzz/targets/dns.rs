#![no_main]

use std::sync::LazyLock;

use coreto_catalog::command::{RegisterInstance, RegisterNode};
use coreto_catalog::{Catalog, Command, Env, Instance, Node, State};
use coreto_dns::reply_from;
use coreto_machine::{Caller, Head, Machine, Output, Place, Tables, Timestamp, Txn};
use libfuzzer_sys::fuzz_target;

static STATE: LazyLock<State> = LazyLock::new(|| {
    let mut state = State::create(Place { number: 1, count: 1 });
    let address = "10.0.0.1".into();
    let node = RegisterNode { name: "n1".into(), node: Node { address, ..Node::default() }, ..RegisterNode::default() };
    let instance = |number: usize| {
        let (id, tags) = (format!("web-{number}").into(), vec!["v1.2".into()]);
        let address = ["", "10.0.0.7", "fd00::7", "db.example.org"][number % 4].into();
        let instance = Instance { id, service: "web".into(), address, tags, port: 80, ..Instance::default() };
        let register = RegisterInstance { node: "n1".into(), instance, ..RegisterInstance::default() };
        Command::RegisterInstance(register)
    };
    for command in [Command::RegisterNode(node)].into_iter().chain((0..40).map(instance)) {
        let now = Timestamp::default();
        let head = Head { now, seed: 0, caller: Caller::internal(), operation_reference: None, token: None };
        let (mut env, mut out) = (Env::default(), Output::default());
        Catalog::handle(&mut Txn::new(&mut state, &mut env, &mut out), &head, &command).expect("it is sound");
    }
    state
});

fuzz_target!(|packet: &[u8]| {
    let (Some(udp), Some(tcp)) = (reply_from(&STATE, packet, false), reply_from(&STATE, packet, true)) else {
        return;
    };
    for reply in [&udp, &tcp] {
        assert_eq!(reply[..2], packet[..2], "the number");
        assert!(reply[2] & 0x80 != 0, "it is a reply");
    }
    assert!(udp.len() <= 8192 && tcp.len() <= usize::from(u16::MAX));
    let count = |reply: &[u8]| u16::from_be_bytes([reply[6], reply[7]]);
    assert_eq!(udp[2] & 2 != 0, count(&udp) < count(&tcp), "what is left out is told");
});
