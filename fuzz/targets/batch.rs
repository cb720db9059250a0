#![no_main]

use coreto_engine::Engine;
use coreto_machine::Codec;
use coreto_record::{Command, Event, Rejection, Reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = coreto_partition::records::<Engine>(bytes, |_| ());
    again::<Command>(bytes);
    again::<Event>(bytes);
    again::<Reply>(bytes);
    again::<Rejection>(bytes);
});

fn again<T: Codec + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = T::decode(bytes) {
        assert_eq!(T::decode(&value.to_bytes()).as_ref(), Ok(&value));
    }
}
