//! A bit that flipped, a file that was cut: found, named, and nothing is served from behind it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Chance, Directory, Plant, Settings, number, one_task, tell};

/// How often something is damaged.
fn damages() -> u64 {
    number("CORETO_E2E_DAMAGES", 5)
}

/// Where it is damaged.
fn chance() -> Chance {
    let seed = number("CORETO_E2E_SEED", u64::from(std::process::id()));
    eprintln!("CORETO_E2E_SEED={seed} repeats the places of the damages");
    Chance::new(seed)
}

/// Starts on a damaged directory and tells what it holds, if it does.
async fn start(directory: &Directory) -> Result<(String, String), String> {
    let settings = Settings::new(directory);
    match settings.try_start() {
        Ok(server) => {
            let told = tell(&server.client().await).await;
            let log = server.log();
            server.stop().await;
            Ok((told, log))
        }
        Err(end) => {
            assert_eq!(end.code, Some(1), "{}", end.log);
            Err(end.log)
        }
    }
}

/// The start is refused, and the message names the file. Gives the place that it names.
async fn refused(directory: &Directory, file: &Path) -> u64 {
    let message = match start(directory).await {
        Err(message) => message,
        Ok(_) => panic!("a damaged `{}` was not found", file.display()),
    };
    let named = format!("`{}` is damaged at byte ", file.display());
    let place = message.split_once(&named).unwrap_or_else(|| panic!("`{}`: {message}", file.display())).1;
    place.split(' ').next().unwrap().parse().unwrap()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Flips a bit of a byte that is not zero, at a place or behind it: zeros may be no part of anything.
fn flip(path: &Path, from: usize, bit: u32) -> usize {
    let bytes = fs::read(path).unwrap();
    let at = from + bytes[from..].iter().position(|&byte| byte != 0).unwrap();
    toggle(path, at, bit);
    at
}

/// Flips a bit of exactly this byte; done twice, all is as before.
fn toggle(path: &Path, at: usize, bit: u32) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
}

/// Where the zeros at the end of a file begin.
fn used(path: &Path) -> usize {
    fs::read(path).unwrap().iter().rposition(|&byte| byte != 0).unwrap() + 1
}

