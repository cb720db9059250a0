//! The partition of the catalog, and the doors to it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use coreto_catalog::{Catalog, Env};
use coreto_discovery::{Hub, Parts};
use coreto_log::DiskLog;
use coreto_log::disk::make_directory;
use coreto_partition::{Clock, Effects, Handle, Replica, Service};

use super::group::Group;
use crate::config::{CatalogConfig, ServerConfig};
use crate::descriptors;

/// The name of the catalog's group of partitions, of which there is one.
pub(super) const GROUP: &str = "catalog";

/// The catalog: its partition, which runs, and its doors, which are bound.
pub(super) struct Opened {
    pub(super) partitions: Service<Catalog>,
    pub(super) door: coreto_discovery::Service,
    /// Nothing, when names are off.
    pub(super) names: Option<coreto_dns::Service>,
}

impl Opened {
    /// Recovers the catalog, and binds its address; the process may have `open_max` things open.
    pub(super) fn open(
        config: &ServerConfig,
        catalog: &CatalogConfig,
        open_max: u64,
        root: &Path,
        log: &Arc<DiskLog>,
        clock: &Arc<Clock>,
    ) -> anyhow::Result<Self> {
        let hub = Arc::new(Hub::default());
        let waiting = Arc::clone(&hub);
        let wake = move |touched: Option<&[_]>, applied| waiting.observe(touched, applied);
        let replica = Arc::new(Replica::new(Box::new(wake)));
        let directory = root.join(format!("{GROUP}-1"));
        make_directory(&directory).with_context(|| format!("cannot make `{}`", directory.display()))?;
        let group = Group {
            name: GROUP,
            partitions: 1,
            executors: 1,
            env: Box::new(|_| Env::default()),
            effects: Arc::new(Nothing),
            replicas: vec![Arc::clone(&replica)],
        };
        let partitions = Service::start(group.on(config, root, log, clock))?;
        let handle = partitions.handles()[0].clone();
        let usual = coreto_discovery::Config::default();
        let discovery = coreto_discovery::Config {
            connections_max: descriptors::clients(usual.connections_max, open_max),
            address: catalog.address,
            node: Arc::clone(&catalog.node),
            node_address: Arc::clone(&catalog.advertise),
            datacenter: Arc::clone(&catalog.datacenter),
            ..usual
        };
        let names = catalog.dns.as_ref().map(|dns| {
            let config = coreto_dns::Config {
                address: dns.address,
                domain: Arc::clone(&dns.domain),
                datacenter: Arc::clone(&catalog.datacenter),
                upstreams: dns.recursors.clone(),
                ..coreto_dns::Config::default()
            };
            config.build(Arc::clone(&replica)).context("names (--dns) cannot be served")
        });
        let door = discovery
            .build(Parts { handle, replica, hub })
            .context("the catalog (--catalog) cannot be opened")?;
        Ok(Self { partitions, door, names: names.transpose()? })
    }

    /// The door of the partition.
    pub(super) fn handle(&self) -> Handle<Catalog> {
        self.partitions.handles()[0].clone()
    }
}

/// Whoever waits looks at the replica.
struct Nothing;

impl Effects<Catalog> for Nothing {
    fn perform(&self, effects: &mut Vec<()>) {
        effects.clear();
    }
}
