//! No input may panic, overflow the stack, hang, or take more than its budget.

#[path = "support/everything.rs"]
mod everything;

use std::fmt::Write as _;

use coreto_feel::{Budget, Dialect, Env, Expression, Failure, Nothing, Resource, UnaryTests, Value};

use everything::Everything;

/// Runs a test on a stack that is smaller than any that the program uses.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(test);
    thread.expect("a thread starts").join().expect("the test passes");
}

const STACK: usize = 1 << 20;

fn resource(source: &str, budget: Budget) -> Option<Resource> {
    let expression = Expression::parse(source).expect("well-formed");
    match expression.evaluate(&Everything, &Env { budget, ..Env::default() }) {
        Err(Failure::BudgetExhausted { resource, .. }) => Some(resource),
        Err(Failure::Assert { .. }) | Ok(_) => None,
    }
}

#[test]
fn refuses_sources_that_nest_too_deep() {
    on_a_small_stack(|| {
        for (open, middle, close) in [
            ("[", "", "]"),
            ("(", "1", ")"),
            ("-", "1", ""),
            ("{a:", "1", "}"),
            ("not(", "true", ")"),
            ("f(", "1", ")"),
            ("if true then ", "1", " else 2"),
            ("if ", "true", " then 1 else 2"),
            ("for x in [1] return ", "1", ""),
            ("for x in ", "[1]", " return x"),
            ("some x in [1] satisfies ", "true", ""),
            ("function(x) ", "1", ""),
            ("x in (", "1", ")"),
            ("x in not(", "1", ")"),
            ("x[", "1", "]"),
            ("[1..", "2", "]"),
            ("]1..", "2", "["),
            ("2 ** (", "1", ")"),
            ("1 + (", "1", ")"),
            ("a.f(", "1", ")"),
            ("x between 1 and (", "1", ")"),
            ("substring(string: ", "1", ")"),
        ] {
            for depth in [100, 130, 20_000] {
                let source = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
                if let Ok(expression) = Expression::parse(&source) {
                    let _ = expression.evaluate(&Everything, &Env::default());
                } else {
                    assert!(depth >= 100, "{open} nests a few times");
                }
                let _ = UnaryTests::parse(&source);
                let _ = Expression::parse(&open.repeat(depth));
            }
            assert!(Expression::parse(&open.repeat(20_000)).is_err());
        }
    });
}

#[test]
fn takes_long_chains() {
    on_a_small_stack(|| {
        for (first, rest) in [
            ("1", " + 1"),
            ("2", " * 1"),
            ("1", " ** 1"),
            ("true", " and true"),
            ("false", " or false"),
            ("x", ".a"),
            ("x", "[1]"),
            ("\"a\"", " + \"a\""),
            ("(function(a) a)", "(1)"),
            ("[1", ", 1"),
            ("1 in (1", ", 1"),
            ("f(1", ", 1"),
        ] {
            let mut source = first.to_owned();
            for _ in 0..100_000 {
                source.push_str(rest);
            }
            for end in ["", "]", ")"] {
                if let Ok(expression) = Expression::parse(&format!("{source}{end}")) {
                    let _ = expression.evaluate(&Everything, &Env::default());
                }
            }
        }
        for dialect in [Dialect::Camunda, Dialect::Standard] {
            let names = |count: usize, name: &dyn Fn(usize) -> String| -> String {
                (0..count).map(name).collect::<Vec<_>>().join(",")
            };
            for source in [
                format!("[{}]", names(100_000, &|at| format!("v{at}"))),
                format!("{{{}}}", names(60_000, &|at| format!("k{at}: v{at}"))),
                format!("{{{}}}", names(60_000, &|at| format!("k {at}: k"))),
                format!(
                    "{{{}, f: function(x) [{}]}}",
                    names(20_000, &|at| format!("k{at}: 1")),
                    names(20_000, &|at| format!("k{at}"))
                ),
                format!("f({})", names(60_000, &|at| format!("p{at}: 1"))),
                format!("for {} return 1", names(20_000, &|at| format!("i{at} in [1]"))),
                format!("some {} satisfies true", names(20_000, &|at| format!("i{at} in 1..1"))),
                format!("for i in 1..2 return [{}]", names(100_000, &|at| format!("v{at}"))),
                "x ".repeat(500_000),
                "x between ".repeat(100_000),
                "(".repeat(500_000),
            ] {
                if let Ok(expression) = Expression::parse_in(dialect, &["a b", "c-d"], &source) {
                    let _ = expression.evaluate(&Everything, &Env::default());
                }
            }
        }
        let mut keys = String::from("{");
        for at in 0..20_000 {
            write!(keys, "k{at}: {at},").unwrap();
        }
        keys.pop();
        keys.push('}');
        let expression = Expression::parse(&keys).expect("a large context");
        let value = expression.evaluate(&Nothing, &Env::default()).expect("a value").value;
        assert_eq!(
            value.as_context().expect("a context").get("k19999").and_then(Value::as_number),
            Some(19_999.into())
        );
    });
}

#[test]
fn stops_endless_recursion() {
    on_a_small_stack(|| {
        let budget = Budget::default();
        for source in [
            "(function(f) f(f))(function(f) f(f))",
            "(function(f) [f(f)])(function(f) [f(f)])",
            "(function(f) {a: f(f)})(function(f) {a: f(f)})",
            "(function(f) 1 + f(f))(function(f) 1 + f(f))",
            "(function(f) if true then f(f) else 1)(function(f) if true then f(f) else 1)",
            "(function(f) for x in [1] return f(f))(function(f) for x in [1] return f(f))",
            "(function(f) some x in [1] satisfies f(f))(function(f) some x in [1] satisfies f(f))",
            "(function(f) [1][f(f)])(function(f) [1][f(f)])",
            "(function(f) 1 in (f(f), 2))(function(f) 1 in (f(f), 2))",
            "(function(f) sort([1, 2], function(a, b) f(f)))(function(f) sort([1, 2], function(a, b) f(f)))",
            "(function(f) get or else(f(f), 1))(function(f) get or else(f(f), 1))",
            "(function(f) not(f(f)) and true)(function(f) not(f(f)) and true)",
        ] {
            assert_eq!(resource(source, budget), Some(Resource::Depth), "{source}");
        }
    });
}