fn cut(path: &Path, length: usize) {
    fs::File::options().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

fn lose_store(directory: &Directory) {
    fs::remove_dir_all(directory.join("data/engine-1/store")).unwrap();
}

fn lose_store_and_snapshots(directory: &Directory) {
    lose_store(directory);
    for snapshot in directory.partition_files("snapshot") {
        fs::remove_file(snapshot).unwrap();
    }
}

/// All files of the store.
fn store_files(directory: &Directory) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.join("data/engine-1/store")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn damaged_segment_is_refused_by_name_and_place() {
    let plant = Plant::grow().await;
    let mut chance = chance();
    let segments = plant.directory.partition_files("log");
    assert_eq!(segments.len(), 2);
    for segment in &segments {
        let end = used(segment) as u64;
        let places = (0..damages()).map(|_| chance.below(end)).chain([0, 20, 130, end - 20]);
        for place in places.collect::<Vec<_>>() {
            let copy = plant.copy();
            // With the store at hand the first segment is not read; without it, all that no snapshot holds is.
            lose_store_and_snapshots(&copy);
            let path = copy.join("data/engine-1").join(name(segment));
            let bit = chance.below(8) as u32;
            let at = flip(&path, usize::try_from(place).unwrap(), bit);
            let told = refused(&copy, &path).await;
            assert!(told <= at as u64, "bit {bit} of byte {at} flipped, and byte {told} is named");
            // Nothing was made worse by that.
            toggle(&path, at, bit);
            assert_eq!(start(&copy).await.unwrap().0, plant.told);
        }
    }
}

#[tokio::test]
async fn cut_or_lost_segment_is_refused_by_name() {
    let plant = Plant::grow().await;
    let segments = plant.directory.partition_files("log");
    for segment in &segments {
        for length in [0, 100, used(segment) / 2, used(segment), used(segment) + 4096] {
            let copy = plant.copy();
            let path = copy.join("data/engine-1").join(name(segment));
            cut(&path, length);
            refused(&copy, &path).await;
        }
        let copy = plant.copy();
        lose_store_and_snapshots(&copy);
        fs::remove_file(copy.join("data/engine-1").join(name(segment))).unwrap();
        let message = start(&copy).await.expect_err("a lost segment was not found");
        assert!(message.contains("engine-1"), "{message}");
    }
}

#[tokio::test]
async fn damaged_snapshot_is_told_and_the_one_before_is_taken() {
    let plant = Plant::grow_trimmed().await;
    let mut chance = chance();
    for _ in 0..damages() {
        let copy = plant.copy();
        lose_store(&copy);
        let newest = copy.partition_files("snapshot").pop().unwrap();
        let length = fs::metadata(&newest).unwrap().len();
        let place = usize::try_from(chance.below(length)).unwrap();
        if chance.below(3) == 0 {
            cut(&newest, place);
        } else {
            flip(&newest, place, chance.below(8) as u32);
        }
        let (told, log) = start(&copy).await.unwrap();
        assert_eq!(told, plant.told);
        assert!(log.contains(newest.to_str().unwrap()), "{log}");
    }
    let copy = plant.copy();
    lose_store(&copy);
    for snapshot in copy.partition_files("snapshot") {
        cut(&snapshot, 1000);
    }
    let message = start(&copy).await.expect_err("it started from nothing");
    assert!(message.contains("trimmed"), "{message}");
}

#[tokio::test]
async fn damaged_store_is_made_anew() {
    let plant = Plant::grow().await;
    let mut chance = chance();
    for file in store_files(&plant.directory) {
        let length = fs::metadata(&file).unwrap().len();
        let file = file.strip_prefix(plant.directory.path()).unwrap();
        let last = if length == 0 { 0 } else { damages() };
        for damage in 0..=last {
            let copy = plant.copy();
            let path = copy.join(file);
            let place = usize::try_from(chance.below(length.max(1))).unwrap();
            match damage {
                0 => fs::remove_file(&path).unwrap(),
                1 => cut(&path, place),
                _ => {
                    let mut bytes = fs::read(&path).unwrap();
                    bytes[place] ^= 1 << chance.below(8);
                    fs::write(&path, bytes).unwrap();
                }
            }
            let (told, log) = start(&copy).await.unwrap_or_else(|log| panic!("{}: {log}", file.display()));
            assert!(told == plant.told, "damage {damage} of `{}` at byte {place}: {log}", file.display());
        }
    }
}

#[tokio::test]
async fn torn_last_batch_is_cut_off() {
    let directory = Directory::new();
    let settings = Settings::new(&directory);
    let server = settings.start();
    let client = server.client().await;
    client.deploy("order.bpmn", &one_task("order")).await.unwrap();
    let before = client.create("order", "{}").await.unwrap();
    let letters = Chance::new(3).letters(10_000);
    let torn = client.create("order", &format!(r#"{{"letters":"{letters}"}}"#)).await.unwrap();
    server.kill();
    // The store may have seen the last batch, and then it would not be torn.
    lose_store(&directory);
    let segment = directory.partition_files("log").pop().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let last = used(&segment) - 1;
    bytes[last / 512 * 512..=last].fill(0);
    fs::write(&segment, bytes).unwrap();

    let server = settings.start();
    let client = server.client().await;
    let keys: Vec<i64> = client.instances().await.unwrap().iter().map(|instance| instance.key).collect();
    assert_eq!(keys, [before], "{torn} was torn");
    let after = client.create("order", "{}").await.unwrap();
    server.kill();
    let server = settings.start();
    let keys: Vec<i64> =
        server.client().await.instances().await.unwrap().iter().map(|instance| instance.key).collect();
    assert_eq!(keys, [before, after]);
}
