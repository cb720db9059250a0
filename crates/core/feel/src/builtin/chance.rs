//! Random numbers that only depend on the seed and on how many were drawn before.

use crate::eval::Evaluator;

/// The next 128 random bits.
pub(super) fn draw(evaluator: &mut Evaluator<'_>) -> u128 {
    let seed = evaluator.env().seed;
    let count = evaluator.next_draw();
    let low = u64::try_from(seed & u128::from(u64::MAX)).expect("masked");
    let high = u64::try_from(seed >> 64).expect("shifted");
    // Two rounds of a mixer per half, each with another part of the seed, so that close seeds and counts differ.
    let first = mix(mix(low ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(high));
    let second = mix(mix(high ^ first).wrapping_add(low).wrapping_add(count));
    u128::from(first) << 64 | u128::from(second)
}

/// The output function of `SplitMix64`.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
