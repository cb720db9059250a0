#![no_main]

use coreto_record::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(document) = Document::parse(text) {
        let again = Document::parse(document.as_str()).expect("what is accepted is well-formed");
        assert_eq!(again.as_str(), document.as_str());
        let entries: Vec<_> = document.entries().map(|(name, value)| (name.into_owned(), value)).collect();
        let borrowed: Vec<_> = entries.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(Document::from_entries(&borrowed).entries().count(), entries.len());
    }
});
