//! Faults as data: `tests/cases/faults/*.txt`, a claim (`#`), a file, `----`, and everything that is said of it.
//! `UPDATE=1` writes what is found. Blocks are parted by lines `====`.

use std::path::Path;

use coreto_edge::Config;

#[test]
fn every_fault_is_told_with_its_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/faults");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases are there")
        .map(|file| file.expect("it can be listed").path())
        .collect();
    files.sort();
    let mut failures = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let blocks: Vec<String> = text.split("====\n").map(judge).collect();
        let found = blocks.join("====\n");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &found).expect("it can be written");
        } else if found != text {
            let differs = text.lines().zip(found.lines()).find(|(said, found)| said != found);
            failures.push(format!("{}: {differs:?}", file.display()));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The block with what is found.
fn judge(block: &str) -> String {
    let (file, _) = block.split_once("----\n").expect("a block has a line `----`");
    let said = match Config::read(file) {
        Ok(_) => "sound\n".to_owned(),
        Err(faults) => faults.iter().map(|fault| fault.to_string() + "\n").collect(),
    };
    format!("{file}----\n{said}")
}
