//! A server: the partitions of the engine and of the catalog on a disk log, with their doors and exporters.

mod backend;
mod catalog;
mod directory;
mod door;
mod edge;
mod export;
mod group;
mod management;
mod signal;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use coreto_catalog::Catalog;
use coreto_edge::Beside;
use coreto_edge::internal::Served;
use coreto_engine::{Engine, Env, Limits, Sinks};
use coreto_grpc::Outlet;
use coreto_log::DiskLog;
use coreto_partition::{Clock, Effects, Service};

use crate::config::ServerConfig;
use crate::descriptors;
use backend::Partitions;
use catalog::Opened;
use door::Doors;
use export::{Exporters, Watching};
use group::Group;
use management::Management;

pub(crate) use directory::DataDirectory;
pub(crate) use edge::{Told, with_catalog_token};
pub(crate) use signal::termination;

/// The name of the engine's group of partitions.
const GROUP: &str = "engine";

/// Where a running server is reached.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) grpc: SocketAddr,
    pub(crate) management: SocketAddr,
    /// Nothing, when the catalog is off.
    pub(crate) catalog: Option<SocketAddr>,
    /// Nothing, when names are off.
    pub(crate) dns: Option<SocketAddr>,
    /// The gateway's listeners by name; nothing, when it runs elsewhere.
    pub(crate) edge: Vec<(String, SocketAddr)>,
}

impl Addresses {
    /// Doors that other machines may reach, where nobody is asked who they are. The gateway is there for that.
    fn open_to_others(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let doors = [
            ("grpc", Some(self.grpc)),
            ("management", Some(self.management)),
            ("catalog", self.catalog),
            ("dns", self.dns),
        ];
        let others = |address: &SocketAddr| !address.ip().to_canonical().is_loopback();
        doors.into_iter().filter_map(move |(door, address)| Some((door, address.filter(others)?)))
    }

    /// For the gateway, to which none of them is an upstream.
    fn beside(&self) -> Beside {
        let served = |address, what| Served { address, what };
        let own =
            [served(self.grpc, "the engine's gRPC"), served(self.management, "the server's management")];
        let catalog = self.catalog.map(|address| served(address, "the catalog"));
        let dns = self.dns.map(|address| served(address, "the catalog's DNS"));
        Beside { catalog: self.catalog, served: own.into_iter().chain(catalog).chain(dns).collect() }
    }
}

/// A running server. [`Server::stop`] drains it.
pub(crate) struct Server {
    addresses: Addresses,
    drain_max: Duration,
    partitions: Service<Engine>,
    catalog: Option<Service<Catalog>>,
    doors: Doors,
    exporters: Exporters,
    /// Dropped last: a temporary one is removed then.
    _directory: DataDirectory,
}

impl Server {
    /// Starts on a data directory.
    pub(crate) fn start(config: &ServerConfig, data: &Path) -> anyhow::Result<Self> {
        Self::start_in(config, DataDirectory::open(data)?)
    }

    /// Starts in a temporary directory that is removed at the end.
    pub(crate) fn start_ephemeral(config: &ServerConfig) -> anyhow::Result<Self> {
        Self::start_in(config, DataDirectory::temporary()?)
    }

