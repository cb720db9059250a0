//! A sum that is derived from tables.

use super::{Changed, Changes, Member};
use crate::codec::DecodeError;
use crate::fingerprint::Fingerprint;

/// A sum in memory with undo. It is not stored: whoever declares it rebuilds it after loading.
#[derive(Debug, Default)]
pub struct Total {
    sum: u64,
    undo: Option<u64>,
}

impl Total {
    /// The sum.
    pub const fn get(&self) -> u64 {
        self.sum
    }

    /// Counts something in. What fits into memory cannot overflow the sum.
    pub fn add(&mut self, amount: u64) {
        self.set(self.sum.saturating_add(amount));
    }

    /// Takes out what was counted in.
    ///
    /// # Panics
    /// When more is taken out than was counted in.
    pub fn subtract(&mut self, amount: u64) {
        let rest = self.sum.checked_sub(amount).expect("only what was counted in is taken out of a total");
        self.set(rest);
    }

    fn set(&mut self, sum: u64) {
        self.undo.get_or_insert(self.sum);
        self.sum = sum;
    }
}

impl Member for Total {
    fn commit(&mut self) {
        self.undo = None;
    }

    fn undo(&mut self) {
        if let Some(sum) = self.undo.take() {
            self.sum = sum;
        }
    }

    fn changed(&self) -> Changed {
        Changed::default()
    }

    fn take_changes(&mut self, _table: u32, _into: &mut Changes) {}

    fn begin_walk(&mut self) {}

    fn walk(&mut self, _table: u32, _full: usize, _into: &mut Changes) -> bool {
        true
    }

    fn load(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), DecodeError> {
        Ok(())
    }

    fn hash(&self, table: u32, fingerprint: &mut Fingerprint) {
        // As with a cell: nothing is no entry.
        if self.sum > 0 {
            fingerprint.entry(table, &[], &self.sum.to_le_bytes());
        }
    }

    fn copy(&self) -> Self {
        Self { sum: self.sum, undo: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_back_to_where_it_was() {
        let mut total = Total::default();
        total.add(5);
        total.commit();
        total.add(2);
        total.subtract(6);
        total.undo();
        assert_eq!(total.get(), 5);
        total.subtract(5);
        total.commit();
        total.undo();
        assert_eq!(total.get(), 0);
    }
}
