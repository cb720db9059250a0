//! Taking turns by weight, so that no endpoint gets its share in one go.

/// Smooth weighted round robin: everyone gains its weight, the richest goes and pays the sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    gained: Vec<i64>,
}

impl Turns {
    /// The next of those with a weight above 0.
    pub(super) fn next(&mut self, weights: impl Iterator<Item = u64>) -> Option<usize> {
        let mut sum = 0_i64;
        let mut richest: Option<usize> = None;
        let mut count = 0;
        for (at, weight) in weights.enumerate() {
            count = at + 1;
            if self.gained.len() < count {
                self.gained.push(0);
            }
            if weight == 0 {
                continue;
            }
            let weight = i64::try_from(weight).unwrap_or(i64::MAX / 2);
            self.gained[at] = self.gained[at].saturating_add(weight);
            sum = sum.saturating_add(weight);
            if richest.is_none_or(|best| self.gained[at] > self.gained[best]) {
                richest = Some(at);
            }
        }
        self.gained.truncate(count);
        let richest = richest?;
        self.gained[richest] = self.gained[richest].saturating_sub(sum);
        Some(richest)
    }

    /// Forgets who had what.
    pub(super) fn reset(&mut self) {
        self.gained.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_the_turns_of_the_heavy_one() {
        let mut turns = Turns::default();
        let order: Vec<usize> = (0..7).map(|_| turns.next([5, 1, 1].into_iter()).unwrap()).collect();
        assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(turns.next([0, 0].into_iter()), None);
        assert_eq!(turns.next(std::iter::empty()), None);
        let order: Vec<usize> = (0..4).map(|_| turns.next([0, 3, 1].into_iter()).unwrap()).collect();
        assert_eq!(order, [1, 1, 2, 1]);
    }
}
