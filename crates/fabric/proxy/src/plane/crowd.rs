//! How many connections there are, and may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Bounds;

/// Open connections of one listener, over all workers.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    /// A place for a connection from this address, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, bounds: &Bounds) -> Option<Place> {
        let max = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let address = network(address);
        let mut open = self.lock();
        let of_address = open.by_address.get(&address).copied().unwrap_or_default();
        if open.all >= max(bounds.connections) || of_address >= max(bounds.connections_per_address) {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, of_address + 1);
        Some(Place { crowd: Arc::clone(self), address })
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.crowd.lock();
        open.all -= 1;
        if let Some(of_address) = open.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, and of IPv6 the first 64 bits, of which one client has all others.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_all_and_those_of_an_address_and_forgets_those_that_left() {
        let bounds = Bounds { connections: 3, connections_per_address: 2, ..Bounds::default() };
        let crowd = Arc::<Crowd>::default();
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = crowd.enter(one, &bounds).expect("there is room");
        let _second = crowd.enter(one, &bounds).expect("there is room");
        assert!(crowd.enter(one, &bounds).is_none(), "two of an address are enough");
        let _third = crowd.enter(other, &bounds).expect("there is room");
        assert!(crowd.enter(other, &bounds).is_none(), "three are enough");
        drop(first);
        assert!(crowd.enter("::ffff:127.0.0.1".parse().unwrap(), &bounds).is_some());
        assert_eq!(crowd.lock().by_address.len(), 2);
        let crowd = Arc::<Crowd>::default();
        let enter = |address: &str| crowd.enter(address.parse().unwrap(), &bounds);
        let _same = [enter("2001:db8::1"), enter("2001:db8::2:1")].map(|place| place.expect("there is room"));
        assert!(enter("2001:db8::3").is_none(), "they are one client");
        assert!(enter("2001:db8:0:1::1").is_some());
    }
}
