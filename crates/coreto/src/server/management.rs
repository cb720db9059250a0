//! What management tells: health, metrics, the clock.

mod exporting;

use std::sync::Arc;
use std::time::Duration;

use coreto_catalog::Catalog;
use coreto_engine::Engine;
use coreto_grpc::Outlet;
use coreto_machine::Timestamp;
use coreto_partition::{Clock, Handle, Health};
use coreto_record::Command;
use coreto_record::command::PinClock;
use coreto_rest::{ClockError, Component, Family, Kind, Parts, Probe, Sample};
use coreto_view::Progress;

use super::export::Named;

/// How long a pinned clock may take to be on disk; a server that drains waits for it.
const DURABLE_IN: Duration = Duration::from_secs(3);

/// What management is told by.
pub(super) struct Management {
    pub(super) handles: Vec<Handle<Engine>>,
    /// The catalog's, unless that is off.
    pub(super) catalog: Option<Handle<Catalog>>,
    pub(super) outlet: Arc<Outlet>,
    pub(super) exporters: Vec<(Named, Arc<Progress>)>,
    pub(super) clock: Arc<Clock>,
}

impl Management {
    /// The same, as management takes it.
    pub(super) fn into_parts(self) -> Parts {
        let management = Arc::new(self);
        let clock =
            management.clock.is_controlled().then(|| Arc::clone(&management) as Arc<dyn coreto_rest::Clock>);
        Parts { health: management.clone(), metrics: management, clock }
    }

    /// Lets every partition look at the clock again.
    fn wake(&self) {
        self.handles.iter().for_each(Handle::wake);
        self.catalog.iter().for_each(Handle::wake);
    }

    /// Lets every partition remember what became of the clock, also those behind one that does not.
    fn remember(&self, command: &Command) -> Result<(), ClockError> {
        self.wake();
        let told = (1..).zip(&self.handles).map(|(number, handle): (u32, _)| {
            handle.carry_out(command.clone(), DURABLE_IN).map_err(|error| ClockError {
                reason: format!(
                    "it is moved, but partition {number} may not remember that after a restart: {error}"
                ),
            })
        });
        told.fold(Ok(()), Result::and)
    }
}

impl coreto_rest::Health for Management {
    fn components(&self, probe: Probe) -> Vec<Component> {
        let numbered = (1..).zip(&self.handles);
        let mut components: Vec<_> = numbered
            .map(|(number, handle): (u32, _)| {
                component(probe, format!("partition-{number}"), handle.health())
            })
            .collect();
        if let Some(catalog) = &self.catalog {
            components.push(component(probe, "catalog".to_owned(), catalog.health()));
        }
        // Exporters are in nobody's way: what is asked of the server does not depend on them.
        if probe == Probe::All {
            components.extend(self.exporters.iter().map(|(named, at)| exporting::component(*named, at)));
        }
        components
    }
}

/// A partition as a part of the program.
fn component(probe: Probe, name: String, health: Health) -> Component {
    let (up, detail) = match health {
        Health::Healthy => (true, String::new()),
        Health::Recovering => (probe == Probe::Liveness, "recovering".to_owned()),
        Health::NoSpace { free_bytes } => (
            matches!(probe, Probe::Liveness | Probe::Startup),
            format!("the disk has {free_bytes} bytes left"),
        ),
        Health::CannotWrite { reason } => (
            matches!(probe, Probe::Liveness | Probe::Startup),
            format!("the log cannot be written: {reason}"),
        ),
        Health::Stopped { reason } => (false, reason.to_string()),
    };
    Component { name, up, detail }
}

impl coreto_rest::Metrics for Management {
    fn collect(&self) -> Vec<Family> {
        let mut families = self.partition_families();
        let durable = |partition: u32| self.handles[partition as usize - 1].statistics().durable;
        families.extend(exporting::families(&self.exporters, self.clock.now(), durable));
        let outlet = self.outlet.statistics();
        families.extend([
            gauge("coreto_grpc_connections", "Open connections to the gateway", outlet.connections),
            gauge("coreto_grpc_job_streams", "Open job streams", outlet.streams),
            gauge("coreto_grpc_polls", "Polls for jobs that wait or are being answered", outlet.polls),
            Family {
                kind: Kind::Counter,
                ..gauge(
                    "coreto_grpc_jobs_given_back_total",
                    "Jobs that could not be handed over",
                    outlet.given_back,
                )
            },
        ]);
        families
    }
}

impl Management {
    fn partition_families(&self) -> Vec<Family> {
        let numbered = (1..).zip(&self.handles);
        let mut statistics: Vec<_> =
            numbered.map(|(number, handle): (u32, _)| (number.to_string(), handle.statistics())).collect();
        statistics.extend(self.catalog.iter().map(|catalog| ("catalog".to_owned(), catalog.statistics())));
        let family = |name, help, kind, value: fn(&coreto_partition::Statistics) -> u64| Family {
            name,
            help,
            kind,
            samples: statistics
                .iter()
                .map(|(partition, statistics)| Sample {
                    labels: vec![("partition", partition.clone())],
                    value: number(value(statistics)),
                })
                .collect(),
        };
        let counter = Kind::Counter;
        vec![
            family("coreto_partition_commands_total", "Commands handled", counter, |s| s.commands),
            family("coreto_partition_refused_total", "Requests refused under load", counter, |s| s.refused),
            family("coreto_log_batches_total", "Batches made durable", counter, |s| s.batches),
            family("coreto_log_bytes_total", "Bytes of batches before compression", counter, |s| s.bytes),
            family(
                "coreto_log_written_bytes_total",
                "Bytes of batches as the log stores them",
                counter,
                |s| s.written,
            ),
            family("coreto_store_checkpoints_total", "Checkpoints written", counter, |s| s.checkpoints),
            family("coreto_log_durable_sequence", "The last durable batch", Kind::Gauge, |s| s.durable),
            family("coreto_log_durable_position", "The last durable record", Kind::Gauge, |s| s.position),
            family("coreto_disk_free_bytes", "Free bytes of the data disk", Kind::Gauge, |s| s.free_bytes),
        ]
    }
}

fn gauge(name: &'static str, help: &'static str, value: u64) -> Family {
    Family {
        name,
        help,
        kind: Kind::Gauge,
        samples: vec![Sample { labels: Vec::new(), value: number(value) }],
    }
}

/// Metrics are floating point; beyond 2⁵³ the last digits do not matter.
#[expect(clippy::cast_precision_loss, reason = "the format of metrics is floating point")]
const fn number(value: u64) -> f64 {
    value as f64
}

impl coreto_rest::Clock for Management {
    fn now(&self) -> i64 {
        self.clock.now().as_millis()
    }

    fn pin(&self, epoch_milli: i64) -> Result<(), ClockError> {
        let at = Timestamp::from_millis(epoch_milli);
        self.clock.pin(at);
        self.remember(&Command::PinClock(PinClock { at }))
    }

    fn add(&self, offset_milli: i64) -> Result<(), ClockError> {
        self.clock.add(offset_milli);
        if let Some(at) = self.clock.pinned() {
            return self.remember(&Command::PinClock(PinClock { at }));
        }
        self.wake();
        Ok(())
    }

    fn reset(&self) -> Result<(), ClockError> {
        self.clock.reset();
        self.remember(&Command::ResetClock(()))
    }
}
