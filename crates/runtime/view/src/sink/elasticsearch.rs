//! An Elasticsearch-compatible server, by `_bulk`.

mod bulk;
mod template;
mod verdict;

use std::time::Duration;

use super::http::{Answer, Client, Request};
use super::{Document, Sink, SinkError};
use bulk::Bulk;
use verdict::{Failed, Verdict};

/// Where documents go, and how much at once.
#[derive(Clone, Debug)]
pub struct ElasticsearchConfig {
    /// The server: `http://host:port`.
    pub url: String,
    /// How index names begin.
    pub index_prefix: String,
    /// Documents of one request: more means fewer requests, and more that is sent again when one fails.
    pub bulk_documents: usize,
    /// Bytes of one request, which are held in memory.
    pub bulk_bytes: usize,
    /// How long a request may take, from its first byte to the last one of its answer.
    pub patience: Duration,
    /// What becomes of a document that the server refuses for what is in it.
    pub on_refusal: OnRefusal,
}

/// What becomes of a document that the server refuses for what is in it (400, or 413 when it is alone).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRefusal {
    /// It is sent again until the server takes it, and holds up all that are behind it. Nothing is lost.
    #[default]
    Retry,
    /// It is left out once it was refused three times; an error in the log names it.
    Skip,
}

impl ElasticsearchConfig {
    /// A server with the usual names and sizes.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            index_prefix: "zeebe-record".into(),
            bulk_documents: 1000,
            bulk_bytes: 10 << 20,
            patience: Duration::from_secs(30),
            on_refusal: OnRefusal::default(),
        }
    }
}

/// Sends documents by `_bulk`. Those that the server does not take are sent again until it does, with the same ids.
pub struct ElasticsearchSink {
    config: ElasticsearchConfig,
    client: Client,
    templates: Templates,
    bulk: Bulk,
    /// Documents of one request: fewer than configured once a server finds that too much.
    at_once: usize,
    left_out: u64,
}

/// Whether the server has the templates.
enum Templates {
    /// It was asked this often to take them.
    Missing(u32),
    Put,
}

/// How often a document is refused before it is left out.
const REFUSALS_MAX: u32 = 3;

/// How often a server that fails is asked to take templates, before documents are sent without.
const TEMPLATE_ATTEMPTS: u32 = 3;

impl ElasticsearchSink {
    /// A sink for a server; nothing is sent before the first flush.
    ///
    /// # Errors
    /// When the URL is not one of the form `http://host:port`.
    pub fn new(config: ElasticsearchConfig) -> Result<Self, SinkError> {
        let host =
            host(&config.url).map_err(|what| SinkError::Address(format!("`{}`: {what}", config.url)))?;
        Ok(Self {
            client: Client::new(host, config.patience),
            bulk: Bulk::new(&config.index_prefix),
            at_once: config.bulk_documents.max(1),
            templates: Templates::Missing(0),
            left_out: 0,
            config,
        })
    }

    fn put_templates(&mut self) -> Result<(), SinkError> {
        let Templates::Missing(attempts) = self.templates else { return Ok(()) };
        for (path, body) in template::all(&self.config.index_prefix) {
            let request = Request {
                method: "PUT",
                path: &path,
                content_type: "application/json",
                body: body.as_bytes(),
            };
            let answer = self.client.send(request).map_err(|source| unreachable(&self.config.url, source))?;
            let status = answer.status;
            if is_passing(status) && attempts < TEMPLATE_ATTEMPTS {
                self.templates = Templates::Missing(attempts + 1);
                return Err(refused(&self.config.url, &answer));
            }
            if status >= 300 {
                tracing::warn!(
                    url = self.config.url,
                    path,
                    status,
                    "the server does not take an index template"
                );
                break;
            }
        }
        self.templates = Templates::Put;
        Ok(())
    }

