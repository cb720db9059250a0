//! Which path is answered by what.

use coreto_catalog::Status;
use http::Method;

use crate::answer::{Answer, Fault};
use crate::asked::Asked;
use crate::desk::Desk;
use crate::endpoint::{agent, agent_check, agent_health, catalog, health, kv, session, status};

const GET: &str = "GET, HEAD";
const PUT: &str = "PUT";
const KEYS: &str = "GET, HEAD, PUT, DELETE";

/// Answers a request.
pub(crate) async fn answer(desk: &Desk, method: &Method, asked: &Asked) -> Result<Answer, Fault> {
    desk.is_own_datacenter(asked.parameter("dc").unwrap_or_default())?;
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    if let ["kv", key @ ..] = &segments[..] {
        return keys(desk, method, asked, &key.join("/")).await;
    }
    // A slash at the end means nothing elsewhere.
    let path = segments.strip_suffix(&[""]).unwrap_or(&segments);
    if *method == Method::GET || *method == Method::HEAD {
        read(desk, asked, path).await
    } else if *method == Method::PUT {
        write(desk, asked, path).await
    } else {
        Err(match path {
            path if is_write(path) => Fault::Method(PUT),
            path if is_read(path) => Fault::Method(GET),
            path => unknown(path),
        })
    }
}

async fn keys(desk: &Desk, method: &Method, asked: &Asked, key: &str) -> Result<Answer, Fault> {
    match *method {
        Method::GET | Method::HEAD => kv::get(desk, asked, key).await,
        Method::PUT => kv::put(desk, asked, key).await,
        Method::DELETE => kv::delete(desk, asked, key).await,
        _ => Err(Fault::Method(KEYS)),
    }
}

async fn read(desk: &Desk, asked: &Asked, path: &[&str]) -> Result<Answer, Fault> {
    match path {
        ["agent", "self"] => Ok(status::this(desk)),
        ["agent", "members"] => Ok(status::members(desk)),
        ["agent", "services"] => agent::services(desk, asked).await,
        ["agent", "service", id] => agent::service(desk, asked, id).await,
        ["agent", "checks"] => agent_check::checks(desk, asked).await,
        ["agent", "health", "service", "id", id] => agent_health::by_id(desk, asked, id).await,
        ["agent", "health", "service", "name", name] => agent_health::by_name(desk, asked, name).await,
        ["catalog", "datacenters"] => Ok(status::datacenters(desk)),
        ["catalog", "nodes"] => catalog::nodes(desk, asked).await,
        ["catalog", "services"] => catalog::services(desk, asked).await,
        ["catalog", "service", name] => catalog::service(desk, asked, name).await,
        ["catalog", "node", name] => catalog::node(desk, asked, name).await,
        ["health", "service", name] => health::service(desk, asked, name).await,
        ["health", "checks", name] => health::checks(desk, asked, name).await,
        ["health", "node", name] => health::node(desk, asked, name).await,
        ["health", "state", word] => health::state(desk, asked, word).await,
        ["session", "info", id] => session::info(desk, asked, id).await,
        ["session", "list"] => session::list(desk, asked).await,
        ["session", "node", node] => session::on_node(desk, asked, node).await,
        ["status", "leader"] => Ok(status::leader(desk)),
        ["status", "peers"] => Ok(status::peers(desk)),
        _ if is_write(path) => Err(Fault::Method(PUT)),
        _ => Err(unknown(path)),
    }
}

async fn write(desk: &Desk, asked: &Asked, path: &[&str]) -> Result<Answer, Fault> {
    match path {
        ["agent", "service", "register"] => agent::register(desk, asked).await,
        ["agent", "service", "deregister", id] => agent::deregister(desk, id).await,
        ["agent", "service", "maintenance", id] => agent::maintain(desk, asked, id).await,
        ["agent", "check", "register"] => agent_check::register(desk, asked).await,
        ["agent", "check", "deregister", id] => agent_check::deregister(desk, id).await,
        ["agent", "check", "pass", id] => agent_check::tell(desk, asked, id, Status::Passing).await,
        ["agent", "check", "warn", id] => agent_check::tell(desk, asked, id, Status::Warning).await,
        ["agent", "check", "fail", id] => agent_check::tell(desk, asked, id, Status::Critical).await,
        ["agent", "check", "update", id] => agent_check::update(desk, asked, id).await,
        ["catalog", "register"] => catalog::register(desk, asked).await,
        ["catalog", "deregister"] => catalog::deregister(desk, asked).await,
        ["session", "create"] => session::create(desk, asked).await,
        ["session", "destroy", id] => session::destroy(desk, id).await,
        ["session", "renew", id] => session::renew(desk, id).await,
        _ if is_read(path) => Err(Fault::Method(GET)),
        _ => Err(unknown(path)),
    }
}

/// A path that is Consul's and not built, or one that nobody knows.
fn unknown(path: &[&str]) -> Fault {
    let joined = path.join("/");
    match path {
        [
            "acl" | "config" | "connect" | "coordinate" | "discovery-chain" | "event" | "exported-services"
            | "imported-services" | "internal" | "namespace" | "namespaces" | "operator" | "partition"
            | "partitions" | "peering" | "peerings" | "query" | "snapshot" | "txn",
            ..,
        ]
        | [
            "agent",
            "connect" | "force-leave" | "host" | "join" | "leave" | "maintenance" | "metrics" | "monitor"
            | "reload" | "token" | "version",
            ..,
        ]
        | ["catalog", "connect" | "gateway-services" | "node-services", ..]
        | ["health", "connect" | "ingress", ..] => {
            Fault::NotBuilt(format!("not implemented: `/v1/{joined}`"))
        }
        _ => Fault::Missing(format!("there is no path `/v1/{joined}`")),
    }
}

/// Whether a path is of something that changes and can be waited for.
pub(crate) fn is_watched(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["kv", ..] => true,
        ["catalog", "datacenters"] => false,
        ["catalog" | "health" | "session", ..] => is_read(&path),
        _ => false,
    }
}

fn is_write(path: &[&str]) -> bool {
    matches!(
        path,
        ["agent", "service" | "check", "register"]
            | ["agent", "service", "deregister" | "maintenance", _]
            | ["agent", "check", "deregister" | "pass" | "warn" | "fail" | "update", _]
            | ["catalog", "register" | "deregister"]
            | ["session", "create"]
            | ["session", "destroy" | "renew", _]
    )
}

fn is_read(path: &[&str]) -> bool {
    matches!(
        path,
        ["agent", "self" | "members" | "services" | "checks"]
            | ["agent", "service", _]
            | ["agent", "health", "service", "id" | "name", _]
            | ["catalog", "datacenters" | "nodes" | "services"]
            | ["catalog", "service" | "node", _]
            | ["health", "service" | "checks" | "node" | "state", _]
            | ["session", "list"]
            | ["session", "info" | "node", _]
            | ["status", "leader" | "peers"]
    )
}
