//! Endpoints on a ring of hashes: a key goes to the next one, and stays when others come and go.

use crate::hash::Keyed;
use crate::model::Endpoint;

/// Points of an endpoint for each unit of its weight, once common factors are taken out.
const POINTS_PER_WEIGHT: u64 = 100;
/// Points of a ring, about: with more, all get fewer.
const POINTS_MAX: u64 = 1 << 20;
/// The hash is the same on all nodes, so that they agree.
const HASH: Keyed = Keyed::new([0x636f_7265_746f, 0x7269_6e67]);

/// The ring.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    /// Where a point is, and whose it is.
    points: Vec<(u64, u32)>,
}

impl Ring {
    pub(super) fn new(endpoints: &[Endpoint]) -> Self {
        let divisor =
            endpoints.iter().fold(0, |divisor, endpoint| common(divisor, u64::from(endpoint.weight))).max(1);
        let units: u64 = endpoints.iter().map(|endpoint| u64::from(endpoint.weight) / divisor).sum();
        let per_unit = POINTS_PER_WEIGHT.min(POINTS_MAX / units.max(1)).max(1);
        let mut points = Vec::new();
        for (at, endpoint) in endpoints.iter().enumerate() {
            let owner = u32::try_from(at).expect("a cluster has fewer endpoints");
            for point in 0..u64::from(endpoint.weight) / divisor * per_unit {
                points.push((HASH.hash(format!("{}#{point}", endpoint.address).as_bytes()), owner));
            }
        }
        points.sort_unstable();
        Self { points }
    }

    /// The endpoints from the place of a key on; each point is offered once.
    pub(super) fn from(&self, key: u64) -> impl Iterator<Item = usize> + Clone {
        // The key is hashed again: what callers hash may be spread badly over 64 bits.
        let place = HASH.hash(&key.to_le_bytes());
        let start = self.points.partition_point(|(point, _)| *point < place);
        let (before, behind) = self.points.split_at(start);
        behind.iter().chain(before).map(|(_, owner)| *owner as usize)
    }
}

/// The greatest common divisor.
fn common(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { common(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(weights: &[u32]) -> Vec<Endpoint> {
        let endpoint = |(at, weight): (usize, &u32)| Endpoint {
            address: format!("10.0.0.{at}:80").parse().unwrap(),
            weight: *weight,
        };
        weights.iter().enumerate().map(endpoint).collect()
    }

    fn owners(ring: &Ring) -> Vec<usize> {
        (0..20_000).map(|key| ring.from(key).next().unwrap()).collect()
    }

    #[test]
    fn spreads_keys_by_weight() {
        let owners = owners(&Ring::new(&endpoints(&[10, 10, 20, 0])));
        let share = |of| owners.iter().filter(|owner| **owner == of).count();
        assert!(
            (4_000..6_000).contains(&share(0)) && (4_000..6_000).contains(&share(1)),
            "{} {}",
            share(0),
            share(1)
        );
        assert!((9_000..11_000).contains(&share(2)), "{}", share(2));
        assert_eq!(share(3), 0);
    }

    #[test]
    fn moves_only_the_keys_of_what_left() {
        let all = owners(&Ring::new(&endpoints(&[1, 1, 1, 1, 1])));
        let without = owners(&Ring::new(&endpoints(&[1, 1, 1, 1, 0])));
        let moved = all.iter().zip(&without).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(before, _)| *before == 4));
        assert_eq!(moved.count(), all.iter().filter(|owner| **owner == 4).count());
    }
}