    /// Sends the oldest documents; those that have arrived are forgotten.
    fn send_some(&mut self) -> Result<(), SinkError> {
        let count = self.bulk.len().min(self.at_once);
        let request = Request {
            method: "POST",
            path: "/_bulk",
            content_type: "application/x-ndjson",
            body: self.bulk.first(count),
        };
        let answer = self.client.send(request).map_err(|source| unreachable(&self.config.url, source))?;
        if answer.status == 413 && count > 1 {
            self.at_once = count / 2;
        } else if answer.status == 413 {
            let alone = Failed { at: 0, refused: true };
            return self.take_back(count, vec![alone], "413, for it is too large".to_owned());
        }
        if answer.status != 200 {
            return Err(refused(&self.config.url, &answer));
        }
        match verdict::judge(&answer.body, count) {
            Verdict::Taken => {
                self.bulk.forget(count, &[]);
                Ok(())
            }
            Verdict::Unclear(what) => Err(SinkError::Refused {
                address: self.config.url.clone(),
                status: 200,
                body: what.to_owned(),
            }),
            Verdict::Failed { documents, reason } => self.take_back(count, documents, reason),
        }
    }

    /// Keeps what was not taken of the first documents, but for those that are left out.
    fn take_back(&mut self, count: usize, mut failed: Vec<Failed>, reason: String) -> Result<(), SinkError> {
        let (bulk, skip) = (&mut self.bulk, self.config.on_refusal == OnRefusal::Skip);
        let before = failed.len();
        failed.retain(|document| {
            let left_out = document.refused && bulk.refuse(document.at) >= REFUSALS_MAX && skip;
            if left_out {
                let (url, id) = (&*self.config.url, bulk.id(document.at));
                tracing::error!(url, id, reason, "a document is left out: the server refuses it");
            }
            !left_out
        });
        if failed.len() < before {
            self.left_out += (before - failed.len()) as u64;
            self.at_once = self.config.bulk_documents.max(1);
        }
        let first = failed.first().map(|document| bulk.id(document.at));
        let kept: Vec<usize> = failed.iter().map(|document| document.at).collect();
        bulk.forget(count, &kept);
        let Some(first) = first else { return Ok(()) };
        Err(SinkError::Documents {
            address: self.config.url.clone(),
            count: failed.len(),
            refused: failed.iter().filter(|document| document.refused).count(),
            first,
            reason,
        })
    }
}

/// Whether a status says that it may work later.
const fn is_passing(status: u16) -> bool {
    status == 429 || status >= 500
}

fn unreachable(url: &str, source: std::io::Error) -> SinkError {
    SinkError::Connection { address: url.to_owned(), source }
}

fn refused(url: &str, answer: &Answer) -> SinkError {
    let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]).into_owned();
    SinkError::Refused { address: url.to_owned(), status: answer.status, body }
}

/// The `host:port` of a URL.
fn host(url: &str) -> Result<String, &'static str> {
    if url.starts_with("https://") {
        return Err("not implemented: https for the Elasticsearch exporter");
    }
    let host = url.strip_prefix("http://").ok_or("expected http://host:port")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    if host.contains('@') {
        return Err("not implemented: credentials for the Elasticsearch exporter");
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_name) {
        return Err("expected http://host:port without a path");
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse::<u16>().ok()),
        _ => (host, Some(9200)),
    };
    match port {
        Some(port) if !name.is_empty() => Ok(format!("{name}:{port}")),
        _ => Err("expected http://host:port with a port from 0 to 65535"),
    }
}

impl Sink for ElasticsearchSink {
    fn wants_sequence(&self) -> bool {
        true
    }

    fn add(&mut self, document: &Document<'_>) {
        self.bulk.add(document);
    }

    fn is_full(&self) -> bool {
        self.bulk.len() >= self.config.bulk_documents || self.bulk.bytes() >= self.config.bulk_bytes
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.bulk.len() > 0 {
            self.put_templates()?;
        }
        // Bound: each round sends at least one document for good.
        while self.bulk.len() > 0 {
            self.send_some()?;
        }
        Ok(())
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_addresses_that_it_cannot_talk_to() {
        for url in [
            "https://x:1",
            "x:1",
            "http://",
            "http://:1",
            "http://x:1/path",
            "http://x:99999",
            "http://x:",
            "http://u:p@x:1",
            "http://x y",
            "http://x\r\nA: b",
        ] {
            assert!(ElasticsearchSink::new(ElasticsearchConfig::new(url)).is_err(), "{url}");
        }
        for (url, expected) in [
            ("http://127.0.0.1:9201/", "127.0.0.1:9201"),
            ("http://search", "search:9200"),
            ("http://[::1]", "[::1]:9200"),
            ("http://[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(host(url), Ok(expected.to_owned()));
        }
    }
}
