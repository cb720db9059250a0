//! Settings as the code takes them.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coreto_feel::value::temporal::Zone;
use coreto_partition::{Limits, SnapshotPolicy};
use coreto_view::OnRefusal;

use super::sources::{ConfigError, Origin, Settings};

/// What a server runs with.
pub(crate) struct ServerConfig {
    pub(crate) data: Option<PathBuf>,
    /// How many partitions the engine shall have, where somebody said so.
    pub(crate) partitions: Option<u32>,
    pub(crate) grpc: SocketAddr,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) message_bytes_max: usize,
    pub(crate) management: SocketAddr,
    /// Nothing, when the catalog is off.
    pub(crate) catalog: Option<CatalogConfig>,
    /// Nothing, when no gateway runs beside.
    pub(crate) edge: Option<EdgeConfig>,
    pub(crate) controlled_clock: bool,
    pub(crate) elasticsearch: Option<ElasticsearchConfig>,
    pub(crate) ndjson: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) snapshots: SnapshotPolicy,
    pub(crate) zone: Arc<str>,
}

/// Where the catalog is served, and as what.
pub(crate) struct CatalogConfig {
    pub(crate) address: SocketAddr,
    pub(crate) node: Arc<str>,
    pub(crate) advertise: Arc<str>,
    pub(crate) datacenter: Arc<str>,
    /// Nothing, when names are off.
    pub(crate) dns: Option<DnsConfig>,
}

/// Where names are served, and which.
pub(crate) struct DnsConfig {
    pub(crate) address: SocketAddr,
    pub(crate) domain: Arc<str>,
    /// Who is asked for names of other domains.
    pub(crate) recursors: Vec<SocketAddr>,
}

/// A gateway in the same process.
pub(crate) struct EdgeConfig {
    pub(crate) file: PathBuf,
    /// Nothing, when its requests are not written down.
    pub(crate) access_log: Option<PathBuf>,
}

/// Certificate and key of the gateway.
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where records go.
pub(crate) struct ElasticsearchConfig {
    pub(crate) url: String,
    pub(crate) records: ExportedRecords,
    pub(crate) delay: Duration,
    pub(crate) index_prefix: String,
    pub(crate) on_refusal: OnRefusal,
}

/// Which records are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportedRecords {
    Events,
    All,
}

impl ServerConfig {
    /// Checks every setting.
    pub(crate) fn check(settings: &Settings) -> Result<Self, ConfigError> {
        let number = |key| settings.parse(key, "a whole number", |text| text.parse::<u64>().ok());
        let address = |key| {
            settings.parse(key, "an address and port such as 127.0.0.1:26500", |text| text.parse().ok())
        };
        let partitions = settings.parse("data.partitions", "a number from 1 to 8191", |text| {
            text.parse::<u32>().ok().filter(|count| (1..=8191).contains(count))
        })?;
        let said = *settings.get("data.partitions").1 != Origin::Default;
        let records =
            settings.parse("export.elasticsearch.records", "`events` or `all`", |text| match text {
                "events" => Some(ExportedRecords::Events),
                "all" => Some(ExportedRecords::All),
                _ => None,
            })?;
        let on_refusal =
            settings.parse("export.elasticsearch.on-refusal", "`retry` or `skip`", |text| match text {
                "retry" => Some(OnRefusal::Retry),
                "skip" => Some(OnRefusal::Skip),
                _ => None,
            })?;
        let delay = Duration::from_millis(number("export.elasticsearch.delay-ms")?);
        let index_prefix = settings.get("export.elasticsearch.index-prefix").0.to_owned();
        let elasticsearch = settings.text("export.elasticsearch.url").map(|url| ElasticsearchConfig {
            url: url.to_owned(),
            records,
            delay,
            index_prefix,
            on_refusal,
        });
        Ok(Self {
            data: settings.text("data.dir").map(PathBuf::from),
            partitions: said.then_some(partitions),
            grpc: address("grpc.address")?,
            tls: Self::tls(settings)?,
            message_bytes_max: settings.parse(
                "grpc.message-bytes-max",
                "a number of bytes above 0",
                |text| text.parse::<usize>().ok().filter(|bytes| *bytes > 0),
            )?,
            management: address("management.address")?,
            catalog: Self::catalog(settings)?,
            edge: settings.text("edge.config").map(|file| EdgeConfig {
                file: PathBuf::from(file),
                access_log: settings.text("edge.access-log").filter(|log| *log != "off").map(PathBuf::from),
            }),
            controlled_clock: settings.parse("clock.mode", "`real` or `controlled`", |text| match text {
                "real" => Some(false),
                "controlled" => Some(true),
                _ => None,
            })?,
            elasticsearch,
            ndjson: settings.text("export.ndjson.file").map(str::to_owned),
            limits: Self::limits(settings)?,
            snapshots: SnapshotPolicy {
                log_bytes: number("snapshot.log-bytes")?,
                interval: Duration::from_secs(number("snapshot.interval-minutes")?.saturating_mul(60)),
                ..SnapshotPolicy::default()
            },
            zone: settings.parse("time-zone", "the name of a time zone such as Europe/Lisbon", |text| {
                Zone::from_name(text).map(|_| text.into())
            })?,
        })
    }

