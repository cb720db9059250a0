//! Which side of a split a request takes, and whether a copy of it is sent.

use http::Method;

use crate::model::{Mirror, Share};

/// The cluster that a request goes to, by the hash of what keeps it at one side; none when all shares are 0.
pub fn side(shares: &[Share], hash: u64) -> Option<usize> {
    let sum: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
    let mut left = portion(hash, sum);
    let found = shares.iter().find(|share| {
        let found = left < u64::from(share.weight);
        left = left.saturating_sub(u64::from(share.weight));
        found
    });
    found.map(|share| share.cluster)
}

/// Whether a copy of a request is sent; `body` is its length, when it is known.
pub fn mirrors(mirror: &Mirror, method: &Method, body: Option<u64>, hash: u64) -> bool {
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    (safe || mirror.unsafe_methods)
        && body.is_some_and(|length| length <= mirror.body_bytes)
        && portion(hash, 100) < u64::from(mirror.percent)
}

/// A number below `end` that grows with the hash.
fn portion(hash: u64, end: u64) -> u64 {
    let high = (u128::from(hash) * u128::from(end)) >> 64;
    u64::try_from(high).expect("the upper half of a product of 64-bit numbers has 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Dice;

    #[test]
    fn gives_each_side_its_share_and_a_hash_the_same_side() {
        let share = |cluster, weight| Share { cluster, weight };
        let shares = [share(4, 90), share(7, 0), share(2, 10)];
        let mut dice = Dice::seeded(1);
        let sides: Vec<usize> = (0..10_000)
            .map(|_| {
                let hash = dice.roll();
                assert_eq!(side(&shares, hash), side(&shares, hash));
                side(&shares, hash).unwrap()
            })
            .collect();
        let count = |of| sides.iter().filter(|side| **side == of).count();
        assert!((8_800..9_200).contains(&count(4)) && count(7) == 0, "{} {}", count(4), count(7));
        assert_eq!(side(&shares, 0), Some(4));
        assert_eq!(side(&shares, u64::MAX), Some(2));
        assert_eq!(side(&[share(1, 0)], 5), None);
        assert_eq!(side(&[], 5), None);
    }

    #[test]
    fn copies_what_may_be_copied() {
        let mirror = Mirror { percent: 50, body_bytes: 10, ..Mirror::default() };
        assert!(mirrors(&mirror, &Method::GET, Some(0), 0));
        assert!(!mirrors(&mirror, &Method::GET, Some(0), u64::MAX));
        assert!(!mirrors(&mirror, &Method::GET, Some(11), 0));
        assert!(!mirrors(&mirror, &Method::GET, None, 0), "of a stream nobody knows the length");
        assert!(!mirrors(&mirror, &Method::POST, Some(1), 0));
        assert!(mirrors(&Mirror { unsafe_methods: true, ..mirror.clone() }, &Method::POST, Some(1), 0));
        assert!(!mirrors(&Mirror { percent: 0, ..mirror }, &Method::GET, Some(0), 0));
    }
}
