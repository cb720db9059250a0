//! The keys of `[acme]`.

use std::path::PathBuf;
use std::time::Duration;

use coreto_proxy::model::Model;

use super::file::orders;

/// From whom certificates are ordered, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Acme {
    /// The authority's directory, a URL.
    pub directory: String,
    /// Where the authority may write to, such as `mailto:ops@shop.example`.
    pub contacts: Vec<String>,
    /// Whether the authority's terms are agreed to.
    pub terms_agreed: bool,
    /// Where the account is kept.
    pub account: PathBuf,
    /// How the authority checks that a host is here.
    pub check: Check,
    /// Whom to believe that the authority is itself, a PEM file; the authorities of the system without it.
    pub ca: Option<PathBuf>,
    /// The pause after an order that failed; doubled each time in a row, up to a day.
    pub back_off: Duration,
}

/// How an authority checks that a host is here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// By a request on port 80.
    #[default]
    Http01,
    /// By a TLS handshake on port 443.
    TlsAlpn01,
}

impl Check {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
            contacts: Vec::new(),
            terms_agreed: false,
            account: PathBuf::from("acme-account.json"),
            check: Check::default(),
            ca: None,
            back_off: Duration::from_mins(1),
        }
    }
}

/// What is wrong with orders and the authority together: the place, and why.
pub(crate) fn faults(acme: Option<&Acme>, model: &Model) -> Vec<(String, String)> {
    let mut faults = shared_files(model);
    let mut fault = |place: &str, message: &str| faults.push((place.to_owned(), message.to_owned()));
    let ordered = orders(model).count();
    match acme {
        None if ordered > 0 => {
            let orders = |tls: &coreto_proxy::model::Tls| tls.acme.is_some();
            let at = model.listeners.iter().position(|listener| listener.tls.as_ref().is_some_and(orders));
            let place = format!("listener[{}].tls.acme", at.unwrap_or_default());
            fault(&place, "there is no `[acme]` to say from whom certificates are ordered");
        }
        None => {}
        Some(acme) => {
            if ordered == 0 {
                fault("acme", "no listener orders a certificate; write `tls.acme`");
            }
            if !acme.terms_agreed {
                fault(
                    "acme.terms-agreed",
                    "authorities want their terms agreed to: read them, and write `true`",
                );
            }
            if !acme.directory.starts_with("https://") {
                fault("acme.directory", "an authority is asked by `https`");
            }
            for contact in acme.contacts.iter().filter(|contact| !is_contact(contact)) {
                let message =
                    format!("`{contact}` is no address to write to: write `mailto:ops@shop.example`");
                fault("acme.contacts", &message);
            }
            if acme.back_off.is_zero() {
                fault("acme.back-off", "an authority is not asked without a pause");
            }
        }
    }
    faults
}

/// Orders for the same file with other names would replace each other's certificate for ever.
fn shared_files(model: &Model) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let orders: Vec<_> = orders(model).collect();
    for (at, listener) in model.listeners.iter().enumerate() {
        let Some(own) = listener.tls.as_ref().and_then(|tls| tls.acme.as_ref()) else { continue };
        let mut before = orders.iter().take_while(|order| !std::ptr::eq(**order, own));
        let clash = before.any(|order| order.file == own.file && order.names != own.names);
        if clash && !own.file.as_os_str().is_empty() {
            let message = format!("`{}` is kept for other names by another listener", own.file.display());
            faults.push((format!("listener[{at}].tls.acme.file"), message));
        }
    }
    faults
}

/// A URL to which mail can be sent, and nothing that mail has more than one of (RFC 8555 §7.3).
fn is_contact(contact: &str) -> bool {
    let address = contact.strip_prefix("mailto:").and_then(|address| address.split_once('@'));
    address.is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !contact.contains([',', '?', ' ']) && !host.contains('@')
    })
}
