//! Faults of filters.

use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};

use super::{at_least_one, header_name, header_value, label, some_time};
use crate::model::{Compression, Cors, Faults, Filters, HeaderChanges, LimitKey, RateLimit};

/// Headers that say where a message ends or whom it is for; changing them by rule would break the connection.
const FRAMING: &[HeaderName] = &[CONNECTION, CONTENT_LENGTH, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

pub(super) fn check(filters: &Filters, faults: &mut Faults<'_>) {
    for (at, limit) in filters.limits.iter().enumerate() {
        let twice = filters.limits[..at].iter().any(|other| other.name == limit.name);
        faults.demand(
            !twice,
            &format!("limit[{at}].name"),
            format!("another limit is called `{}`", limit.name),
        );
        check_limit(limit, &format!("limit[{at}]"), faults);
    }
    if let Some(cors) = &filters.cors {
        check_cors(cors, faults);
    }
    check_changes(&filters.request_headers, "request-headers", faults);
    let changes = &filters.request_headers;
    let mut names = changes.set.iter().chain(&changes.add).map(|(name, _)| name).chain(&changes.remove);
    let via = names.any(|name| name.eq_ignore_ascii_case("via"));
    let message = "`via` shows a request that goes round in a circle, and is not changed by a rule";
    faults.demand(!via, "request-headers", message);
    check_changes(&filters.response_headers, "response-headers", faults);
    if let Some(compression) = &filters.compression {
        check_compression(compression, faults);
    }
}

fn check_limit(limit: &RateLimit, place: &str, faults: &mut Faults<'_>) {
    faults.keep(&format!("{place}.name"), label(&limit.name));
    at_least_one(limit.requests, &format!("{place}.requests"), faults);
    some_time(limit.per, &format!("{place}.per"), faults);
    if let Some(burst) = limit.burst {
        at_least_one(burst, &format!("{place}.burst"), faults);
    }
    if let LimitKey::Header(name) = &limit.key {
        faults.keep(&format!("{place}.key"), header_name(name));
    }
}

fn check_cors(cors: &Cors, faults: &mut Faults<'_>) {
    faults.demand(!cors.origins.is_empty(), "cors.origins", "without an origin no page may read anything");
    for origin in &cors.origins {
        faults.keep("cors.origins", crate::filter::check_origin(origin));
    }
    for name in cors.headers.iter().filter(|name| *name != "*") {
        faults.keep("cors.headers", header_name(name));
    }
    for name in &cors.expose {
        faults.keep("cors.expose", header_name(name));
    }
    let any = cors.origins.iter().any(|origin| origin == "*");
    if cors.credentials && any {
        faults.push(
            "cors.credentials",
            "with credentials every origin is named: `*` would let any page act as its user",
        );
    }
    if cors.credentials && cors.headers.iter().any(|name| name == "*") {
        faults
            .push("cors.headers", "with credentials a browser takes `*` for the name of a header; name them");
    }
}

fn check_changes(changes: &HeaderChanges, place: &str, faults: &mut Faults<'_>) {
    let pairs = [("set", &changes.set), ("add", &changes.add)];
    for (part, name, value) in
        pairs.into_iter().flat_map(|(part, list)| list.iter().map(move |(n, v)| (part, n, v)))
    {
        let key = format!("{place}.{part}.{name}");
        check_changed(name, &key, faults);
        faults.keep(&key, header_value(value));
    }
    for name in &changes.remove {
        check_changed(name, &format!("{place}.remove"), faults);
    }
}

fn check_changed(name: &str, key: &str, faults: &mut Faults<'_>) {
    let Some(known) = faults.keep(key, header_name(name)) else { return };
    let message = match &known {
        name if *name == HOST => "the host is changed by `rewrite.host`".to_owned(),
        name => format!("`{name}` says how a message is carried, and is not changed by a rule"),
    };
    faults.demand(!FRAMING.contains(&known), key, message);
}

fn check_compression(compression: &Compression, faults: &mut Faults<'_>) {
    faults.demand(
        !compression.codings.is_empty(),
        "compression.codings",
        "without a coding nothing is compressed",
    );
    for media in &compression.types {
        let plain = media
            .split_once('/')
            .is_some_and(|(kind, name)| [kind, name].iter().all(|part| header_name(part).is_ok()))
            && !media.contains('*');
        faults.demand(plain, "compression.types", format!("`{media}` is no media type such as `text/html`"));
    }
}
