//! Fields that are added to requests and responses, and those that only we may say.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::trace;
use super::via::Via;
use crate::base64;
use crate::gate::{Authority, Request, strip_claims};
use crate::listen::covers;
use crate::plane::Door;

/// Who asks, as the connection tells; made once for each connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// The other end of the connection.
    pub(crate) peer: SocketAddr,
    /// Whether the connection is encrypted.
    pub(crate) secure: bool,
    door: Arc<Door>,
    /// Whether what the peer says is believed.
    trusted: bool,
    /// How many entries from the right the client is found, if that is how.
    hops: usize,
    address: HeaderValue,
    port: HeaderValue,
    /// What the client was shown when it asked for a name.
    shown: Option<Shown>,
    /// The client's own certificate, as a field says it.
    certificate: Option<HeaderValue>,
    /// The same for `X-Forwarded-Client-Cert`.
    forwarded: Option<HeaderValue>,
    /// What was said of the last host: nearly every connection asks for one only.
    said: Mutex<Option<Said>>,
}

/// What is said of the way a request came, for one host.
#[derive(Clone, Debug)]
struct Said {
    host: HeaderValue,
    forwarded: HeaderValue,
}

/// The certificate that a client was shown.
#[derive(Clone, Debug)]
struct Shown {
    certificate: CertificateDer<'static>,
    /// The name that was asked for, by which the certificate was chosen.
    name: Box<str>,
}

const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
const XFCC: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 128;

impl Client {
    /// The client behind a connection that was accepted at a listener.
    pub(crate) fn new(door: &Arc<Door>, peer: SocketAddr) -> Self {
        let ip = peer.ip().to_canonical();
        let listener = &door.listener;
        let among = listener.trusted_proxies.iter().any(|network| network.has(ip));
        Self {
            peer,
            secure: false,
            door: Arc::clone(door),
            trusted: among,
            hops: usize::try_from(listener.trusted_hops).unwrap_or(usize::MAX),
            address: HeaderValue::try_from(ip.to_string()).expect("an address is text"),
            port: HeaderValue::from(door.bound.address.port()),
            shown: None,
            certificate: None,
            forwarded: None,
            said: Mutex::new(None),
        }
    }

    /// The listener.
    pub(crate) fn door(&self) -> &Door {
        &self.door
    }

