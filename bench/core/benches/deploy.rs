//! How long the engine takes to deploy a process it has not seen, from its text to its records:
//! `cargo bench -p coreto-bench --bench deploy`.

use std::time::Duration;

use coreto_bench::processes;
use coreto_engine::{Engine, Env, Limits, Sinks, State};
use coreto_machine::{
    Caller, Channel, Env as _, Head, Machine, Output, Place, Tables, Tenant, Timestamp, Txn,
};
use coreto_record::Command;
use coreto_record::command::{Deploy, Resource};
use criterion::{BatchSize, Criterion};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Fresh {
    state: State,
    env: Env,
    out: Output<Engine>,
    deploy: Command,
}

impl Fresh {
    fn new(xml: String) -> Self {
        let resource = Resource { name: "chain.bpmn".into(), content: xml.into_bytes().into() };
        Self {
            state: State::create(Place { number: 1, count: 1 }),
            env: Env::new(Sinks::default().into(), Limits::default(), "UTC".into()),
            out: Output::default(),
            deploy: Command::Deploy(Deploy { tenant: Tenant::DEFAULT, resources: vec![resource] }),
        }
    }

    fn deploy(mut self) -> Self {
        let head = Head {
            now: Timestamp::from_millis(1_700_000_000_000),
            seed: 1,
            caller: Caller::anonymous(Channel::Grpc),
            operation_reference: None,
            token: None,
        };
        let mut txn = Txn::new(&mut self.state, &mut self.env, &mut self.out);
        let handled = Engine::handle(&mut txn, &head, &self.deploy);
        assert!(handled.is_ok(), "{handled:?}");
        self.state.commit();
        self.env.commit();
        // Given back, so that freeing it is not measured.
        self
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    for nodes in [50, 5_000] {
        let mut number = 0;
        criterion.bench_function(&format!("deploy/{nodes} elements"), |bencher| {
            let fresh = || {
                number += 1;
                Fresh::new(processes::chain(nodes, number))
            };
            bencher.iter_batched(fresh, Fresh::deploy, BatchSize::PerIteration);
        });
    }
    criterion.final_summary();
}
