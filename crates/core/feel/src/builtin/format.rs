//! `string format`: values set into a text at places such as `%s` and `%,.2f`, written as Java's formatter reads them.

use super::conversion::text;
use super::units::Units;
use super::{Builtin, Call};
use crate::eval::Eval;
use crate::value::{Number, Rounding, Value};

pub(super) const FUNCTIONS: &[Builtin] =
    &[Builtin::variadic("string format", &[&["template", "values"]], string_format)];

/// Digits after the point of `%f` without a precision.
const FRACTION: usize = 6;

/// What stands after a `%`.
struct Place<'t> {
    /// Which value, from 0; else the next one.
    value: Option<usize>,
    /// Some of `-0+ ,`, none of them twice.
    flags: &'t str,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
}

fn string_format(call: &mut Call<'_, '_>, values: &[Value]) -> Eval {
    let Some((Value::String(template), given)) = values.split_first() else { return call.illegal(values) };
    let given = match given {
        [Value::List(list)] => list.as_slice(),
        several => several,
    };
    call.charge_steps(template.len() + given.len())?;
    let mut out = String::new();
    let mut rest = template.as_str();
    let mut next = 0;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let written = match Place::read(after) {
            Ok((place, left)) => {
                rest = left;
                place.write(call, given, &mut next)?
            }
            Err(reason) => Err(reason),
        };
        match written {
            Ok(text) => out.push_str(&text),
            Err(reason) => return call.fail(reason),
        }
    }
    out.push_str(rest);
    call.string(out)
}

impl<'t> Place<'t> {
    /// Reads what stands after a `%`; gives also what follows it.
    fn read(text: &'t str) -> Result<(Self, &'t str), String> {
        let mut rest = text;
        let mut value = None;
        if let (Some(number), after) = leading_number(rest)?
            && let Some(after) = after.strip_prefix('$')
        {
            value = Some(number.checked_sub(1).ok_or("values are counted from 1, not `%0$`")?);
            rest = after;
        }
        let flags = &rest[..rest.find(|c| !"-0+ ,".contains(c)).unwrap_or(rest.len())];
        let (width, mut rest) = leading_number(&rest[flags.len()..])?;
        let mut precision = None;
        if let Some(after) = rest.strip_prefix('.') {
            (precision, rest) = leading_number(after)?;
            if precision.is_none() {
                return Err(format!("there are no digits after the point of `%{}`", shown(text)));
            }
        }
        let mut characters = rest.chars();
        let conversion = characters.next().ok_or("a `%` stands at the end; a percent sign is `%%`")?;
        let place = Self { value, flags, width, precision, conversion };
        place.check(&text[..text.len() - characters.as_str().len()])?;
        Ok((place, characters.as_str()))
    }

    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn check(&self, text: &str) -> Result<(), String> {
        let Self { value, flags, width, precision, conversion } = self;
        let fits = match conversion {
            's' | 'S' => flags.trim_start_matches('-').is_empty(),
            'd' => precision.is_none(),
            'f' => true,
            '%' | 'n' => value.is_none() && flags.is_empty() && width.is_none() && precision.is_none(),
            _ => return Err(format!("`%{text}` is not one of `%s`, `%S`, `%d`, `%f`, `%n` and `%%`")),
        };
        let is_double = flags.chars().enumerate().any(|(at, flag)| flags[at + 1..].contains(flag));
        let is_excluded = self.has('-') && self.has('0') || self.has('+') && self.has(' ');
        if !fits || is_double || is_excluded {
            return Err(format!("what stands before the `{conversion}` of `%{text}` does not fit"));
        }
        if (self.has('-') || self.has('0')) && width.is_none() {
            return Err(format!("`%{text}` needs a width"));
        }
        Ok(())
    }

