//! Exporters and watchers: whoever reads the log behind the engine.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use coreto_engine::Engine;
use coreto_grpc::{Feed, WatchError, Watched, Watcher, Wish};
use coreto_log::{DiskLog, PartitionName};
use coreto_partition::Handle;
use coreto_record::{Key, partition_of_key};
use coreto_view::{
    ElasticsearchConfig, ElasticsearchSink, Exporter, Filter, NdjsonSink, Progress, Running, Sink, Tail,
    Tailed,
};

use super::GROUP;
use crate::config::{ExportedRecords, ServerConfig};

/// The running exporters.
pub(super) struct Exporters(Vec<(Named, Running)>);

/// Which exporter of which partition.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) exporter: &'static str,
    pub(super) partition: u32,
}

impl Exporters {
    /// Starts what the configuration names, one of each kind for every partition.
    pub(super) fn start(
        config: &ServerConfig,
        log: &Arc<DiskLog>,
        handles: &[Handle<Engine>],
    ) -> anyhow::Result<Self> {
        let mut running = Vec::new();
        for (partition, handle) in names().zip(handles) {
            if let Some(elasticsearch) = &config.elasticsearch {
                let filter = match elasticsearch.records {
                    ExportedRecords::Events => Filter::Events,
                    ExportedRecords::All => Filter::All,
                };
                let sink = ElasticsearchSink::new(ElasticsearchConfig {
                    index_prefix: elasticsearch.index_prefix.clone(),
                    on_refusal: elasticsearch.on_refusal,
                    ..ElasticsearchConfig::new(elasticsearch.url.as_str())
                })?;
                let named = Named { exporter: "elasticsearch", partition: partition.number };
                let settings = settings(named.exporter, &partition, log, handle, filter, elasticsearch.delay);
                running.push((named, begin(settings, sink)?));
            }
            if let Some(path) = &config.ndjson {
                let sink = NdjsonSink::open(path)?;
                let named = Named { exporter: "ndjson", partition: partition.number };
                let settings = settings(named.exporter, &partition, log, handle, Filter::All, Duration::ZERO);
                running.push((named, begin(settings, sink)?));
            }
        }
        Ok(Self(running))
    }

    /// How far each exporter is.
    pub(super) fn progress(&self) -> Vec<(Named, Arc<Progress>)> {
        self.0.iter().map(|(named, running)| (*named, Arc::clone(running.progress()))).collect()
    }

    /// Ends them after one last attempt to send.
    pub(super) fn stop(self) {
        for (_, running) in self.0 {
            running.stop();
        }
    }
}

fn settings(
    name: &str,
    partition: &PartitionName,
    log: &Arc<DiskLog>,
    handle: &Handle<Engine>,
    filter: Filter,
    delay: Duration,
) -> coreto_view::Config<DiskLog> {
    coreto_view::Config {
        name: name.into(),
        partition: partition.clone(),
        log: Arc::clone(log),
        handle: handle.clone(),
        filter,
        delay,
    }
}

fn begin<S: Sink>(settings: coreto_view::Config<DiskLog>, sink: S) -> anyhow::Result<Running> {
    Exporter::new(settings, sink).start().context("cannot start the thread of an exporter")
}

/// The engine's partitions, in order.
fn names() -> impl Iterator<Item = PartitionName> {
    (1..).map(|number| PartitionName { group: GROUP.into(), number })
}

/// Feeds watchers from the log, each on a thread of its own.
pub(super) struct Watching {
    pub(super) log: Arc<DiskLog>,
    pub(super) handles: Vec<Handle<Engine>>,
}

impl Watcher for Watching {
    fn watch(&self, wish: Wish, feed: Feed) -> Result<(), WatchError> {
        let feed = Arc::new(feed);
        let count = u32::try_from(self.handles.len()).unwrap_or(u32::MAX);
        let only = wish.instance.map(|instance| partition_of_key(instance.raw(), count));
        if only.is_none() && wish.after.is_some() && count > 1 {
            let reason = "positions count in each partition, and there are several; watch from now on, or one instance";
            return Err(WatchError::Position { reason: reason.to_owned() });
        }
        let partitions = names().zip(&self.handles);
        for (partition, handle) in partitions.filter(|(name, _)| only.is_none_or(|only| only == name.number))
        {
            self.follow(partition, handle, &wish, &feed)?;
        }
        Ok(())
    }
}

impl Watching {
    /// Feeds the records of one partition, on a thread of its own.
    fn follow(
        &self,
        partition: PartitionName,
        handle: &Handle<Engine>,
        wish: &Wish,
        feed: &Arc<Feed>,
    ) -> Result<(), WatchError> {
        let feed = Arc::clone(feed);
        let number = partition.number;
        let tail = Tail {
            partition,
            log: Arc::clone(&self.log),
            handle: handle.clone(),
            instance: wish.instance,
            events: wish.events,
            commands: wish.commands,
            rejections: wish.rejections,
            after: wish.after,
        };
        let begun = tail.begin().map_err(|error| WatchError::Log { reason: error.reason })?;
        let run = move || {
            let put = |Tailed { position, records }| {
                feed.put(Watched { partition: number, position, records }).is_ok()
            };
            if let Err(error) = begun.run(put, || feed.is_closed()) {
                feed.fail(WatchError::Log { reason: error.reason });
            }
        };
        let thread = thread::Builder::new().name("watch".to_owned()).spawn(run);
        thread.map(drop).map_err(|error| WatchError::Log { reason: error.to_string() })
    }
}