    fn catalog(settings: &Settings) -> Result<Option<CatalogConfig>, ConfigError> {
        let address = |key, expected| {
            settings.parse(key, expected, |text| match text {
                "off" => Some(None),
                text => text.parse().ok().map(Some),
            })
        };
        let catalog: Option<SocketAddr> =
            address("catalog.address", "an address and port such as 127.0.0.1:8500, or `off`")?;
        let dns = address("dns.address", "an address and port such as 127.0.0.1:8600, or `off`")?;
        let is_wanted = *settings.get("dns.address").1 != Origin::Default;
        if catalog.is_none() && dns.is_some() && is_wanted {
            let text =
                "dns.address is set, and catalog.address is `off`: there are no names without a catalog";
            return Err(ConfigError::Together(text.to_owned()));
        }
        let domain = settings.parse("dns.domain", "a domain such as consul", |text| {
            text.split('.').all(is_label).then(|| text.into())
        })?;
        let dns: Option<DnsConfig> = match dns {
            Some(address) => {
                Some(DnsConfig { address, domain, recursors: Self::recursors(settings, address)? })
            }
            None => None,
        };
        let label = "a name of letters, digits and `-`, 63 at most";
        let name = |key| settings.parse(key, label, |text| is_label(text).then(|| text.into()));
        let node = match settings.text("catalog.node") {
            Some(_) => name("catalog.node")?,
            None => machine(),
        };
        let reached = "an address such as 10.0.0.7, at which others reach this machine";
        let advertise = settings.parse("catalog.advertise", reached, |text| {
            text.parse::<IpAddr>().is_ok_and(|address| !address.is_unspecified()).then(|| text.into())
        })?;
        let datacenter = name("catalog.datacenter")?;
        Ok(catalog.map(|address| CatalogConfig { address, node, advertise, datacenter, dns }))
    }

    /// Who is asked for names of other domains than ours, at port 53 unless another one is said.
    fn recursors(settings: &Settings, own: SocketAddr) -> Result<Vec<SocketAddr>, ConfigError> {
        const KEY: &str = "dns.recursors";
        let one = |text: &str| {
            let bare = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
            text.parse().ok().or_else(bare)
        };
        let expected = "at most four addresses of DNS servers, such as 10.0.0.2,[fd00::2]:53";
        let recursors: Vec<SocketAddr> = settings.parse(KEY, expected, |text| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            let all: Option<Vec<_>> = parts.map(one).collect();
            all.filter(|all| all.len() <= coreto_dns::UPSTREAMS_MAX)
        })?;
        if own.port() != 0 && recursors.contains(&own) {
            let text = format!("{KEY} has `{own}`, which is dns.address: the server would ask itself");
            return Err(ConfigError::Together(text));
        }
        Ok(recursors)
    }

    /// Limits of a partition. Of two steps, the one for new work is the first.
    fn limits(settings: &Settings) -> Result<Limits, ConfigError> {
        let number = |key| settings.parse(key, "a whole number", |text| text.parse::<u64>().ok());
        let bytes = |key| settings.parse(key, "a number of bytes", |text| text.parse::<usize>().ok());
        let limits = Limits {
            queue_bytes_soft: bytes("limits.queue-bytes-soft")?,
            queue_bytes_hard: bytes("limits.queue-bytes-hard")?,
            queue_wait_max: Duration::from_millis(number("limits.queue-wait-ms")?),
            kept_replies_bytes_max: number("limits.kept-replies-bytes")?,
            free_bytes_new_work: number("limits.free-bytes-new-work")?,
            free_bytes_all: number("limits.free-bytes-all")?,
            ..Limits::default()
        };
        let Limits { queue_bytes_soft: soft, queue_bytes_hard: hard, .. } = limits;
        if soft > hard {
            return Err(ConfigError::Together(format!(
                "limits.queue-bytes-soft is {soft}, which is above limits.queue-bytes-hard, {hard}"
            )));
        }
        let Limits { free_bytes_new_work: new_work, free_bytes_all: all, .. } = limits;
        if all > new_work {
            return Err(ConfigError::Together(format!(
                "limits.free-bytes-all is {all}, which is above limits.free-bytes-new-work, {new_work}"
            )));
        }
        Ok(limits)
    }

    fn tls(settings: &Settings) -> Result<Option<TlsFiles>, ConfigError> {
        match (settings.text("grpc.tls-cert"), settings.text("grpc.tls-key")) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: readable("grpc.tls-cert", certificate)?,
                key: readable("grpc.tls-key", key)?,
            })),
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(ConfigError::Together("grpc.tls-cert needs grpc.tls-key beside it".to_owned()))
            }
            (None, Some(_)) => {
                Err(ConfigError::Together("grpc.tls-key needs grpc.tls-cert beside it".to_owned()))
            }
        }
    }
}

/// Whether names in DNS may have this as a part.
fn is_label(text: &str) -> bool {
    let inner = |char: char| char.is_ascii_alphanumeric() || char == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(inner) && !text.starts_with('-')
}

/// The name of this machine, as far as it may be one in DNS.
fn machine() -> Arc<str> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let first = name.trim().split('.').next().unwrap_or_default();
    if is_label(first) { first.into() } else { "coreto".into() }
}

/// A file that a setting names, which has to be there.
fn readable(key: &str, path: &str) -> Result<PathBuf, ConfigError> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(path.into()),
        Err(error) => Err(ConfigError::Together(format!("cannot read `{path}`, which {key} names: {error}"))),
    }
}
