//! Making what fails smaller.

/// The steps that are left when no single one can be left out and the rest still fails. Larger parts are tried
/// first. With `fails` being true of all steps, it is true of the answer.
pub(crate) fn smallest(mut steps: Vec<usize>, mut fails: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
    let mut part = steps.len().div_ceil(2);
    while part > 0 {
        let before = steps.len();
        let mut begin = 0;
        while begin < steps.len() {
            let end = (begin + part).min(steps.len());
            let without: Vec<usize> = [&steps[..begin], &steps[end..]].concat();
            if fails(&without) {
                steps = without;
            } else {
                begin = end;
            }
        }
        // Bound: each round of single steps that is followed by another has left one out.
        if part > 1 || steps.len() == before {
            part /= 2;
        }
    }
    steps
}
