//! How exporters fare, in health and metrics.

use std::sync::Arc;

use coreto_machine::Timestamp;
use coreto_rest::{Component, Family, Kind, Sample};
use coreto_view::Progress;

use super::super::export::Named;
use super::number;

/// An exporter as a part of the program: down once it exports nothing any more. One that tries again is up.
pub(super) fn component(named: Named, progress: &Progress) -> Component {
    let Named { exporter, partition } = named;
    let detail = if let Some(why) = progress.halted() {
        why.to_owned()
    } else if progress.refused() > 0 {
        format!(
            "{} documents behind position {} are refused and hold up the others",
            progress.refused(),
            progress.position()
        )
    } else {
        String::new()
    };
    let name = format!("exporter-{exporter}-{partition}");
    Component { name, up: progress.halted().is_none(), detail }
}

/// The numbers of all exporters. `durable` knows the last durable batch of a partition.
pub(super) fn families(
    exporters: &[(Named, Arc<Progress>)],
    now: Timestamp,
    durable: impl Fn(u32) -> u64,
) -> Vec<Family> {
    let family = |name, help, kind, value: &dyn Fn(&Progress, u32) -> f64| Family {
        name,
        help,
        kind,
        samples: exporters
            .iter()
            .map(|(Named { exporter, partition }, progress)| Sample {
                labels: vec![("exporter", (*exporter).to_owned()), ("partition", partition.to_string())],
                value: value(progress, *partition),
            })
            .collect(),
    };
    let gauge = |name, help, value: fn(&Progress) -> u64| {
        family(name, help, Kind::Gauge, &|progress, _| number(value(progress)))
    };
    let counter = |name, help, value: fn(&Progress) -> u64| {
        family(name, help, Kind::Counter, &|progress, _| number(value(progress)))
    };
    let lag = |progress: &Progress, partition| progress.lag(now, durable(partition)).as_secs_f64();
    vec![
        gauge("coreto_exporter_position", "The last record that has arrived", Progress::position),
        gauge("coreto_exporter_sequence", "The last batch that has arrived", Progress::sequence),
        family(
            "coreto_exporter_lag_seconds",
            "The age of the oldest record that has not arrived",
            Kind::Gauge,
            &lag,
        ),
        gauge("coreto_exporter_halted", "1 once nothing is exported any more", |progress| {
            u64::from(progress.halted().is_some())
        }),
        gauge(
            "coreto_exporter_refused_documents",
            "Documents that the receiver refuses and that hold up the others",
            Progress::refused,
        ),
        counter("coreto_exporter_records_total", "Records that have arrived", Progress::records),
        counter(
            "coreto_exporter_left_out_total",
            "Documents that the receiver refused and that were left out",
            Progress::left_out,
        ),
        counter("coreto_exporter_skipped_total", "Batches lost to trimming", Progress::skipped),
        counter("coreto_exporter_failures_total", "Failed attempts to send", Progress::failures),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_each_exporter_of_each_partition_apart() {
        let exporters: Vec<_> = [1, 2]
            .map(|partition| (Named { exporter: "ndjson", partition }, Arc::new(Progress::default())))
            .into();
        for family in families(&exporters, Timestamp::from_millis(5000), |_| 7) {
            let labels: Vec<_> = family.samples.iter().map(|sample| &sample.labels).collect();
            assert_eq!(labels.len(), 2, "{}", family.name);
            assert_ne!(labels[0], labels[1], "{}", family.name);
        }
        let component = component(exporters[1].0, &exporters[1].1);
        assert_eq!((&*component.name, component.up, &*component.detail), ("exporter-ndjson-2", true, ""));
    }
}
