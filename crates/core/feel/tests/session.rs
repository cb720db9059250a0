//! Several expressions in one evaluation, and functions of the host.

use std::sync::Arc;

use coreto_feel::{
    Budget, Callable, Captured, Context, Dialect, Env, Expression, Failure, Function, Resource, Scope,
    Session, Text, UnaryTests, Value, Variable,
};

/// `twice(n)`, which calls an expression that may call it again.
struct Twice {
    parameters: [Text; 1],
    body: Expression,
}

impl Callable for Twice {
    fn parameters(&self) -> &[Text] {
        &self.parameters
    }

    fn call(&self, arguments: Vec<Value>, session: &mut Session<'_>) -> Result<Value, Failure> {
        let [n] = <[Value; 1]>::try_from(arguments).expect("as many as there are parameters");
        let scope = with(&[("n", n), ("twice", twice(self.body.source()))]);
        session.enter()?;
        let result = session.evaluate(&self.body, &scope);
        session.leave();
        result
    }
}

fn twice(body: &str) -> Value {
    let body = Expression::parse(body).expect("well-formed");
    Value::Function(Function::host(Arc::new(Twice { parameters: ["n".into()], body })))
}

fn with(entries: &[(&str, Value)]) -> Context {
    let entries = entries.iter().map(|(name, value)| (Text::from(*name), value.clone())).collect();
    Context::new(entries).expect("not deep")
}

fn evaluate(source: &str, scope: &dyn Scope) -> Result<String, Failure> {
    let expression = Expression::parse_in(Dialect::Standard, &[], source).expect("well-formed");
    expression.evaluate(scope, &Env::default()).map(|evaluated| evaluated.value.to_json())
}

#[test]
fn calls_functions_of_the_host() {
    let scope = with(&[("twice", twice("n * 2"))]);
    for (source, expected) in [
        ("twice(4)", "8"),
        ("twice(n: 4)", "8"),
        ("twice(m: 4)", "null"),
        ("twice()", "null"),
        ("(for i in [1, 2] return twice(i))", "[2,4]"),
        ("sort([1, 3, 2], function(a, b) twice(a) > twice(b))", "[3,2,1]"),
        ("twice instance of function", "true"),
        ("{f: abs, r: f(-3)}.r", "3"),
    ] {
        assert_eq!(evaluate(source, &scope).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn calls_by_name_in_a_session() {
    let Value::Function(function) = twice("n * 2") else { panic!("a function") };
    let env = Env::default();
    let mut session = Session::new(&env);
    let mut call = |name: &str| session.call(Dialect::Standard, &function, &[name.into()], &[4.into()]);
    assert_eq!(call("n").expect("no assert").to_json(), "8");
    assert!(call("m").expect("no assert").is_null());
    assert_eq!(session.take_warnings().len(), 1);
}

#[test]
fn counts_depth_through_the_host() {
    let scope = with(&[("twice", twice("twice(n + 1)"))]);
    let failure = evaluate("twice(1)", &scope).expect_err("it never ends");
    assert!(matches!(failure, Failure::BudgetExhausted { resource: Resource::Depth, .. }), "{failure}");
}

#[test]
fn charges_one_budget_for_all() {
    let env = Env { budget: Budget { steps: 50, ..Budget::default() }, ..Env::default() };
    let mut session = Session::new(&env);
    let loops = Expression::parse("for i in 1..30 return missing").expect("well-formed");
    assert!(session.evaluate(&loops, &Context::empty()).is_ok());
    assert!(session.evaluate(&loops, &Context::empty()).is_err());
    assert!(session.take_warnings().len() > 30, "warnings of both are kept");
}

#[test]
fn tests_give_the_same_at_once_and_slowly() {
    for (tests, input, expected) in [
        ("-", "null", Some(true)),
        ("< 5", "4", Some(true)),
        ("< 5", "\"x\"", None),
        ("[1..5)", "5", Some(false)),
        ("[1..5), 5", "5", Some(true)),
        ("not(\"a\", \"b\")", "\"a\"", Some(false)),
        ("not(\"a\", \"b\")", "\"c\"", Some(true)),
        ("null", "null", Some(true)),
        ("true", "false", Some(false)),
        ("\"a\"", "[\"a\"]", None),
    ] {
        let input = Expression::parse(input).expect("well-formed");
        let env = Env::default();
        let input = input.evaluate(&Context::empty(), &env).expect("no assert").value;
        let tests = UnaryTests::parse(tests).expect("well-formed");
        let slowly = tests.evaluate(input.clone(), &Context::empty(), &env).expect("no assert").value;
        let found = Session::new(&env).test(&tests, &input, &Context::empty());
        assert_eq!((found, slowly.as_bool()), (Ok(expected), expected), "{tests:?} {input:?}");
    }
}

/// A scope that functions may keep.
struct Kept(Context);

impl Scope for Kept {
    fn variable(&self, name: &str) -> Option<Variable<'_>> {
        self.0.variable(name)
    }

    fn capture(&self, names: &[Arc<str>]) -> Option<Captured> {
        let entries = names.iter().filter_map(|name| Some((Text::from(&**name), self.0.get(name)?.clone())));
        Some(Arc::new(Context::new(entries.collect())?))
    }
}

#[test]
fn functions_keep_the_scope_that_they_were_written_in() {
    let add = Expression::parse("function(b) {f: function(c) a + b + c}.f(0)").expect("well-formed");
    let add = add.evaluate(&Kept(with(&[("a", 40.into())])), &Env::default()).expect("no assert").value;
    let scope = with(&[("add", add), ("a", 0.into())]);
    assert_eq!(evaluate("add(2)", &scope).as_deref(), Ok("42"));
}
