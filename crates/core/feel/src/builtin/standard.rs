//! Functions that only the standard has, or has in another way.

use std::cmp::Ordering;

use super::{Builtin, Call, number};
use crate::ast::{Kind, Node, RangeLiteral};
use crate::eval::{Eval, Evaluator};
use crate::parser;
use crate::value::{Value, order, same};
use crate::{Dialect, Nothing, Session};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("abs", &[&["n"]], number::abs),
    Builtin::new("is", &[&["value1", "value2"]], is),
    Builtin::new(
        "list replace",
        &[&["list", "position", "newItem"], &["list", "match", "newItem"]],
        list_replace,
    ),
    Builtin::new("range", &[&["from"]], range),
];

/// Whether two values are of the same type and the same in every part; here, the zone of a time counts.
fn is(_call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [left, right] = values else { return Ok(Value::Null) };
    Ok(Value::Boolean(same(Dialect::Camunda, left, right)))
}

fn list_replace(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::List(list), Value::Number(position), item] => {
            call.charge_steps(list.len())?;
            let distance =
                position.to_i64().and_then(|position| usize::try_from(position.unsigned_abs()).ok());
            let index = match distance {
                Some(distance) if position.is_negative() => list.len().checked_sub(distance),
                Some(distance) => distance.checked_sub(1),
                None => None,
            };
            let Some(index) = index.filter(|&index| index < list.len()) else {
                return call.fail(format_args!("there is no position {position}"));
            };
            let mut items = list.to_vec();
            items[index] = item.clone();
            call.list(items)
        }
        [Value::List(list), Value::Function(matches), new] => {
            let mut items = Vec::with_capacity(list.len());
            for item in list.iter() {
                let arguments = vec![item.clone(), new.clone()];
                let replaced = call.evaluator.invoke_function(matches, arguments, call.at)?;
                let Some(replaced) = replaced.as_bool() else {
                    return call.fail("the function that matches did not give a boolean");
                };
                items.push(if replaced { new.clone() } else { item.clone() });
            }
            call.list(items)
        }
        _ => call.illegal(values),
    }
}

/// The range that a text spells, with literals at its ends.
fn range(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::String(text)] = values else { return call.illegal(values) };
    call.charge_steps(text.as_bytes().len())?;
    let parsed = parser::expression(Dialect::Standard, &[], text);
    let literal = parsed.ok().map(|parsed| parsed.root).filter(|root| match &root.kind {
        Kind::Range(literal) => is_literal(literal),
        _ => false,
    });
    let Some(literal) = literal else {
        return call.fail("the text is not a range between literals");
    };
    // Literals read no variables and cost next to nothing, so they get an evaluation of their own.
    let inner =
        Evaluator::new(Session::new(call.evaluator.env()), &Nothing, 0, Dialect::Standard).run(&literal);
    match inner.map(|evaluated| evaluated.value) {
        Ok(Value::Range(range))
            if order(&range.start().value, &range.end().value).is_some_and(Ordering::is_le) =>
        {
            Ok(Value::Range(range))
        }
        _ => call.fail("the ends of a range are two values of one type, the lower one first"),
    }
}

fn is_literal(range: &RangeLiteral) -> bool {
    let constant = |node: &Node| matches!(&node.kind, Kind::Constant(_));
    constant(&range.start) && constant(&range.end)
}
