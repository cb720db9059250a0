//! Random order, so that clients which take the first of a list do not all take the same.

use std::time::{SystemTime, UNIX_EPOCH};

/// The numbers below `count`, each once.
pub(crate) fn shuffled(count: usize) -> Vec<usize> {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    let mut state = u64::from(nanos) | 1 << 32;
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap_or_default() % (last + 1);
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once_and_any_first() {
        let mut firsts = [false; 5];
        // Bound: that one is never first in a thousand orders does not happen.
        for _ in 0..1000 {
            let mut order = shuffled(5);
            firsts[order[0]] = true;
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
        assert_eq!(firsts, [true; 5]);
        assert_eq!(shuffled(0), [] as [usize; 0]);
    }
}
