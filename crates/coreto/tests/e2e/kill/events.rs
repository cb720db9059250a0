//! Messages and timers under `kill -9`, over several partitions: each message that was acknowledged correlates once, and
//! each timer fires once, not before it is due.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;
use tonic::Code;

use super::load::is_gone;
use super::{LOAD, export_the_rest, kill_during_start};
use crate::support::{Chance, Client, Directory, Server, Settings, number, until};

const PROCESS: &str = "paid-order";
const MESSAGE: &str = "paid";

/// Waits for its message, then for a timer that is due within a load or behind the next start.
const MODEL: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=string(id)"/></extensionElements></message>
<process id="paid-order" isExecutable="true"><startEvent id="start"/>
<sequenceFlow id="a" sourceRef="start" targetRef="wait"/>
<intermediateCatchEvent id="wait"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
<sequenceFlow id="b" sourceRef="wait" targetRef="pause"/>
<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>=duration("PT" + string(modulo(id, 7) / 10) + "S")</timeDuration></timerEventDefinition></intermediateCatchEvent>
<sequenceFlow id="c" sourceRef="pause" targetRef="end"/><endEvent id="end"/></process></definitions>"#;

/// What the clients know of orders.
#[derive(Default)]
struct Orders {
    next: u64,
    /// Instances whose creation was acknowledged.
    created: BTreeMap<u64, i64>,
    /// Orders whose creation was sent.
    sent: BTreeSet<u64>,
    /// Orders whose message was acknowledged.
    published: BTreeSet<u64>,
}

impl Orders {
    /// An order that is about to be created, or only to be paid for.
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The oldest orders without an acknowledged message.
    fn unpaid(&self, count: usize) -> Vec<u64> {
        (1..=self.next).filter(|order| !self.published.contains(order)).take(count).collect()
    }
}

#[tokio::test]
async fn kill_loses_and_doubles_no_message_and_no_timer() {
    let rounds = number("CORETO_E2E_KILLS", 8);
    let seed = number("CORETO_E2E_SEED", u64::from(std::process::id()));
    eprintln!("CORETO_E2E_SEED={seed} CORETO_E2E_KILLS={rounds} repeats the moments of the kills");
    let mut chance = Chance::new(seed);
    let directory = Directory::new();
    let records = directory.join("records.ndjson");
    let settings = Settings::new(&directory)
        .configure("[snapshot]\nlog-bytes = 100000\n")
        .argument("--partitions", "3")
        .argument("--export-ndjson", &records);
    let orders = Arc::new(Mutex::new(Orders::default()));

    let server = settings.start();
    server.client().await.deploy("paid-order.bpmn", MODEL).await.unwrap();
    server.kill();
    for _ in 0..rounds {
        if chance.below(3) == 0 {
            kill_during_start(&settings, &mut chance);
        }
        let server = settings.start();
        let mut clients = JoinSet::new();
        for _ in 0..2 {
            clients.spawn(create(server.client().await, Arc::clone(&orders)));
            clients.spawn(publish(server.client().await, Arc::clone(&orders)));
        }
        tokio::time::sleep(Duration::from_millis(LOAD.start + chance.below(LOAD.end - LOAD.start))).await;
        server.kill();
        clients.join_all().await;
    }

    let server = settings.start();
    finish(&server, &orders).await;
    server.stop().await;
    export_the_rest(&settings, &records).await;
    let orders = orders.lock().unwrap();
    let (created, published) = (orders.created.len(), orders.published.len());
    eprintln!("created: {created} acknowledged of {}; messages: {published}", orders.sent.len());
    assert!(created > 10, "the load did next to nothing");
    History::read(&records).check(&orders);
}

