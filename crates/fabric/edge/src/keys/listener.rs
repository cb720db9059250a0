//! Keys of `[[listener]]`.

use coreto_proxy::model::{Acme, Certificate, Listener, Tls};

use crate::visit::Keys;

pub(super) fn listener<K: Keys>(keys: &mut K, listener: &mut Listener) {
    keys.value("name", &mut listener.name);
    keys.value("address", &mut listener.address);
    keys.list("trusted-proxies", &mut listener.trusted_proxies);
    keys.value("trusted-hops", &mut listener.trusted_hops);
    keys.value("trace-percent", &mut listener.trace_percent);
    keys.switch("tls", &mut listener.tls, tls);
    let bounds = &mut listener.bounds;
    keys.table("bounds", |keys| {
        keys.value("connections", &mut bounds.connections);
        keys.value("connections-per-address", &mut bounds.connections_per_address);
        keys.size("target-bytes", &mut bounds.target_bytes);
        keys.size("header-bytes", &mut bounds.header_bytes);
        keys.value("header-count", &mut bounds.header_count);
        keys.value("streams", &mut bounds.streams);
    });
    let clocks = &mut listener.clocks;
    keys.table("clocks", |keys| {
        keys.value("handshake", &mut clocks.handshake);
        keys.value("header", &mut clocks.header);
        keys.value("body", &mut clocks.body);
        keys.value("idle", &mut clocks.idle);
        keys.value("drain", &mut clocks.drain);
    });
}

fn tls<K: Keys>(keys: &mut K, tls: &mut Tls) {
    keys.optional("client-ca", &mut tls.client_ca);
    keys.value("client-certificate", &mut tls.client_certificate);
    keys.tables("certificate", &mut tls.certificates, |keys, certificate: &mut Certificate| {
        keys.value("cert", &mut certificate.cert);
        keys.value("key", &mut certificate.key);
    });
    keys.switch("acme", &mut tls.acme, |keys, acme: &mut Acme| {
        keys.list("names", &mut acme.names);
        keys.value("file", &mut acme.file);
    });
}
