//! Keys of `[acme]`.

use crate::acme::Acme;
use crate::visit::Keys;

pub(super) fn acme<K: Keys>(keys: &mut K, acme: &mut Acme) {
    keys.value("directory", &mut acme.directory);
    keys.list("contacts", &mut acme.contacts);
    keys.value("terms-agreed", &mut acme.terms_agreed);
    keys.value("account", &mut acme.account);
    keys.value("check", &mut acme.check);
    keys.optional("ca", &mut acme.ca);
    keys.value("back-off", &mut acme.back_off);
}
