//! Declaration of a state made of tables.

/// Declares a state: its tables, cells and indexes, each with its number in the store.
///
/// The struct gets the fields `place` and `counter` beside them, and implements
/// [`Tables`](crate::Tables); it must have a method `fn rebuild(&mut self)` that fills the indexes.
/// Fields after `unstored` are caches beside the tables: made by `Default`, neither stored, hashed nor undone.
///
/// ```
/// use coreto_machine::{HashTable, Index, Place, Tables};
///
/// coreto_machine::tables! {
///     /// What a shop remembers.
///     pub struct Shop {
///         /// Price by article.
///         1 => pub prices: HashTable<u64, u64>,
///         /// Articles by price.
///         2 => pub by_price: Index<(u64, u64)>,
///     }
/// }
/// impl Shop {
///     fn rebuild(&mut self) {
///         let by_price = &mut self.by_price;
///         self.prices.for_each(|article, price| by_price.insert((**price, *article)));
///     }
/// }
/// let mut shop = Shop::create(Place { number: 1, count: 1 });
/// let empty = shop.fingerprint();
/// shop.prices.insert(7, 100);
/// assert_ne!(shop.fingerprint(), empty);
/// shop.undo();
/// assert_eq!(shop.fingerprint(), empty);
/// ```
#[macro_export]
macro_rules! tables {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_meta:meta])* $number:literal => $field_vis:vis $field:ident : $type:ty ),* $(,)?
        }
        $( unstored { $( $(#[$cache_meta:meta])* $cache_vis:vis $cache:ident : $cache_type:ty ),* $(,)? } )?
    ) => {
        $(#[$meta])*
        $vis struct $name {
            place: $crate::Place,
            counter: $crate::Cell<u64>,
            $( $(#[$field_meta])* $field_vis $field: $type, )*
            $( $( $(#[$cache_meta])* $cache_vis $cache: $cache_type, )* )?
        }

        impl $crate::Tables for $name {
            fn create(place: $crate::Place) -> Self {
                Self {
                    place,
                    counter: Default::default(),
                    $( $field: Default::default(), )*
                    $( $( $cache: Default::default(), )* )?
                }
            }

            fn place(&self) -> $crate::Place {
                self.place
            }

            fn counter(&self) -> u64 {
                *self.counter.get()
            }

            fn set_counter(&mut self, counter: u64) {
                self.counter.set(counter);
            }

            fn commit(&mut self) {
                $crate::table::Member::commit(&mut self.counter);
                $( $crate::table::Member::commit(&mut self.$field); )*
            }

            fn undo(&mut self) {
                $crate::table::Member::undo(&mut self.counter);
                $( $crate::table::Member::undo(&mut self.$field); )*
            }

            fn changed(&self) -> $crate::Changed {
                $crate::table::Member::changed(&self.counter)
                $( + $crate::table::Member::changed(&self.$field) )*
            }

            fn take_changes(&mut self, into: &mut $crate::Changes) {
                $crate::table::Member::take_changes(&mut self.counter, 0, into);
                $( $crate::table::Member::take_changes(&mut self.$field, $number, into); )*
            }

            fn begin_walk(&mut self) {
                $crate::table::Member::begin_walk(&mut self.counter);
                $( $crate::table::Member::begin_walk(&mut self.$field); )*
            }

            fn walk(&mut self, full: usize, into: &mut $crate::Changes) -> bool {
                $crate::table::Member::walk(&mut self.counter, 0, full, into)
                    $( && $crate::table::Member::walk(&mut self.$field, $number, full, into) )*
            }

            fn load(
                &mut self,
                table: u32,
                key: &[u8],
                value: &[u8],
            ) -> Result<(), $crate::DecodeError> {
                match table {
                    0 => $crate::table::Member::load(&mut self.counter, key, value),
                    $( $number => $crate::table::Member::load(&mut self.$field, key, value), )*
                    _ => Err($crate::DecodeError::UnknownVariant { number: u64::from(table) }),
                }
            }

            fn loaded(&mut self) {
                self.rebuild();
                $crate::Tables::commit(self);
            }

            fn fingerprint(&self) -> $crate::Fingerprint {
                let mut fingerprint = $crate::Fingerprint::default();
                $crate::table::Member::hash(&self.counter, 0, &mut fingerprint);
                $( $crate::table::Member::hash(&self.$field, $number, &mut fingerprint); )*
                fingerprint
            }

            fn copy(&self) -> Self {
                Self {
                    place: self.place,
                    counter: $crate::table::Member::copy(&self.counter),
                    $( $field: $crate::table::Member::copy(&self.$field), )*
                    $( $( $cache: Default::default(), )* )?
                }
            }
        }
    };
}
