//! What the exported records tell, from the first to the last.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::ledger::Ledger;

/// What is looked at in a record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    position: u64,
    key: i64,
    record_type: String,
    value_type: String,
    intent: String,
    value: Value,
}

/// What is looked at in its value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Value {
    #[serde(default)]
    bpmn_element_type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    process_instance_key: i64,
}

#[derive(Default)]
pub(super) struct History {
    /// Lines by position. A record may come again after a crash, and is the same then.
    records: BTreeMap<u64, String>,
    /// Instances by order.
    orders: BTreeMap<u64, Vec<i64>>,
    /// How often an instance was begun and completed.
    begun: BTreeMap<i64, u32>,
    ended: BTreeMap<i64, u32>,
    /// How often a job was made, completed and failed.
    made: BTreeMap<i64, u32>,
    completed: BTreeMap<i64, u32>,
    failed: BTreeMap<i64, u32>,
}

impl History {
    pub(super) fn read(path: &Path) -> Self {
        let mut history = Self::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let record: Record = serde_json::from_str(line).unwrap();
            let position = record.position;
            if let Some(before) = history.records.get(&position) {
                assert_eq!(before, line, "another record at the same position");
                continue;
            }
            let last = history.records.last_key_value().map_or(0, |(last, _)| *last);
            assert!(position > last, "a record comes after a later one");
            history.records.insert(position, line.to_owned());
            if record.record_type == "EVENT" {
                history.note(&record);
            }
        }
        history
    }

    fn note(&mut self, Record { key, value_type, intent, value, .. }: &Record) {
        let is_process = value.bpmn_element_type == "PROCESS";
        let counts = match (&**value_type, &**intent) {
            ("PROCESS_INSTANCE", "ELEMENT_ACTIVATED") if is_process => &mut self.begun,
            ("PROCESS_INSTANCE", "ELEMENT_COMPLETED") if is_process => &mut self.ended,
            ("JOB", "CREATED") => &mut self.made,
            ("JOB", "COMPLETED") => &mut self.completed,
            ("JOB", "FAILED") => &mut self.failed,
            ("VARIABLE", "CREATED") if value.name == "id" => {
                let instances = self.orders.entry(value.value.parse().unwrap()).or_default();
                return instances.push(value.process_instance_key);
            }
            _ => return,
        };
        *counts.entry(*key).or_default() += 1;
    }

    /// Everything has completed by now: compares with what the clients know.
    pub(super) fn check(&self, ledger: &Ledger) {
        for (what, counts) in [
            ("instances begun", &self.begun),
            ("instances ended", &self.ended),
            ("jobs made", &self.made),
            ("jobs completed", &self.completed),
        ] {
            assert_eq!(counts.values().find(|count| **count != 1), None, "{what} more than once");
            assert_eq!(counts.len(), self.orders.len(), "{what}");
        }
        for (order, instances) in &self.orders {
            let &[instance] = &instances[..] else { panic!("order {order} has instances {instances:?}") };
            ledger.check_sent(*order, instance);
        }
        for order in ledger.created.keys() {
            assert!(self.orders.contains_key(order), "order {order} was acknowledged and is not told of");
        }
        for job in ledger.completed.keys() {
            assert_eq!(self.completed[job], 1, "job {job}");
        }
        for (job, count) in &ledger.failed {
            assert!(self.failed[job] >= *count, "job {job} failed {count} times by the answers");
        }
    }
}
