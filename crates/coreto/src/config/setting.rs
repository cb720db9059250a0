//! The one list of settings: key in the file, environment variable, default, meaning.

/// One setting.
pub(crate) struct Setting {
    /// The key in `coreto.toml`, with its table.
    pub(crate) key: &'static str,
    /// What it is when nobody says anything; empty for none.
    pub(crate) default: &'static str,
    /// What it does, in both directions, with its unit.
    pub(crate) help: &'static str,
    /// The first release that has it.
    pub(crate) since: &'static str,
}

impl Setting {
    /// The environment variable: `grpc.tls-cert` is `CORETO_GRPC_TLS_CERT`.
    pub(crate) fn variable(&self) -> String {
        format!("CORETO_{}", self.key.replace(['.', '-'], "_").to_uppercase())
    }

    /// The setting with this key.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }
}

const fn setting(key: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { key, default, help, since: "0.1.0" }
}

/// All settings, in the order of the reference page.
pub(crate) const SETTINGS: &[Setting] = &[
    setting(
        "data.dir",
        "",
        "The directory that holds everything durable. `coreto dev` takes a temporary one.",
    ),
    setting(
        "data.partitions",
        "1",
        "Partitions of the engine, fixed when the data directory is made; a directory that is there says how many it has.",
    ),
    setting(
        "grpc.address",
        "127.0.0.1:26500",
        "Where the gateway protocol is served. Port 0 takes any free one.",
    ),
    setting(
        "grpc.tls-cert",
        "",
        "The server's certificate chain, a PEM file. With grpc.tls-key it turns TLS on.",
    ),
    setting("grpc.tls-key", "", "The private key of the certificate, a PEM file."),
    setting(
        "grpc.message-bytes-max",
        "4194304",
        "The largest request in bytes. A larger limit lets one client hold more memory.",
    ),
    setting(
        "management.address",
        "127.0.0.1:9600",
        "Where health, metrics and the clock are served. Port 0 takes any free one.",
    ),
    setting(
        "catalog.address",
        "127.0.0.1:8500",
        "Where the catalog is served over Consul's HTTP, or `off`. Whoever reaches it may change it: keep it internal. Port 0 takes any free one.",
    ),
    setting(
        "catalog.node",
        "",
        "The name of this node in the catalog; the name of the machine when nothing is said.",
    ),
    setting(
        "catalog.advertise",
        "127.0.0.1",
        "The address of this node, where services are that register without one.",
    ),
    setting(
        "catalog.datacenter",
        "dc1",
        "The name of the data centre; requests for another one are refused.",
    ),
    setting(
        "dns.address",
        "127.0.0.1:8600",
        "Where names of the catalog are served over DNS, by UDP and TCP, or `off`. Without a catalog there are none. Port 0 takes any free one.",
    ),
    setting("dns.domain", "consul", "The domain of these names."),
    setting(
        "dns.recursors",
        "",
        "DNS servers that are asked for names of other domains, one after the other until one knows, as Consul's `recursors`: addresses with commas between them, at port 53 when they have none. Without them such names are refused.",
    ),
    setting(
        "edge.config",
        "",
        "A configuration of the gateway, such as `edge.toml`: it runs in the same process then, and its services are those of the catalog. SIGHUP reads it again.",
    ),
    setting(
        "edge.access-log",
        "off",
        "Where a line of JSON goes for each request at the gateway: a file, or `off`.",
    ),
    setting(
        "clock.mode",
        "real",
        "`real`, or `controlled`: the management port may then pin and move the clock. For tests.",
    ),
    setting("export.elasticsearch.url", "", "Where records go by `_bulk`; nothing is exported without it."),
    setting(
        "export.elasticsearch.records",
        "events",
        "`events` (the default filter of Zeebe's exporter) or `all` (events and rejections of every value type).",
    ),
    setting(
        "export.elasticsearch.delay-ms",
        "5000",
        "How long records wait at most for a fuller request, in milliseconds. Shorter is fresher, longer is cheaper.",
    ),
    setting(
        "export.elasticsearch.on-refusal",
        "retry",
        "What becomes of a document that the server refuses for what is in it: `retry` sends it until it is taken, and all behind it wait; `skip` leaves it out after three refusals, with an error in the log and in coreto_exporter_left_out_total.",
    ),
    setting("export.elasticsearch.index-prefix", "zeebe-record", "How index names begin."),
    setting(
        "export.ndjson.file",
        "",
        "A file that gets every record as a line of JSON, or `-` for standard output.",
    ),
    setting(
        "limits.queue-bytes-soft",
        "16777216",
        "Bytes of waiting requests from which on new work is refused.",
    ),
    setting(
        "limits.queue-bytes-hard",
        "67108864",
        "Bytes of waiting requests from which on every request is refused.",
    ),
    setting(
        "limits.queue-wait-ms",
        "500",
        "The expected wait from which on new work is refused, in milliseconds.",
    ),
    setting(
        "limits.kept-replies-bytes",
        "536870912",
        "Bytes of replies that are kept for idempotency keys, with some 256 for each, from which on no more keys are taken.",
    ),
    setting("limits.free-bytes-new-work", "268435456", "Below this much free disk new work is refused."),
    setting(
        "limits.free-bytes-all",
        "134217728",
        "Below this much free disk everything is refused; the rest is for snapshots and trimming.",
    ),
    setting("snapshot.log-bytes", "1073741824", "A snapshot is due after so many bytes of log."),
    setting(
        "snapshot.interval-minutes",
        "30",
        "A snapshot is due after so many minutes in which anything happened.",
    ),
    setting("time-zone", "UTC", "The time zone of calendar arithmetic in expressions, by its IANA name."),
];
