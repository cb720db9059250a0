//! Numbers, in the text format of Prometheus.

use std::fmt::Write;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use http_body_util::Full;

/// Knows the program's numbers. Asked at each request; must answer at once.
pub trait Metrics: Send + Sync + 'static {
    /// All families, each once.
    fn collect(&self) -> Vec<Family>;
}

/// Numbers of one name.
#[derive(Clone, Debug)]
pub struct Family {
    /// The name, with the unit last: letters, digits and `_`.
    pub name: &'static str,
    /// What is counted or measured.
    pub help: &'static str,
    /// How the numbers move.
    pub kind: Kind,
    /// The numbers, told apart by their labels.
    pub samples: Vec<Sample>,
}

/// How numbers move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up only, from the start of the program on.
    Counter,
    /// Up and down.
    Gauge,
}

/// One number.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Names and values from small closed sets.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

pub(crate) fn answer(metrics: &dyn Metrics) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(render(&metrics.collect())));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

fn render(families: &[Family]) -> String {
    let mut out = String::new();
    for Family { name, help, kind, samples } in families {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n")
            .expect("writing to a string does not fail");
        for sample in samples {
            out.push_str(name);
            for (index, (label, value)) in sample.labels.iter().enumerate() {
                let before = if index == 0 { '{' } else { ',' };
                let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                write!(out, "{before}{label}=\"{value}\"").expect("writing to a string does not fail");
            }
            if !sample.labels.is_empty() {
                out.push('}');
            }
            writeln!(out, " {}", number(sample.value)).expect("writing to a string does not fail");
        }
    }
    out
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_the_text_format() {
        let families = [Family {
            name: "coreto_batches_total",
            help: "Batches\nthat are \\durable.",
            kind: Kind::Counter,
            samples: vec![
                Sample {
                    labels: vec![("partition", "1".to_owned()), ("path", "a\\\"b\n".to_owned())],
                    value: 3.0,
                },
                Sample { labels: Vec::new(), value: 0.25 },
                Sample { labels: Vec::new(), value: f64::INFINITY },
            ],
        }];
        assert_eq!(
            render(&families),
            "# HELP coreto_batches_total Batches\\nthat are \\\\durable.\n\
             # TYPE coreto_batches_total counter\n\
             coreto_batches_total{partition=\"1\",path=\"a\\\\\\\"b\\n\"} 3\n\
             coreto_batches_total 0.25\n\
             coreto_batches_total +Inf\n"
        );
    }
}