    /// The same behind TLS. `shown`: the name that it asked for, and the certificate that it got; `certificate`: its own.
    #[must_use]
    pub(crate) fn encrypted(
        self,
        shown: Option<(&str, CertificateDer<'static>)>,
        certificate: Option<&[u8]>,
    ) -> Self {
        let shown = shown.map(|(name, certificate)| Shown { name: name.into(), certificate });
        // RFC 9440 §2.1: bytes as a structured field.
        let field = |certificate| HeaderValue::try_from(format!(":{}:", base64::encode(certificate)));
        let forwarded = certificate.map(forwarded_certificate);
        let certificate = certificate.map(|certificate| field(certificate).expect("it is ASCII"));
        Self { secure: true, shown, certificate, forwarded, ..self }
    }

    /// Whether a request came on a connection that is not for its host: another certificate of the listener is for it,
    /// and the one that the client was shown is not (RFC 9110 §15.5.20). A peer that we believe asks for many hosts on
    /// connections of one name.
    pub(crate) fn is_misdirected(&self, request: &Request) -> bool {
        let host = request.authority.host();
        let (Some(shown), Some(tls)) = (&self.shown, &self.door.tls) else { return false };
        // Nearly every request is for the name of the handshake: no certificate is read again for it.
        let asked = self.trusted || self.hops > 0 || shown.name.eq_ignore_ascii_case(host);
        !asked && !covers(&shown.certificate, host) && tls.covers(host)
    }

    /// Removes from a request what only those whom we believe may say. What a stranger says of a trace is dropped, too:
    /// ours begins here, and is called like the request.
    pub(crate) fn strip(&self, request: &mut Request, id: u128) {
        if !self.trusted {
            if request.claims {
                let way_believed = self.has_hops(request);
                strip_claims(&mut request.fields, way_believed);
            }
            request.fields.remove(BAGGAGE);
        }
        trace::carry_on(&mut request.fields, self.trusted, id, self.door.listener.trace_percent);
    }

    /// Whether a request has come by as many proxies as there are in front. Who they are is not known: they are believed
    /// on which way it came, and on nothing else.
    fn has_hops(&self, request: &Request) -> bool {
        self.hops > 0 && entries(request).count() >= self.hops
    }

    /// Who asks: the peer, or whom it names if it is believed.
    pub(crate) fn address_of(&self, request: &Request) -> IpAddr {
        let peer = self.peer.ip().to_canonical();
        let mut entries = entries(request).map(read_address);
        if self.hops > 0 {
            return entries.nth(self.hops - 1).flatten().unwrap_or(peer);
        }
        if !self.trusted {
            return peer;
        }
        let listener = &self.door.listener;
        let mut client = peer;
        // Bound: the entries of a head.
        while listener.trusted_proxies.iter().any(|network| network.has(client)) {
            let Some(Some(next)) = entries.next() else { break };
            client = next;
        }
        client
    }

    /// How a request is called: as somebody says whom we believe, or by its own number.
    pub(super) fn name(&self, request: &Request, id: u128) -> HeaderValue {
        let known = request.fields.get(&X_REQUEST_ID);
        let known = known.filter(|id| self.trusted && (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()));
        known.cloned().unwrap_or_else(|| request_id(id))
    }

    /// Adds what is said of the way a request came, its name, and ours (`via`).
    ///
    /// # Errors
    /// When the request has passed here before.
    pub(super) fn mark(
        &self,
        request: &mut Request,
        name: HeaderValue,
        via: &Via,
    ) -> Result<(), super::Failure> {
        via.add(request)?;
        let scheme = HeaderValue::from_static(if self.secure { "https" } else { "http" });
        let said = self.said_of(&request.authority);
        let believed = self.trusted || self.hops > 0;
        let real = believed.then(|| self.address_of(request).to_string());
        let real = real.and_then(|real| HeaderValue::try_from(real).ok());
        let fields = &mut request.fields;
        if believed {
            append(fields, X_FORWARDED_FOR, &self.address);
            append(fields, header::FORWARDED, &said.forwarded);
            fields.entry(X_FORWARDED_PROTO).or_insert(scheme);
            fields.entry(X_FORWARDED_HOST).or_insert(said.host);
            fields.entry(X_FORWARDED_PORT).or_insert_with(|| self.port.clone());
        } else {
            fields.insert(X_FORWARDED_FOR, self.address.clone());
            fields.insert(X_FORWARDED_PROTO, scheme);
            fields.insert(X_FORWARDED_HOST, said.host);
            fields.insert(X_FORWARDED_PORT, self.port.clone());
            fields.insert(header::FORWARDED, said.forwarded);
        }
        fields.insert(X_REAL_IP, real.unwrap_or_else(|| self.address.clone()));
        match &self.certificate {
            // A proxy that we believe tells of its own client by it; what it shows itself is another matter.
            Some(certificate) if self.trusted => {
                fields.entry(CLIENT_CERT).or_insert_with(|| certificate.clone());
            }
            Some(certificate) => drop(fields.insert(CLIENT_CERT, certificate.clone())),
            None => {}
        }
        match (&self.forwarded, self.trusted) {
            (Some(forwarded), true) => append(fields, XFCC, forwarded),
            (Some(forwarded), false) => drop(fields.insert(XFCC, forwarded.clone())),
            (None, _) => {}
        }
        fields.insert(X_REQUEST_ID, name);
        Ok(())
    }

    fn said_of(&self, authority: &Authority) -> Said {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match &*said {
            Some(said) if said.host.as_bytes() == &authority.bytes()[..] => said.clone(),
            _ => {
                let host = HeaderValue::from_maybe_shared(authority.bytes().clone()).expect("a host is text");
                let forwarded = self.forwarded(authority.as_str());
                let forwarded = HeaderValue::try_from(forwarded).expect("it is text");
                said.insert(Said { host, forwarded }).clone()
            }
        }
    }

    /// RFC 7239 §4. An IPv6 address stands in brackets and quotes, a host with a port in quotes.
    fn forwarded(&self, host: &str) -> String {
        let address = self.peer.ip().to_canonical();
        let scheme = if self.secure { "https" } else { "http" };
        if address.is_ipv6() {
            format!("for=\"[{address}]\";host=\"{host}\";proto={scheme}")
        } else {
            format!("for={address};host=\"{host}\";proto={scheme}")
        }
    }
}

/// The entries of `X-Forwarded-For`, the last one first.
fn entries(request: &Request) -> impl Iterator<Item = &[u8]> {
    let values = request.fields.get_all(&X_FORWARDED_FOR).iter().rev();
    values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','))
}

/// Makes one list of all values of a field, with another one at its end.
fn append(fields: &mut HeaderMap, name: HeaderName, entry: &HeaderValue) {
    let mut list = Vec::new();
    for value in fields.get_all(&name) {
        list.extend_from_slice(value.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(entry.as_bytes());
    fields.insert(name, HeaderValue::try_from(list).expect("values joined by commas are a value"));
}

/// An address as proxies write it: alone, with a port, in brackets.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let alone = inner.parse::<IpAddr>().ok();
    alone.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())).map(|address| address.to_canonical())
}

/// Whose certificate a client has shown, by the hash of it, as proxies of others read it.
fn forwarded_certificate(certificate: &[u8]) -> HeaderValue {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    let hash = hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    HeaderValue::try_from(format!("Hash={hash}")).expect("digits are text")
}

/// The name of a request with this number.
pub(crate) fn request_id(id: u128) -> HeaderValue {
    let mut text = String::with_capacity(32);
    write!(text, "{id:032x}").expect("a string takes all");
    HeaderValue::try_from(text).expect("digits are text")
}