#[test]
fn keeps_values_from_growing_too_deep() {
    on_a_small_stack(|| {
        let budget = Budget::default();
        for source in [
            "for i in 1..1000 return [partial[-1]]",
            "for i in 1..1000 return {a: partial[-1]}",
            "for i in 1..1000 return append([], partial[-1])",
            "for i in 1..1000 return context put({}, \"a\", partial[-1])",
            "for i in 1..1000 return (function(x) function() x)(partial[-1])",
        ] {
            assert_eq!(resource(source, budget), Some(Resource::Depth), "{source}");
        }
        let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Value::from_json(json.as_bytes()).is_err());
        assert!(Value::from_json("[".repeat(100_000).as_bytes()).is_err());
        let json = format!("{}{}", "[".repeat(256), "]".repeat(256));
        let value = Value::from_json(json.as_bytes()).expect("as deep as allowed");
        assert_eq!(value.to_json(), json);
    });
}

#[test]
fn stops_what_goes_beyond_the_budget() {
    let budget = Budget { steps: 10_000, list_length: 1000, bytes: 100_000, ..Budget::default() };
    for (source, expected) in [
        ("for i in 1..1000000000000 return i", Resource::ListLength),
        ("some i in 1..1000000000000 satisfies i < 0", Resource::Steps),
        ("for i in 1..100, j in 1..100, k in 1..100 return []", Resource::ListLength),
        ("every i in 1..1000, j in 1..1000 satisfies true", Resource::Steps),
        (
            "for i in 1..100 return if i = 1 then \"0123456789\" else partial[-1] + partial[-1]",
            Resource::Bytes,
        ),
        (
            "for i in 1..100 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
            Resource::ListLength,
        ),
        ("for i in 1..900 return partial", Resource::Bytes),
        ("for i in 1..900 return distinct values(for j in 1..900 return j)", Resource::Steps),
        ("for i in 1..900 return string join(for j in 1..900 return \"a\")", Resource::Bytes),
        ("for i in 1..900 return matches(\"a\", \"a\" + string(i))", Resource::Steps),
        ("for i in 1..60 return [partial]", Resource::Bytes),
        ("for i in 1..60 return [partial[-1], partial[-1]]", Resource::Bytes),
        ("for i in 1..60 return {a: partial[-1], b: partial[-1]}", Resource::Bytes),
        ("for i in 1..9000 return (for j in 1..900 return j) = (for j in 1..900 return j)", Resource::Bytes),
        ("{l: for j in 1..900 return j, r: every i in 1..9000 satisfies l = l}", Resource::Steps),
        (
            "{l: for j in 1..900 return j, r: every i in 1..9000 satisfies list contains([l], l)}",
            Resource::Steps,
        ),
        ("string length(to json(for i in 1..900 return for j in 1..900 return j))", Resource::Bytes),
    ] {
        assert_eq!(resource(source, budget), Some(expected), "{source}");
    }
    let source = format!("replace(\"{}\", \"a\", \"{}\")", "a".repeat(400), "b".repeat(300));
    assert_eq!(resource(&source, budget), Some(Resource::Bytes));
}

#[test]
fn needs_linear_time_for_patterns() {
    let text = "a".repeat(30_000);
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)x"] {
        let source = format!("matches(\"{text}!\", \"{pattern}\")");
        assert_eq!(resource(&source, Budget::default()), None, "{pattern}");
    }
    // A pattern with many states costs what it takes, and so does one that looks to the end for each place it finds.
    let few = Budget { steps: 100_000, ..Budget::default() };
    let (short, letters) = ("a".repeat(1000), "A".repeat(20_000));
    for source in [
        format!("matches(\"{short}\", \"(a?){{1000}}b\")"),
        format!("extract(\"{letters}\", \".*[^A-Z]|[A-Z]\")"),
        format!("split(\"{letters}\", \".*[^A-Z]|[A-Z]\")"),
        format!("replace(\"{letters}\", \".*[^A-Z]|[A-Z]\", \"\")"),
        "for i in 1..1000 return matches(\"a\", \"(a?){200}\" + string(i))".to_owned(),
    ] {
        assert_eq!(resource(&source, few), Some(Resource::Steps), "{source:.60}");
    }
    let words = "word, ".repeat(2000);
    for source in [format!("split(\"{words}\", \", \")"), format!("split(\"{words}\", \"\\s+\")")] {
        assert_eq!(resource(&source, Budget::default()), None, "{source:.60}");
    }
    // Patterns that would compile to something huge are refused.
    let source = "matches(\"a\", \"((a{1000}){1000}){1000}\")";
    let value = Expression::parse(source).unwrap().evaluate(&Nothing, &Env::default()).unwrap().value;
    assert!(value.is_null());
}

#[test]
fn makes_partial_lists_in_linear_time() {
    // A copy per turn would need 100,000² / 2 items, far beyond the budget of bytes.
    assert_eq!(resource("count(for i in 1..100000 return count(partial))", Budget::default()), None);
    assert_eq!(resource("for i in 1..1000 return partial[-1]", Budget::default()), None);
}