async fn create(client: Client, orders: Arc<Mutex<Orders>>) {
    loop {
        let order = {
            let mut orders = orders.lock().unwrap();
            let order = orders.next();
            orders.sent.insert(order);
            order
        };
        match client.create(PROCESS, &format!(r#"{{"id":{order}}}"#)).await {
            Ok(instance) => assert!(orders.lock().unwrap().created.insert(order, instance).is_none()),
            Err(status) if is_gone(&status, &[Code::ResourceExhausted]) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Publishes what is not acknowledged yet, again and again: before its instance is there, and behind it.
async fn publish(client: Client, orders: Arc<Mutex<Orders>>) {
    loop {
        let unpaid = orders.lock().unwrap().unpaid(8);
        for order in unpaid {
            if !pay(&client, &orders, order).await {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Publishes the message of an order. Says whether the server is there.
async fn pay(client: &Client, orders: &Mutex<Orders>, order: u64) -> bool {
    let id = order.to_string();
    match client.publish(MESSAGE, &id, &id).await {
        Ok(()) => {}
        Err(status) if is_gone(&status, &[Code::AlreadyExists, Code::ResourceExhausted]) => return false,
        Err(status) if status.code() == Code::ResourceExhausted => return true,
        // An answer was lost, or the other client was faster.
        Err(_) => {}
    }
    orders.lock().unwrap().published.insert(order);
    true
}

/// Publishes what is left, until nothing runs.
async fn finish(server: &Server, orders: &Mutex<Orders>) {
    let client = server.client().await;
    loop {
        let unpaid = orders.lock().unwrap().unpaid(1000);
        if unpaid.is_empty() {
            break;
        }
        for order in unpaid {
            assert!(pay(&client, orders, order).await, "the server is gone");
        }
    }
    until("all instances complete", async || client.instances().await.unwrap().is_empty().then_some(()))
        .await;
}

/// How often what happened, by the exported records.
#[derive(Default)]
struct History {
    /// Lines by partition and position; after a crash a record may come again, and is the same then.
    records: BTreeMap<(u64, u64), String>,
    /// Instances by order.
    instances: BTreeMap<u64, Vec<i64>>,
    published: BTreeMap<u64, u32>,
    correlated: BTreeMap<i64, u32>,
    timers: BTreeMap<i64, u32>,
    fired: BTreeMap<i64, u32>,
    ended: BTreeMap<i64, u32>,
}

impl History {
    fn read(path: &Path) -> Self {
        let mut history = Self::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let place = (record["partitionId"].as_u64().unwrap(), record["position"].as_u64().unwrap());
            match history.records.insert(place, line.to_owned()) {
                Some(before) => assert_eq!(before, line, "another record at the same position"),
                None if record["recordType"] == "EVENT" => history.note(&record),
                None => {}
            }
        }
        history
    }

    fn note(&mut self, record: &Value) {
        let value = &record["value"];
        let number = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
        let instance = value["processInstanceKey"].as_i64().unwrap_or(-1);
        let intent = record["intent"].as_str().unwrap();
        let counts = match (record["valueType"].as_str().unwrap(), intent) {
            ("MESSAGE", "PUBLISHED") => {
                *self.published.entry(number(&value["messageId"])).or_default() += 1;
                return;
            }
            ("VARIABLE", "CREATED") if value["name"] == "id" => {
                return self.instances.entry(number(&value["value"])).or_default().push(instance);
            }
            ("PROCESS_MESSAGE_SUBSCRIPTION", "CORRELATED") => &mut self.correlated,
            ("TIMER", "CREATED") => &mut self.timers,
            ("TIMER", "TRIGGERED") => {
                let (now, due) = (record["timestamp"].as_i64(), value["dueDate"].as_i64());
                assert!(now >= due && due.is_some(), "a timer fired before it was due: {record}");
                &mut self.fired
            }
            ("PROCESS_INSTANCE", "ELEMENT_COMPLETED") if value["bpmnElementType"] == "PROCESS" => {
                &mut self.ended
            }
            _ => return,
        };
        *counts.entry(instance).or_default() += 1;
    }

    /// Everything has completed by now: compares with what the clients know.
    fn check(&self, orders: &Orders) {
        for (order, instances) in &self.instances {
            let &[instance] = &instances[..] else { panic!("order {order} has instances {instances:?}") };
            assert!(orders.sent.contains(order), "order {order} was never sent");
            assert!(orders.created.get(order).is_none_or(|key| *key == instance), "order {order}");
        }
        for (what, counts) in [
            ("correlations", &self.correlated),
            ("timers", &self.timers),
            ("timers fired", &self.fired),
            ("instances ended", &self.ended),
        ] {
            assert_eq!(counts.values().find(|count| **count != 1), None, "{what} more than once");
            assert_eq!(counts.len(), self.instances.len(), "{what}");
        }
        for order in orders.created.keys() {
            assert!(self.instances.contains_key(order), "order {order} was acknowledged and is not told of");
        }
        assert_eq!(self.published.values().find(|count| **count != 1), None, "a message was taken twice");
        for order in &orders.published {
            assert!(
                self.published.contains_key(order),
                "message {order} was acknowledged and is not told of"
            );
        }
    }
}
