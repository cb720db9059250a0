//! A damaged store is found, or holds what it held.

use std::collections::BTreeMap;
use std::fs;

use coreto_machine::table::Stored;

use super::*;

struct Bytes(Vec<u8>);

impl Stored for Bytes {
    fn store(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

struct Panics;

impl Stored for Panics {
    fn store(&self, _out: &mut Vec<u8>) {
        panic!("not today");
    }
}

type Key = Box<[u8]>;
type Entries = BTreeMap<Key, Vec<u8>>;

/// A number that depends on two others in no visible way.
const fn mix(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}

/// Some new and some old entries; one that is gone.
fn changes(checkpoint: u64) -> BTreeMap<Key, Option<Vec<u8>>> {
    let key = |number: u64| number.to_be_bytes().into();
    let value =
        |number| (0..2500).flat_map(|part| mix(checkpoint * 1000 + number, part).to_le_bytes()).collect();
    let numbers = (0..40)
        .map(|number| if number < 20 { checkpoint * 20 + number } else { mix(checkpoint, number) % 400 });
    let mut changes: BTreeMap<Key, Option<Vec<u8>>> =
        numbers.map(|number| (key(number), Some(value(number)))).collect();
    changes.insert(key(mix(checkpoint, 99) % 400), None);
    changes
}

fn write(store: &mut FjallStore, checkpoints: u64) -> Vec<Entries> {
    let mut states = vec![Entries::new()];
    for checkpoint in 1..=checkpoints {
        let mut state = states.last().unwrap().clone();
        let mut written = Vec::new();
        for (key, value) in changes(checkpoint) {
            match &value {
                Some(value) => drop(state.insert(key.clone(), value.clone())),
                None => drop(state.remove(&key)),
            }
            let value = value.map(|value| std::sync::Arc::new(Bytes(value)) as std::sync::Arc<dyn Stored>);
            written.push(Change { table: 1, key, value });
        }
        store.write(Some(checkpoint), written).unwrap();
        states.push(state);
    }
    states
}

fn read(path: &Path) -> Result<(Option<u64>, Entries), StoreError> {
    let store = FjallStore::open(path)?;
    let applied = store.applied()?;
    let mut entries = Entries::new();
    store.load(&mut |_, key, value| {
        entries.insert(key.into(), value.to_vec());
        Ok(())
    })?;
    Ok((applied, entries))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path.strip_prefix(directory).unwrap().to_owned());
        }
    }
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for file in files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(file), target).unwrap();
    }
    fs::create_dir_all(to.join("keyspaces/1/tables")).unwrap();
}

/// Damages a file of a copy of the store, reads that, and compares with what the store once held. Says whether it was
/// found.
fn is_found(whole: &Path, damaged: &Path, file: &Path, seed: u64, states: &[Entries]) -> bool {
    copy(whole, damaged);
    let path = damaged.join(file);
    let mut bytes = fs::read(&path).unwrap();
    let place = usize::try_from(mix(seed, 1) % bytes.len() as u64).unwrap();
    bytes[place] ^= 1 << (mix(seed, 2) % 8);
    fs::write(&path, bytes).unwrap();
    let Ok((applied, entries)) = read(damaged) else { return true };
    let applied = usize::try_from(applied.unwrap_or(0)).unwrap();
    assert!(entries == states[applied], "a flipped bit of byte {place} of `{}` is not seen", file.display());
    false
}

#[test]
fn damaged_store_is_found_or_holds_what_it_held() {
    let root = std::env::temp_dir().join(format!("coreto-fjall-{}", std::process::id()));
    let (whole, damaged) = (root.join("whole"), root.join("damaged"));
    let mut store = FjallStore::open(&whole).unwrap();
    let states = write(&mut store, 16);
    drop(store);
    let (applied, entries) = read(&whole).unwrap();
    assert!(applied == Some(16) && entries == states[16]);
    let files: Vec<_> =
        files(&whole).into_iter().filter(|file| fs::metadata(whole.join(file)).unwrap().len() > 0).collect();
    assert!(
        files.iter().any(|file| file.starts_with("keyspaces/1/tables")),
        "nothing but the journal is looked at"
    );
    let cases = files.iter().flat_map(|file| (0..4).map(move |time| (file, time)));
    let found =
        cases.zip(0..).filter(|((file, _), seed)| is_found(&whole, &damaged, file, *seed, &states)).count();
    assert!(found > files.len(), "{found} damages were found");
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn a_panic_while_it_writes_is_an_error() {
    let path = std::env::temp_dir().join(format!("coreto-fjall-panic-{}", std::process::id()));
    let mut store = FjallStore::empty(&path).unwrap();
    let value: std::sync::Arc<dyn Stored> = std::sync::Arc::new(Panics);
    let change = Change { table: 1, key: [0; 8].into(), value: Some(value) };
    let error = store.write(Some(1), vec![change]).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("not today"), "{error}");
    store.discard().unwrap();
    write(&mut store, 1);
    drop(store);
    fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_store_that_was_not_filled_to_the_end_is_of_no_use() {
    let path = std::env::temp_dir().join(format!("coreto-fjall-unfinished-{}", std::process::id()));
    let mut store = FjallStore::empty(&path).unwrap();
    store.write(None, Vec::new()).unwrap();
    assert!(matches!(store.applied(), Err(StoreError::Unfinished)));
    drop(store);
    let mut store = FjallStore::open(&path).unwrap();
    assert!(matches!(store.applied(), Err(StoreError::Unfinished)));
    store.write(Some(7), Vec::new()).unwrap();
    assert_eq!(store.applied().unwrap(), Some(7));
    fs::remove_dir_all(&path).unwrap();
}
