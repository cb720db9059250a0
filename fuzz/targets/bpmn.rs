#![no_main]

use coreto_bpmn::{Limits, Purpose, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|xml: &[u8]| {
    let limits = Limits::default();
    let (accepted, diagnostics) = read(xml, Purpose::Deploy, &limits);
    assert!(accepted.is_some() || !diagnostics.is_empty(), "what is refused has a reason");
    if accepted.is_some() {
        assert!(read(xml, Purpose::Load, &limits).0.is_some(), "what is accepted loads");
    }
});
