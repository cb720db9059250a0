//! Documents on their way: the body of a `_bulk` request.

use coreto_machine::Timestamp;
use coreto_record::protocol::ValueType;

use super::super::Document;
use crate::render::{BROKER_VERSION, integer};

/// Documents in the order in which they were added, each behind the line that says where it goes.
pub(super) struct Bulk {
    index_prefix: String,
    body: Vec<u8>,
    entries: Vec<Entry>,
    /// Lines that say where documents go, up to the document's own id.
    beginnings: Vec<Beginning>,
}

struct Entry {
    /// Where it begins in the body.
    start: usize,
    partition: u32,
    position: u64,
    /// How often the server found fault with it.
    refusals: u32,
}

struct Beginning {
    value_type: ValueType,
    day: i64,
    line: Vec<u8>,
}

/// Lines that are remembered: one for each value type and day.
const BEGINNINGS_MAX: usize = 64;

impl Bulk {
    pub(super) fn new(index_prefix: &str) -> Self {
        Self {
            index_prefix: index_prefix.to_owned(),
            body: Vec::new(),
            entries: Vec::new(),
            beginnings: Vec::new(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.body.len()
    }

    pub(super) fn add(&mut self, document: &Document<'_>) {
        let start = self.body.len();
        self.entries.push(Entry {
            start,
            partition: document.partition,
            position: document.position,
            refusals: 0,
        });
        let beginning = self.beginning(document.value_type, document.timestamp);
        let body = &mut self.body;
        body.extend_from_slice(&self.beginnings[beginning].line);
        integer(i64::from(document.partition), body);
        body.push(b'-');
        integer(document.position.cast_signed(), body);
        body.extend_from_slice(b"\",\"routing\":\"");
        integer(i64::from(document.partition), body);
        body.extend_from_slice(b"\"}}\n");
        body.extend_from_slice(document.json);
        body.push(b'\n');
    }

    fn beginning(&mut self, value_type: ValueType, timestamp: Timestamp) -> usize {
        let day = timestamp.day();
        let is_it = |known: &Beginning| known.value_type == value_type && known.day == day;
        if let Some(at) = self.beginnings.iter().position(is_it) {
            return at;
        }
        if self.beginnings.len() >= BEGINNINGS_MAX {
            self.beginnings.clear();
        }
        let index = index_name(&self.index_prefix, value_type, timestamp);
        let line = format!(r#"{{"index":{{"_index":"{index}","_id":""#).into_bytes();
        self.beginnings.push(Beginning { value_type, day, line });
        self.beginnings.len() - 1
    }

    /// The first documents, as a request's body.
    pub(super) fn first(&self, count: usize) -> &[u8] {
        let end = self.entries.get(count).map_or(self.body.len(), |entry| entry.start);
        &self.body[..end]
    }

    /// The id of a document.
    pub(super) fn id(&self, at: usize) -> String {
        self.entries
            .get(at)
            .map_or_else(String::new, |entry| format!("{}-{}", entry.partition, entry.position))
    }

    /// Notes that the server refused a document, and tells how often it has by now.
    pub(super) fn refuse(&mut self, at: usize) -> u32 {
        let Some(entry) = self.entries.get_mut(at) else { return 0 };
        entry.refusals += 1;
        entry.refusals
    }

    /// Forgets the first documents, but for those in `kept`, which are in order.
    pub(super) fn forget(&mut self, count: usize, kept: &[usize]) {
        if count == self.entries.len() && kept.is_empty() {
            self.body.clear();
            self.entries.clear();
            return;
        }
        let ends: Vec<usize> =
            self.entries.iter().skip(1).map(|entry| entry.start).chain([self.body.len()]).collect();
        let mut body = Vec::with_capacity(self.body.len());
        let mut at = 0;
        let old = std::mem::take(&mut self.body);
        self.entries.retain_mut(|entry| {
            let stays = at >= count || kept.binary_search(&at).is_ok();
            if stays {
                let bytes = &old[entry.start..ends[at]];
                entry.start = body.len();
                body.extend_from_slice(bytes);
            }
            at += 1;
            stays
        });
        self.body = body;
    }
}

/// Such as `zeebe-record_process-instance_8.8.0_2026-01-31`, by the day in UTC.
fn index_name(prefix: &str, value_type: ValueType, at: Timestamp) -> String {
    let name = in_names(value_type);
    format!("{prefix}_{name}_{BROKER_VERSION}_{}", at.date())
}

/// `PROCESS_INSTANCE` is `process-instance`.
pub(super) fn in_names(value_type: ValueType) -> String {
    value_type.name().to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(position: u64, millis: i64) -> Bulk {
        let mut bulk = Bulk::new("zeebe-record");
        add(&mut bulk, position, millis);
        bulk
    }

    fn add(bulk: &mut Bulk, position: u64, millis: i64) {
        bulk.add(&Document {
            partition: 3,
            position,
            value_type: ValueType::ProcessInstance,
            timestamp: Timestamp::from_millis(millis),
            json: format!("{{\"position\":{position}}}").as_bytes(),
        });
    }

    #[test]
    fn names_the_index_by_the_day_in_utc() {
        for (millis, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_399_999, "2000-02-28"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_999, "2024-02-29"),
            (1_709_251_200_000, "2024-03-01"),
            (1_769_903_999_999, "2026-01-31"),
            (4_102_444_799_999, "2099-12-31"),
        ] {
            let bulk = document(7, millis);
            let line = format!(
                "{{\"index\":{{\"_index\":\"zeebe-record_process-instance_8.8.0_{expected}\",\"_id\":\"3-7\",\"routing\":\"3\"}}}}\n{{\"position\":7}}\n"
            );
            assert_eq!(std::str::from_utf8(bulk.first(1)).unwrap(), line);
        }
    }

    #[test]
    fn goes_over_midnight_within_a_request() {
        let mut bulk = document(1, 1_769_903_999_999);
        add(&mut bulk, 2, 1_769_904_000_000);
        let text = std::str::from_utf8(bulk.first(2)).unwrap();
        assert!(text.contains("2026-01-31") && text.contains("2026-02-01"), "{text}");
    }

    #[test]
    fn keeps_what_did_not_arrive() {
        let mut bulk = Bulk::new("x");
        for position in 0..6 {
            add(&mut bulk, position, 0);
        }
        bulk.forget(4, &[1, 3]);
        let ids = |bulk: &Bulk| (0..bulk.len()).map(|at| bulk.id(at)).collect::<Vec<_>>();
        assert_eq!(ids(&bulk), ["3-1", "3-3", "3-4", "3-5"]);
        let text = std::str::from_utf8(bulk.first(2)).unwrap();
        assert_eq!(
            text.lines().skip(1).step_by(2).collect::<Vec<_>>(),
            ["{\"position\":1}", "{\"position\":3}"]
        );
        bulk.forget(2, &[]);
        assert_eq!(ids(&bulk), ["3-4", "3-5"]);
        bulk.forget(2, &[]);
        assert_eq!((bulk.len(), bulk.bytes()), (0, 0));
    }
}
