//! Functions on numbers.

use super::{Builtin, Call, chance};
use crate::eval::Eval;
use crate::value::{Number, Rounding, Value};

pub(super) const FUNCTIONS: &[Builtin] = &[
    Builtin::new("decimal", &[&["n", "scale"], &["n", "scale", "mode"]], decimal),
    Builtin::new("floor", &[&["n"], &["n", "scale"]], |call, values| round(call, values, Rounding::Floor)),
    Builtin::new("ceiling", &[&["n"], &["n", "scale"]], |call, values| {
        round(call, values, Rounding::Ceiling)
    }),
    Builtin::new("round up", &[&["n", "scale"]], |call, values| round(call, values, Rounding::Up)),
    Builtin::new("round down", &[&["n", "scale"]], |call, values| round(call, values, Rounding::Down)),
    Builtin::new("round half up", &[&["n", "scale"]], |call, values| round(call, values, Rounding::HalfUp)),
    Builtin::new("round half down", &[&["n", "scale"]], |call, values| {
        round(call, values, Rounding::HalfDown)
    }),
    Builtin::new("abs", &[&["number"], &["n"]], abs),
    Builtin::new("modulo", &[&["dividend", "divisor"]], modulo),
    Builtin::new("sqrt", &[&["number"]], |call, values| through(call, values, Number::square_root)),
    Builtin::new("log", &[&["number"]], |call, values| through(call, values, Number::logarithm)),
    Builtin::new("exp", &[&["number"]], |call, values| through(call, values, Number::exponential)),
    Builtin::new("odd", &[&["number"]], |call, values| parity(call, values, Number::ONE)),
    Builtin::new("even", &[&["number"]], |call, values| parity(call, values, Number::ZERO)),
    Builtin::new("random number", &[&[]], random),
];

fn decimal(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let rounding = match values.get(2) {
        None | Some(Value::Null) => Rounding::HalfEven,
        Some(Value::String(mode)) => match mode.to_uppercase().as_str() {
            "UP" => Rounding::Up,
            "DOWN" => Rounding::Down,
            "CEILING" => Rounding::Ceiling,
            "FLOOR" => Rounding::Floor,
            "HALF_UP" => Rounding::HalfUp,
            "HALF_DOWN" => Rounding::HalfDown,
            "HALF_EVEN" => Rounding::HalfEven,
            "UNNECESSARY" => return unnecessary(call, values),
            _ => return call.fail(format_args!("`{mode}` is no way of rounding")),
        },
        Some(_) => return call.illegal(values),
    };
    round(call, &values[..2], rounding)
}

/// Only changes the scale; a number that would have to be rounded is a failure.
fn unnecessary(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let rounded = round(call, &values[..2], Rounding::Down)?;
    match (&values[0], rounded) {
        (Value::Number(number), Value::Number(rounded)) if *number != rounded => {
            call.fail(format_args!("{number} would have to be rounded"))
        }
        (_, rounded) => Ok(rounded),
    }
}

fn round(call: &mut Call<'_, '_>, values: &[Value], rounding: Rounding) -> Eval {
    let (number, scale) = match values {
        [Value::Number(number)] => (number, 0),
        [Value::Number(number), Value::Number(scale)] => {
            match scale.to_i64().and_then(|s| i32::try_from(s).ok()) {
                Some(scale) => (number, scale),
                None => return call.fail(format_args!("the scale {scale} is out of range")),
            }
        }
        _ => return call.illegal(values),
    };
    match number.rounded(scale, rounding) {
        Some(rounded) => Ok(Value::Number(rounded)),
        None => call.fail(format_args!("the scale {scale} is out of range")),
    }
}

pub(super) fn abs(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    match values {
        [Value::Number(number)] => Ok(Value::Number(number.abs())),
        [Value::DaysTimeDuration(span)] if span.is_negative() => {
            Ok(span.negate().map(Value::DaysTimeDuration).unwrap_or_default())
        }
        [Value::YearsMonthsDuration(span)] if span.to_months() < 0 => {
            Ok(span.negate().map(Value::YearsMonthsDuration).unwrap_or_default())
        }
        [span @ (Value::DaysTimeDuration(_) | Value::YearsMonthsDuration(_))] => Ok(span.clone()),
        _ => call.illegal(values),
    }
}

fn modulo(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let [Value::Number(dividend), Value::Number(divisor)] = values else { return call.illegal(values) };
    match dividend.modulo(*divisor) {
        Some(rest) => Ok(Value::Number(rest)),
        None if divisor.is_zero() => call.fail("division by zero"),
        None => call.fail("the result is out of range"),
    }
}

fn through(call: &mut Call<'_, '_>, values: &[Value], compute: fn(Number) -> Option<Number>) -> Eval {
    let [Value::Number(number)] = values else { return call.illegal(values) };
    match compute(*number) {
        Some(result) => Ok(Value::Number(result)),
        None => call.fail(format_args!("it is not defined for {number}")),
    }
}

fn parity(call: &mut Call<'_, '_>, values: &[Value], rest: Number) -> Eval {
    let [Value::Number(number)] = values else { return call.illegal(values) };
    Ok(Value::Boolean(number.abs().modulo(Number::from_i64(2)) == Some(rest)))
}

fn random(call: &mut Call<'_, '_>, _values: &[Value]) -> Eval {
    // 53 bits, as many as a double between 0 and 1 has.
    let bits = u32::try_from(chance::draw(call.evaluator) >> 96).expect("32 bits");
    let more = u32::try_from(chance::draw(call.evaluator) >> 107).expect("21 bits");
    let fraction = (f64::from(bits) * f64::from(1u32 << 21) + f64::from(more)) / 2f64.powi(53);
    Ok(Number::from_f64(fraction).into())
}
