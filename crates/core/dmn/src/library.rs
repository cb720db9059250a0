//! Models that import each other.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::{Model, Options};

/// Reads models that may import each other, in whatever order they are given. Each result stands at the place of its
/// resource; one whose imports are missing or go round in circles says which.
pub fn read_all(resources: &[&[u8]], options: &Options<'_>) -> Vec<(Option<Model>, Vec<Diagnostic>)> {
    let mut known = options.imports.to_vec();
    let mut results = vec![(None, Vec::new()); resources.len()];
    let mut waiting: Vec<usize> = (0..resources.len()).collect();
    // Bound: each round but the last takes one resource away at least.
    loop {
        let mut left = Vec::new();
        for at in &waiting {
            let result = Model::read(resources[*at], &Options { imports: &known, ..*options });
            let misses = result.1.iter().any(|diagnostic| diagnostic.code == Code::UnknownImport);
            match &result.0 {
                Some(model) => known.push(model.clone()),
                None if misses => left.push(*at),
                None => (),
            }
            results[*at] = result;
        }
        if left.len() == waiting.len() || left.is_empty() {
            return results;
        }
        waiting = left;
    }
}
