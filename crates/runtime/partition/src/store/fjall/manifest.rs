//! Whether the manifests of a store are as they were written.
//!
//! fjall keeps a manifest for each of its trees, `v7`, and beside it the file `current` with the manifest's number
//! (8 bytes), the XXH3 sum of its bytes (16 bytes), and a byte for the kind of sum, all little endian. It does not look
//! at the sum itself: a manifest that lost a table would be taken, and some damages abort the process.

use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_128;

use crate::store::StoreError;

/// Fails on the first manifest that is not as it was written. A store that is not there has none.
pub(super) fn check(store: &Path) -> Result<(), StoreError> {
    let trees = match std::fs::read_dir(store.join("keyspaces")) {
        Ok(trees) => trees,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::Io(error)),
    };
    for tree in trees {
        let tree = tree.map_err(StoreError::Io)?.path();
        let current = match std::fs::read(tree.join("current")) {
            Ok(current) => current,
            // A tree that was about to be made is removed when the store is opened.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::Io(error)),
        };
        check_one(&tree, &current)?;
    }
    Ok(())
}

fn check_one(tree: &Path, current: &[u8]) -> Result<(), StoreError> {
    let damaged = |path: PathBuf| StoreError::Entry { reason: format!("`{}` is damaged", path.display()) };
    let whole = current.split_first_chunk::<8>().and_then(|(number, rest)| {
        let (sum, _) = rest.split_first_chunk::<16>()?;
        Some((u64::from_le_bytes(*number), u128::from_le_bytes(*sum)))
    });
    let Some((number, sum)) = whole else { return Err(damaged(tree.join("current"))) };
    let path = tree.join(format!("v{number}"));
    match std::fs::read(&path) {
        Ok(manifest) if xxh3_128(&manifest) == sum => Ok(()),
        Ok(_) => Err(damaged(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(damaged(tree.join("current"))),
        Err(error) => Err(StoreError::Io(error)),
    }
}
