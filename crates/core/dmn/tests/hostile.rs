//! Input that is made to hurt: refused, or failed within the budget, and never a panic.

use coreto_dmn::{Code, Limits, Model, Options, Reason};
use coreto_feel::{Context, Dialect, Env, Resource};

const OPEN: &str = "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\">";
const CLOSE: &str = "</definitions>";

fn codes(xml: &str, options: &Options<'_>) -> Vec<Code> {
    let (_, diagnostics) = Model::read(xml.as_bytes(), options);
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn literal(id: &str, requires: Option<&str>, text: &str) -> String {
    let requires = requires.map_or(String::new(), |id| {
        format!("<informationRequirement><requiredDecision href=\"#{id}\"/></informationRequirement>")
    });
    format!(
        "<decision id=\"{id}\" name=\"{id}\">{requires}<literalExpression><text>{text}</text></literalExpression></decision>"
    )
}

#[test]
fn refuses_what_is_too_large_deep_or_many() {
    let deep = 200_000;
    let nested =
        [OPEN, "<decision id='d'>", &"<list>".repeat(deep), &"</list>".repeat(deep), "</decision>", CLOSE];
    assert_eq!(codes(&nested.concat(), &Options::default()), [Code::LimitExceeded]);

    let many = [OPEN, &"<decision/>".repeat(200_001), CLOSE].concat();
    assert_eq!(codes(&many, &Options::default()), [Code::LimitExceeded]);

    let large = [OPEN, &" ".repeat(5 << 20), CLOSE].concat();
    assert_eq!(codes(&large, &Options::default()), [Code::LimitExceeded]);

    let limits = Limits { expression_bytes_max: 10, ..Limits::default() };
    let long = [OPEN, &literal("d", None, "1 + 1 + 1 + 1"), CLOSE].concat();
    assert_eq!(codes(&long, &Options { limits, ..Options::default() }), [Code::LimitExceeded]);

    let sum = "x + ".repeat(500);
    let entry = |at: usize| {
        let text = format!("<literalExpression><text>{sum}1</text></literalExpression>");
        format!("<contextEntry><variable name='a-{at}'/>{text}</contextEntry>")
    };
    let entries: String = (0..1_000).map(entry).collect();
    let names = format!("{OPEN}<decision id='d'><context>{entries}</context></decision>{CLOSE}");
    let standard = Options { dialect: Dialect::Standard, ..Options::default() };
    assert!(codes(&names, &standard).contains(&Code::LimitExceeded));

    assert_eq!(codes("<definitions xmlns='\u{e9}'/>", &Options::default()), [Code::NotDmn]);
    let (_, diagnostics) = Model::read(b"<a>\xE9</a>", &Options::default());
    assert_eq!(diagnostics[0].code, Code::NotText);
}

#[test]
fn keeps_only_so_many_diagnostics() {
    let faults: String = (0..3_000).map(|at| literal(&format!("d{at}"), None, "1 +")).collect();
    let found = codes(&[OPEN, &faults, CLOSE].concat(), &Options::default());
    assert_eq!((found.len(), found.last()), (1_001, Some(&Code::TooMany)));
}

#[test]
fn stops_where_decisions_require_each_other_too_deep() {
    let chain = |length: usize| -> String {
        let decision = |at: usize| {
            let before = at.checked_sub(1).map(|before| format!("d{before}"));
            literal(&format!("d{at}"), before.as_deref(), before.as_deref().unwrap_or("1"))
        };
        [OPEN, &(0..length).map(decision).collect::<String>(), CLOSE].concat()
    };
    for dialect in [Dialect::Camunda, Dialect::Standard] {
        let model = Model::parse(chain(200).as_bytes(), dialect).expect("the model is sound");
        let evaluation =
            model.evaluate("d199", &Context::empty(), &Env::default()).expect("it is not too deep");
        assert_eq!((evaluation.output.to_json().as_str(), evaluation.decisions.len()), ("1", 200));

        let model = Model::parse(chain(20_000).as_bytes(), dialect).expect("the model is sound");
        let failure =
            model.evaluate("d19999", &Context::empty(), &Env::default()).expect_err("it is too deep");
        let depth = coreto_feel::Failure::BudgetExhausted { resource: Resource::Depth, offset: 0 };
        assert_eq!(failure.reason, Reason::Expression(depth));
    }
}

#[test]
fn recursion_of_every_kind_ends_by_the_budget_on_a_small_stack() {
    let boxes = |name: &str, inside: &str| {
        format!(
            "<businessKnowledgeModel id='{name}' name='{name}'><encapsulatedLogic><formalParameter name='n'/>{inside}\
             </encapsulatedLogic><knowledgeRequirement><requiredKnowledge href='#{name}'/></knowledgeRequirement>\
             </businessKnowledgeModel>"
        )
    };
    let call = |name: &str| format!("<literalExpression><text>{name}(n + 1)</text></literalExpression>");
    let table = "<decisionTable><output/><rule><outputEntry><text>table(n + 1)</text></outputEntry></rule></decisionTable>";
    let lists = |depth: usize| [&"<list>".repeat(depth), &*call("lists"), &"</list>".repeat(depth)].concat();
    let contexts = |depth: usize| {
        let (open, close) = ("<context><contextEntry><variable name='x'/>", "</contextEntry></context>");
        [&open.repeat(depth), &*call("contexts"), &close.repeat(depth)].concat()
    };
    for (name, logic) in [
        ("plain", call("plain")),
        ("table", table.to_owned()),
        ("lists", lists(40)),
        ("contexts", contexts(40)),
        (
            "lambda",
            "<literalExpression><text>(function(x) lambda(x))(n)</text></literalExpression>".to_owned(),
        ),
    ] {
        let requires =
            format!("<knowledgeRequirement><requiredKnowledge href='#{name}'/></knowledgeRequirement>");
        let decision = format!(
            "<decision id='d' name='d'>{requires}<literalExpression><text>{name}(0)</text></literalExpression></decision>"
        );
        let xml = [OPEN, &boxes(name, &logic), &decision, CLOSE].concat();
        let model = Model::parse(xml.as_bytes(), Dialect::Camunda).expect("the model is sound");
        let failure = model.evaluate("d", &Context::empty(), &Env::default()).expect_err("it never ends");
        assert!(failure.to_string().contains("budget"), "{name}: {failure}");
    }
}