    fn start_in(config: &ServerConfig, directory: DataDirectory) -> anyhow::Result<Self> {
        let open_max = descriptors::raise();
        // Opening the log locks the directory: what is made in it is made by one server.
        let log = Arc::new(DiskLog::open(directory.path())?);
        let count = directory.partitions(config.partitions, &log, &config.limits)?;
        let clock = Arc::new(if config.controlled_clock { Clock::controlled() } else { Clock::real() });
        let sinks = Arc::new(Sinks::default());
        let outlet = Outlet::new(1);
        let group = engine_group(count, config, &sinks, outlet.clone());
        let partitions = Service::start(group.on(config, directory.path(), &log, &clock))?;
        let handles = partitions.handles().to_vec();

        let catalog = match &config.catalog {
            Some(catalog) => Some(Opened::open(config, catalog, open_max, directory.path(), &log, &clock)?),
            None => None,
        };

        let backend = Arc::new(Partitions { handles: handles.clone(), sinks });
        let watching = Arc::new(Watching { log: Arc::clone(&log), handles: handles.clone() });
        let grpc_config = grpc_config(config);
        let drain_max = grpc_config.drain_max;
        let grpc = grpc_config
            .build(backend, Arc::clone(&outlet), watching)
            .context("the gateway (--grpc) cannot be opened")?;
        let exporters = Exporters::start(config, &log, &handles)?;
        let management = Management {
            handles,
            catalog: catalog.as_ref().map(Opened::handle),
            outlet,
            exporters: exporters.progress(),
            clock: Arc::clone(&clock),
        };
        let management_config = coreto_rest::Config { address: config.management, ..Default::default() };
        let management = management_config
            .build(management.into_parts())
            .context("management (--management) cannot be opened")?;
        let mut addresses = Addresses {
            grpc: grpc.local_addr(),
            management: management.local_addr(),
            catalog: catalog.as_ref().map(|catalog| catalog.door.local_addr()),
            dns: catalog.as_ref().and_then(|catalog| Some(catalog.names.as_ref()?.local_addr())),
            edge: Vec::new(),
        };
        for (door, address) in addresses.open_to_others() {
            tracing::warn!(door, %address, "open to other machines, and asks nobody who they are");
        }
        let edge = config.edge.as_ref().map(|edge| edge::open(edge, addresses.beside())).transpose()?;
        addresses.edge = edge.as_ref().map(|edge| edge.shared().addresses()).unwrap_or_default();
        let mut doors = Doors::new();
        // The first that is opened is the first to drain: it says so for a while, and goes on as long as it does.
        if let Some(gateway) = edge {
            doors.open("edge", |drained| edge::run(gateway, drained))?;
        }
        doors.open("grpc", |drained| Ok(grpc.run(drained)?))?;
        doors.open("management", |drained| Ok(management.run(drained)?))?;
        let catalog = match catalog {
            Some(Opened { partitions, door, names }) => {
                doors.open("catalog", |drained| Ok(door.run(drained)?))?;
                if let Some(names) = names {
                    doors.open("dns", |drained| Ok(names.run(drained)?))?;
                }
                Some(partitions)
            }
            None => None,
        };
        Ok(Self { addresses, drain_max, partitions, catalog, doors, exporters, _directory: directory })
    }

    /// Where the server is reached.
    pub(crate) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// How long clients may keep [`Server::stop`] waiting.
    pub(crate) const fn drain_max(&self) -> Duration {
        self.drain_max
    }

    /// Waits until something ends that clients talk to, though nobody has asked it to; gives its name.
    pub(crate) async fn door_ended(&mut self) -> &'static str {
        self.doors.ended().await
    }

    /// Answers what is under way, closes the doors, and then everything behind them.
    ///
    /// # Errors
    /// When a door did not serve until now; everything is closed nevertheless.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        let Self { partitions, catalog, doors, exporters, .. } = self;
        let closed = doors.close();
        partitions.stop();
        if let Some(catalog) = catalog {
            catalog.stop();
        }
        exporters.stop();
        closed
    }
}

/// The engine's partitions, whoever performs their effects.
pub(crate) fn engine_group(
    partitions: u32,
    config: &ServerConfig,
    sinks: &Arc<Sinks>,
    effects: Arc<dyn Effects<Engine>>,
) -> Group<Engine> {
    let (sinks, zone) = (Arc::clone(sinks), Arc::clone(&config.zone));
    Group {
        name: GROUP,
        partitions,
        executors: thread::available_parallelism().map_or(1, usize::from),
        env: Box::new(move |_| Env::new(Arc::clone(&sinks), Limits::default(), Arc::clone(&zone))),
        effects,
        replicas: Vec::new(),
    }
}

fn grpc_config(config: &ServerConfig) -> coreto_grpc::Config {
    let tls = config
        .tls
        .as_ref()
        .map(|files| coreto_grpc::Tls { certificate: files.certificate.clone(), key: files.key.clone() });
    coreto_grpc::Config {
        address: config.grpc,
        tls,
        message_bytes_max: config.message_bytes_max,
        ..coreto_grpc::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_that_others_may_reach_are_told() {
        let at = |address: &str| address.parse().unwrap();
        let mut addresses = Addresses {
            grpc: at("127.0.0.1:26500"),
            management: at("[::1]:9600"),
            catalog: Some(at("[::ffff:127.0.0.1]:8500")),
            dns: None,
            edge: vec![("public".into(), at("0.0.0.0:8000"))],
        };
        assert_eq!(addresses.open_to_others().count(), 0);
        addresses.grpc = at("0.0.0.0:26500");
        addresses.management = at("[::]:9600");
        addresses.catalog = Some(at("10.0.0.1:8500"));
        addresses.dns = Some(at("[::ffff:10.0.0.1]:8600"));
        let told: Vec<_> = addresses.open_to_others().map(|(door, _)| door).collect();
        assert_eq!(told, ["grpc", "management", "catalog", "dns"]);
    }
}
