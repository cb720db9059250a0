//! Routes as data: `tests/cases/route/*.txt`.
//!
//! A block is a claim (`#`), routes, `----`, and requests with what becomes of them. Blocks are parted by blank lines.
//! `shuffled` above the routes: their order in the file must not matter.
//!
//! ```text
//! route NAME [host=…,…] [path=… | template=… | prefix=… | regex=…] [method=…,…] [header=name[:value|~regex],…]
//!            [query=…] [priority=n] [mode=…] [slash=…] [to-prefix=… | to-path=…] [redirect=status,part=…]
//! METHOD HOST[:port] TARGET [name:value …] → NAME [as PATH | moved PATH | refused WHY | STATUS URL] | 404 | 405 METHODS
//! ```

#![allow(clippy::unwrap_used, reason = "a case that cannot be read fails by it")]

mod mutation;
mod script;

use std::path::Path;

use script::Block;

#[test]
fn routes_are_chosen_as_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/route");
    let mut failures = Vec::new();
    let mut requests = 0;
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        for block in Block::read_all(&std::fs::read_to_string(&file).unwrap()) {
            requests += block.requests.len();
            for (line, expected, found) in block.run() {
                failures.push(format!("{}: {line}: expected {expected}, found {found}", file.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(requests > 100, "only {requests} requests were found");
}
