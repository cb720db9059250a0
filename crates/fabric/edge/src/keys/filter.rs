//! Keys of what is done to requests and responses on the way.

use coreto_proxy::model::{Compression, Cors, Filters, HeaderChanges, RateLimit};

use crate::visit::Keys;

pub(super) fn filters<K: Keys>(keys: &mut K, filters: &mut Filters) {
    keys.tables("limit", &mut filters.limits, limit);
    keys.switch("cors", &mut filters.cors, cors);
    keys.value("grpc-web", &mut filters.grpc_web);
    keys.table("request-headers", |keys| changes(keys, &mut filters.request_headers));
    keys.table("response-headers", |keys| changes(keys, &mut filters.response_headers));
    keys.switch("compression", &mut filters.compression, compression);
}

fn limit<K: Keys>(keys: &mut K, limit: &mut RateLimit) {
    keys.value("name", &mut limit.name);
    keys.value("requests", &mut limit.requests);
    keys.value("per", &mut limit.per);
    keys.optional("burst", &mut limit.burst);
    keys.value("key", &mut limit.key);
    keys.value("legacy-headers", &mut limit.legacy_headers);
}

fn cors<K: Keys>(keys: &mut K, cors: &mut Cors) {
    keys.list("origins", &mut cors.origins);
    keys.list("methods", &mut cors.methods);
    keys.list("headers", &mut cors.headers);
    keys.list("expose", &mut cors.expose);
    keys.value("credentials", &mut cors.credentials);
    keys.value("max-age", &mut cors.max_age);
}

fn changes<K: Keys>(keys: &mut K, changes: &mut HeaderChanges) {
    if !(keys.writes() && changes.remove.is_empty()) {
        keys.list("remove", &mut changes.remove);
    }
    keys.pairs("set", &mut changes.set);
    keys.pairs("add", &mut changes.add);
}

fn compression<K: Keys>(keys: &mut K, compression: &mut Compression) {
    keys.list("codings", &mut compression.codings);
    keys.list("types", &mut compression.types);
    keys.size("bytes-min", &mut compression.bytes_min);
}
