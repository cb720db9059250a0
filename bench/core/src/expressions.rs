//! Sources of expressions, and the variables that they read.

use coreto_feel::Value;

use crate::Variables;

/// What `bench/feel/compare.mjs` gives feelin, too.
const SHARED: &[u8] = include_bytes!("../../feel/variables.json");

/// Lists of the numbers from 1 on: their names and lengths.
const LISTS: [(&str, usize); 3] = [("list", 1_000), ("long", 100_000), ("longest", 1_000_000)];

/// Expressions whose times and allocations are told.
pub const SOURCES: &[&str] = &[
    "x = 21",
    r#"x > 10 and y = "a""#,
    "x between 10 and 30",
    "{a: b + 1}",
    "(a + b) * c - a / c",
    "order.tracking.id",
    r#"orders[type = "priority"]"#,
    "[1,2,3][2]",
    "{x:1,y:2,z:3}.x",
    "{x:1,y:2,z:3}",
    "for order in orders return order.id",
    r#"contains(s, "camunda")"#,
    r#"matches(s, "^Hello.*a$")"#,
    r#"upper case(substring(s,1,5)) + "-" + string(n)"#,
    r#"date and time("2024-03-10T12:00:00") + duration("P1D")"#,
    r#"date and time("2024-03-10T12:00:00") between date and time("2024-01-01T00:00:00") and date and time("2024-12-31T00:00:00")"#,
    r#"if x > 10 then "large" else "small""#,
    "is defined(missing)",
    "list",
    "for i in list return i * 2",
    "for i in long return i * 2",
    "for i in longest return i * 2",
    "list[item > 500]",
    "long[item > 50000]",
    "longest[item > 500000]",
    "some i in list satisfies i > 999",
    "sum(list)",
    "sum(longest)",
];

/// The variables of all of them.
pub fn variables() -> Variables {
    let shared = Value::from_json(SHARED).expect("the file holds JSON");
    let shared = shared.as_context().expect("an object").iter();
    let shared = shared.map(|(name, value)| (name.to_owned(), value.to_json()));
    Variables(shared.chain(LISTS.map(|(name, length)| (name.to_owned(), numbers(length)))).collect())
}

fn numbers(length: usize) -> String {
    let items: Vec<String> = (1..=length).map(|item| item.to_string()).collect();
    format!("[{}]", items.join(","))
}