    /// The text of this place; `next` is the value that comes when none is named.
    fn write(
        &self,
        call: &mut Call<'_, '_>,
        given: &[Value],
        next: &mut usize,
    ) -> Eval<Result<String, String>> {
        match self.conversion {
            '%' => return Ok(Ok("%".to_owned())),
            'n' => return Ok(Ok("\n".to_owned())),
            _ => (),
        }
        let index = self.value.unwrap_or_else(|| {
            *next += 1;
            *next - 1
        });
        let Some(value) = given.get(index) else {
            return Ok(Err(format!("value {} is missing", index.saturating_add(1))));
        };
        // Zeros and blanks are paid for before they are made.
        let asked = self.width.unwrap_or(0).saturating_add(self.precision.unwrap_or(0));
        call.evaluator.charge_bytes(asked, call.at)?;
        match (self.conversion, value) {
            ('s' | 'S', _) => self.text(call, value).map(Ok),
            (_, Value::Null) => Ok(Ok(self.padded(call, "null".to_owned()))),
            ('d', Value::Number(number)) if number.is_integer() => Ok(Ok(self.number(call, *number, 0))),
            ('f', Value::Number(number)) => {
                Ok(Ok(self.number(call, *number, self.precision.unwrap_or(FRACTION))))
            }
            (_, Value::Number(number)) => Ok(Err(format!("`%d` takes whole numbers, found {number}"))),
            (conversion, other) => {
                Ok(Err(format!("`%{conversion}` takes numbers, found {}", other.type_name())))
            }
        }
    }

    fn text(&self, call: &mut Call<'_, '_>, value: &Value) -> Eval<String> {
        let mut text = String::new();
        match value {
            Value::String(string) => text.push_str(string),
            _ => text::write(call.evaluator.dialect(), value, &mut text, &mut |bytes| {
                call.evaluator.charge_bytes(bytes, call.at)
            })?,
        }
        call.evaluator.charge_bytes(text.len(), call.at)?;
        if let Some(most) = self.precision {
            let units = Units::of(&text, call.evaluator.dialect());
            text = units.part(0, most.min(units.length()));
        }
        if self.conversion == 'S' {
            text = text.to_uppercase();
        }
        Ok(self.padded(call, text))
    }

    fn number(&self, call: &mut Call<'_, '_>, number: Number, fraction: usize) -> String {
        let digits = plain(number, fraction);
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if self.has('+') => ("+", digits.as_str()),
            None if self.has(' ') => (" ", digits.as_str()),
            None => ("", digits.as_str()),
        };
        let digits = if self.has(',') { with_groups(digits) } else { digits.to_owned() };
        let zeros = if self.has('0') { self.width.unwrap_or(0) } else { 0 };
        let zeros = "0".repeat(zeros.saturating_sub(sign.len() + digits.len()));
        self.padded(call, format!("{sign}{zeros}{digits}"))
    }

    fn padded(&self, call: &Call<'_, '_>, text: String) -> String {
        let length = Units::of(&text, call.evaluator.dialect()).length();
        let blanks = " ".repeat(self.width.unwrap_or(0).saturating_sub(length));
        if self.has('-') { text + &blanks } else { blanks + &text }
    }
}

/// The digits at the start of a text as a number, if there are any, and the rest.
fn leading_number(text: &str) -> Result<(Option<usize>, &str), String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Ok((None, text));
    }
    let number = digits.parse().map_err(|_| format!("`{}` is too large", shown(text)))?;
    Ok((Some(number), rest))
}

/// A number with so many digits after the point; the middle is rounded away from zero.
fn plain(number: Number, fraction: usize) -> String {
    let scale = i32::try_from(fraction).unwrap_or(i32::MAX);
    let mut text = number.rounded(scale, Rounding::HalfUp).unwrap_or(number).to_string();
    let written = text.find('.').map_or(0, |point| text.len() - point - 1);
    if written == 0 && fraction > 0 {
        text.push('.');
    }
    text.extend(std::iter::repeat_n('0', fraction.saturating_sub(written)));
    text
}

/// Commas between each three digits before the point.
fn with_groups(digits: &str) -> String {
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = String::with_capacity(digits.len() + whole / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The start of a text, for messages.
fn shown(text: &str) -> String {
    text.chars().take(12).collect()
}
