//! An Elasticsearch-compatible server, by `_bulk`.

use std::io::Write;

use coreto_machine::Timestamp;
use coreto_record::protocol::ValueType;
use serde_json::Value;

use super::http::{Answer, Client};
use super::{Document, Sink, SinkError};

/// Where documents go, and how much at once.
#[derive(Clone, Debug)]
pub struct ElasticsearchConfig {
    /// The server: `http://host:port`.
    pub url: String,
    /// How index names begin.
    pub index_prefix: String,
    /// Documents of one request.
    pub bulk_documents: usize,
    /// Bytes of one request.
    pub bulk_bytes: usize,
}

impl ElasticsearchConfig {
    /// A server with the usual names and sizes.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            index_prefix: "zeebe-record".into(),
            bulk_documents: 1000,
            bulk_bytes: 10 << 20,
        }
    }
}

/// The version in index names.
const INDEX_VERSION: &str = "8.8.0";

/// Sends documents by `_bulk`.
pub struct ElasticsearchSink {
    config: ElasticsearchConfig,
    client: Client,
    templates_put: bool,
    bulk: Vec<u8>,
    documents: usize,
}

impl ElasticsearchSink {
    /// A sink for a server; nothing is sent before the first flush.
    ///
    /// # Errors
    /// When the URL is not one of the form `http://host:port`.
    pub fn new(config: ElasticsearchConfig) -> Result<Self, SinkError> {
        let address = |what: &str| SinkError::Address(format!("`{}`: {what}", config.url));
        if config.url.starts_with("https://") {
            return Err(address("not implemented: https for the Elasticsearch exporter"));
        }
        let host = config.url.strip_prefix("http://").ok_or_else(|| address("expected http://host:port"))?;
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains('/') {
            return Err(address("expected http://host:port without a path"));
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:9200") };
        Ok(Self { client: Client::new(host), config, templates_put: false, bulk: Vec::new(), documents: 0 })
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer, SinkError> {
        let answer = self.client.send(method, path, content_type, body);
        answer.map_err(|source| SinkError::Connection { address: self.config.url.clone(), source })
    }

    /// One template for all value types: numbers, names and times are found by what they are. Best effort: a server
    /// that refuses still gets the documents.
    fn put_template(&mut self) -> Result<(), SinkError> {
        let prefix = &self.config.index_prefix;
        let template = serde_json::json!({
            "index_patterns": [format!("{prefix}_*")],
            "priority": 20,
            "template": {
                "settings": { "number_of_shards": 1, "number_of_replicas": 0 },
                "mappings": {
                    "dynamic_templates": [{
                        "documents_as_they_are": {
                            "path_match": "value.variables",
                            "mapping": { "type": "object", "enabled": false }
                        }
                    }],
                    "properties": {
                        "timestamp": { "type": "date" },
                        "valueType": { "type": "keyword" },
                        "intent": { "type": "keyword" },
                        "recordType": { "type": "keyword" },
                        "value": { "properties": {
                            "value": { "type": "keyword", "ignore_above": 8191 },
                            "variables": { "type": "object", "enabled": false },
                            "customHeaders": { "type": "object", "enabled": false }
                        } }
                    }
                }
            }
        });
        let path = format!("/_index_template/{prefix}");
        let answer = self.send("PUT", &path, "application/json", template.to_string().as_bytes())?;
        if answer.status >= 300 {
            tracing::warn!(
                url = self.config.url,
                status = answer.status,
                "the server does not take the index template"
            );
        }
        self.templates_put = true;
        Ok(())
    }

    fn judge(&self, answer: &Answer) -> Result<(), SinkError> {
        let address = self.config.url.clone();
        if answer.status != 200 {
            let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]).into_owned();
            return Err(SinkError::Refused { address, status: answer.status, body });
        }
        let refused =
            |body: &str| SinkError::Refused { address: address.clone(), status: 200, body: body.into() };
        let answer: Value =
            serde_json::from_slice(&answer.body).map_err(|_| refused("an answer that is no JSON"))?;
        if answer["errors"] == false {
            return Ok(());
        }
        let items = answer["items"].as_array().ok_or_else(|| refused("an answer without items"))?;
        let failed: Vec<_> =
            items.iter().filter_map(|item| item.get("index")).filter(|item| is_failed(item)).collect();
        match failed.first() {
            None => Ok(()),
            Some(first) => Err(SinkError::Documents {
                address,
                count: failed.len(),
                first: first["_id"].as_str().unwrap_or_default().to_owned(),
                reason: first["error"].to_string(),
            }),
        }
    }
}

/// Whether a document must be sent again; one that is there already need not.
fn is_failed(item: &Value) -> bool {
    let status = item["status"].as_u64().unwrap_or(200);
    status >= 300 && status != 409
}

impl Sink for ElasticsearchSink {
    fn wants_sequence(&self) -> bool {
        true
    }

    fn add(&mut self, document: &Document<'_>) {
        let id = (document.partition, document.position);
        self.bulk.extend_from_slice(b"{\"index\":{\"_index\":\"");
        self.bulk.extend_from_slice(self.config.index_prefix.as_bytes());
        self.bulk.push(b'_');
        let name = value_type_in_index(document.value_type);
        self.bulk.extend_from_slice(name.as_bytes());
        let (year, month, day) = date(document.timestamp);
        let rest = writeln!(
            self.bulk,
            "_{INDEX_VERSION}_{year:04}-{month:02}-{day:02}\",\"_id\":\"{}-{}\",\"routing\":\"{}\"}}}}",
            id.0, id.1, id.0
        );
        rest.expect("writing to memory does not fail");
        self.bulk.extend_from_slice(document.json);
        self.bulk.push(b'\n');
        self.documents += 1;
    }

    fn is_full(&self) -> bool {
        self.documents >= self.config.bulk_documents || self.bulk.len() >= self.config.bulk_bytes
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.documents == 0 {
            return Ok(());
        }
        if !self.templates_put {
            self.put_template()?;
        }
        let bulk = std::mem::take(&mut self.bulk);
        let answer = self.send("POST", "/_bulk", "application/x-ndjson", &bulk);
        self.bulk = bulk;
        self.judge(&answer?)?;
        self.bulk.clear();
        self.documents = 0;
        Ok(())
    }
}

/// `PROCESS_INSTANCE` is `process-instance`.
fn value_type_in_index(value_type: ValueType) -> String {
    value_type.name().to_ascii_lowercase().replace('_', "-")
}

/// The day of a time in UTC, by the proleptic Gregorian calendar.
fn date(timestamp: Timestamp) -> (i64, i64, i64) {
    // Days are counted from 0000-03-01, so that leap days end the year.
    let days = timestamp.as_millis().div_euclid(86_400_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_day_in_utc() {
        for (millis, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (951_782_399_999, (2000, 2, 28)),
            (951_782_400_000, (2000, 2, 29)),
            (1_709_251_200_000, (2024, 3, 1)),
            (4_102_444_799_999, (2099, 12, 31)),
        ] {
            assert_eq!(date(Timestamp::from_millis(millis)), expected);
        }
    }

    #[test]
    fn refuses_addresses_that_it_cannot_talk_to() {
        for url in ["https://x:1", "x:1", "http://", "http://x:1/path"] {
            assert!(ElasticsearchSink::new(ElasticsearchConfig::new(url)).is_err(), "{url}");
        }
        assert!(ElasticsearchSink::new(ElasticsearchConfig::new("http://127.0.0.1:9200/")).is_ok());
    }
}
