#![no_main]

use std::sync::LazyLock;

use coreto_discovery::takes;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

static ROW: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "Node": {"Node": "n1", "TaggedAddresses": {"lan": "10.0.0.1"}},
        "Service": {"Service": "web", "Port": 80, "Tags": ["blue", "v1.2"], "Meta": {"env": "prod"}},
        "Checks": [{"Status": "passing", "ServiceTags": []}, {"Status": "warning", "Output": "slow"}],
    })
});

fuzz_target!(|filter: &str| {
    if let Ok(taken) = takes(filter, &ROW) {
        match takes(&format!("not ({filter})"), &ROW) {
            Ok(turned) => assert_ne!(turned, taken),
            // It was as deep, or as long, as it may be.
            Err(fault) => assert!(fault.contains("deeply") || fault.contains("bytes"), "{fault}"),
        }
    }
});
