//! Keys of `[catalog]`.

use crate::catalog::{Seat, SeatTls};
use crate::visit::Keys;

pub(super) fn catalog<K: Keys>(keys: &mut K, seat: &mut Seat) {
    keys.value("address", &mut seat.address);
    keys.optional("token", &mut seat.token);
    // There is one catalog, and nothing of it is on that could be turned off.
    if !keys.writes() || seat.tls.is_some() {
        keys.switch("tls", &mut seat.tls, |keys, tls: &mut SeatTls| {
            keys.optional("name", &mut tls.name);
            keys.optional("ca", &mut tls.ca);
        });
    }
}
