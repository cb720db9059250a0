//! Decimal arithmetic against integers of 128 bits and against sums and products done digit by digit.

#[path = "support/random.rs"]
mod random;

use std::cmp::Ordering;

use coreto_feel::Number;
use coreto_feel::value::Rounding;

use random::Random;

impl Random {
    /// A natural number of up to so many digits, every length as likely as every other.
    fn digits(&mut self, most: u64) -> String {
        let length = 1 + self.below(most);
        let digit = |random: &mut Self| char::from(b'0' + u8::try_from(random.below(10)).expect("a digit"));
        let mut digits: String = (0..length).map(|_| digit(self)).collect();
        // Rows of zeros and nines are where carries and ties are.
        if self.below(3) == 0 {
            let filler = if self.below(2) == 0 { '0' } else { '9' };
            let from = usize::try_from(self.below(length)).expect("short");
            digits = digits.chars().enumerate().map(|(at, c)| if at > from { filler } else { c }).collect();
        }
        digits
    }

    /// A decimal of up to 34 digits as text.
    fn decimal(&mut self) -> String {
        let digits = self.digits(34);
        let sign = if self.below(2) == 0 { "-" } else { "" };
        match self.below(4) {
            0 => format!("{sign}{digits}"),
            1 => format!("{sign}{digits}e{}", i64::try_from(self.below(80)).expect("short") - 40),
            _ => {
                let point = usize::try_from(self.below(digits.len() as u64 + 1)).expect("short");
                format!("{sign}{}.{}", &digits[..point], &digits[point..])
            }
        }
    }
}

fn number(text: &str) -> Number {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A number exactly: sign, digits without leading zeros, exponent of ten.
#[derive(Clone, Debug)]
struct Exact {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Exact {
    fn of(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let exponent: i64 = exponent.parse().expect("an exponent");
        Self { negative, digits, exponent: exponent - i64::try_from(fraction.len()).expect("short") }
            .trimmed()
    }

    fn trimmed(mut self) -> Self {
        let zeros = self.digits.iter().take_while(|&&digit| digit == 0).count();
        self.digits.drain(..zeros);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        if self.digits.is_empty() {
            return Self { negative: false, digits: Vec::new(), exponent: 0 };
        }
        self
    }

    /// Half to even at 34 digits, by the digits themselves.
    fn rounded(mut self) -> Self {
        if self.digits.len() > 34 {
            let dropped = self.digits.split_off(34);
            self.exponent += i64::try_from(dropped.len()).expect("short");
            let rest = dropped[1..].iter().any(|&digit| digit != 0);
            let up = dropped[0] > 5 || dropped[0] == 5 && (rest || self.digits[33] % 2 == 1);
            if up {
                let mut at = 34;
                loop {
                    if at == 0 {
                        self.digits.insert(0, 1);
                        break;
                    }
                    at -= 1;
                    if self.digits[at] == 9 {
                        self.digits[at] = 0;
                    } else {
                        self.digits[at] += 1;
                        break;
                    }
                }
            }
        }
        self.trimmed()
    }

    fn product(&self, other: &Self) -> Self {
        let mut digits = vec![0u32; self.digits.len() + other.digits.len()];
        for (left_at, &left) in self.digits.iter().rev().enumerate() {
            for (right_at, &right) in other.digits.iter().rev().enumerate() {
                digits[left_at + right_at] += u32::from(left) * u32::from(right);
            }
        }
        let mut carry = 0;
        let mut out = Vec::new();
        for digit in digits {
            carry += digit;
            out.push(u8::try_from(carry % 10).expect("a digit"));
            carry /= 10;
        }
        assert_eq!(carry, 0);
        out.reverse();
        let negative = self.negative != other.negative;
        Self { negative, digits: out, exponent: self.exponent + other.exponent }.trimmed()
    }

    /// Digits of both down to a common exponent, of the same length.
    fn aligned(&self, other: &Self) -> (Vec<u8>, Vec<u8>, i64) {
        let exponent = self.exponent.min(other.exponent);
        let extended = |number: &Self| {
            let mut digits = number.digits.clone();
            digits.resize(digits.len() + usize::try_from(number.exponent - exponent).expect("short"), 0);
            digits
        };
        let (mut left, mut right) = (extended(self), extended(other));
        let length = left.len().max(right.len()) + 1;
        for digits in [&mut left, &mut right] {
            let zeros = length - digits.len();
            digits.splice(0..0, std::iter::repeat_n(0, zeros));
        }
        (left, right, exponent)
    }

    fn sum(&self, other: &Self) -> Self {
        let (mut left, mut right, exponent) = self.aligned(other);
        let mut negative = self.negative;
        if self.negative != other.negative && left < right {
            std::mem::swap(&mut left, &mut right);
            negative = other.negative;
        }
        let subtract = self.negative != other.negative;
        let mut carry = 0i8;
        for at in (0..left.len()).rev() {
            let (a, b) =
                (i8::try_from(left[at]).expect("a digit"), i8::try_from(right[at]).expect("a digit"));
            let digit = if subtract { a - b - carry } else { a + b + carry };
            carry = i8::from(if subtract { digit < 0 } else { digit > 9 });
            left[at] = u8::try_from(digit.rem_euclid(10)).expect("a digit");
        }
        assert_eq!(carry, 0);
        Self { negative, digits: left, exponent }.trimmed()
    }

    fn order(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal {
            return by_sign;
        }
        let (left, right, _) = self.aligned(other);
        if self.negative { right.cmp(&left) } else { left.cmp(&right) }
    }

    fn text(&self) -> String {
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        let digits = if digits.is_empty() { "0" } else { &digits };
        format!("{}{digits}e{}", if self.negative { "-" } else { "" }, self.exponent)
    }
}

const ROUNDS: u64 = 100_000;

#[test]
fn adds_multiplies_and_compares_like_digits_on_paper() {
    let mut random = Random(0x0dec_1a11);
    for _ in 0..ROUNDS {
        let (left_text, right_text) = (random.decimal(), random.decimal());
        let (left, right) = (number(&left_text), number(&right_text));
        let (exact_left, exact_right) = (Exact::of(&left_text), Exact::of(&right_text));
        let shown = format!("{left_text} and {right_text}");
        assert_eq!(
            left.add(right),
            Some(number(&exact_left.sum(&exact_right).rounded().text())),
            "sum of {shown}"
        );
        let product = exact_left.product(&exact_right).rounded();
        assert_eq!(left.multiply(right), Some(number(&product.text())), "product of {shown}");
        assert_eq!(left.cmp(&right), exact_left.order(&exact_right), "order of {shown}");
        assert_eq!(left.subtract(right), left.add(right.negate()), "difference of {shown}");
    }
}

#[test]
fn divides_so_that_the_product_is_nearest() {
    let mut random = Random(0xd1_71de);
    for _ in 0..ROUNDS {
        let (dividend_text, divisor_text) = (random.decimal(), random.decimal());
        let (dividend, divisor) = (number(&dividend_text), number(&divisor_text));
        if divisor.is_zero() {
            assert_eq!(dividend.divide(divisor), None);
            continue;
        }
        let quotient = Exact::of(&text(dividend.divide(divisor).expect("in range")));
        // |quotient × divisor − dividend| must be at most half a unit in the last of 34 places, times the divisor.
        let (dividend, divisor) = (Exact::of(&dividend_text), Exact::of(&divisor_text));
        let mut error = quotient.product(&divisor);
        error.negative = !error.negative && !error.digits.is_empty();
        let mut error = dividend.sum(&error);
        error.negative = false;
        let places = i64::try_from(quotient.digits.len()).expect("short");
        let mut half = Exact { negative: false, digits: vec![5], exponent: quotient.exponent + places - 35 };
        half = half.product(&Exact { negative: false, ..divisor.clone() });
        if dividend.digits.is_empty() {
            assert!(quotient.digits.is_empty());
        } else {
            assert_ne!(error.order(&half), Ordering::Greater, "{dividend_text} / {divisor_text}");
        }
    }
}

/// A form that [`Exact`] reads.
fn text(number: Number) -> String {
    number.to_string()
}

#[test]
fn agrees_with_integers_of_128_bits() {
    let mut random = Random(0x128);
    for _ in 0..ROUNDS {
        let (left, right) = (
            random.next().cast_signed() >> random.below(60),
            random.next().cast_signed() >> random.below(60),
        );
        let (a, b) = (Number::from_i64(left), Number::from_i64(right));
        let (left, right) = (i128::from(left), i128::from(right));
        let of = |integer: i128| Number::try_from(integer).expect("in range");
        assert_eq!(a.add(b), Some(of(left + right)));
        assert_eq!(a.subtract(b), Some(of(left - right)));
        assert_eq!(a.cmp(&b), left.cmp(&right));
        if (left * right).unsigned_abs() < 10u128.pow(34) {
            assert_eq!(a.multiply(b), Some(of(left * right)));
        }
        if right != 0 {
            let floored = left.div_euclid(right) - i128::from(right < 0 && left.rem_euclid(right) != 0);
            assert_eq!(a.modulo(b), Some(of(left - right * floored)), "{left} modulo {right}");
            assert_eq!(a.divide(b).and_then(Number::to_i128), Some(left / right), "{left} / {right}");
        }
        assert_eq!(i128::from(a.to_i64().expect("fits")), left);
        assert_eq!(a.to_string(), left.to_string());
    }
}

#[test]
fn reads_what_it_writes() {
    let mut random = Random(0x7e57);
    for _ in 0..ROUNDS {
        let text = random.decimal();
        let number = number(&text);
        assert_eq!(number.to_string().parse(), Ok(number), "{text}");
        let mut json = Vec::new();
        number.write_json(&mut json);
        let json = String::from_utf8(json).expect("ASCII");
        assert_eq!(json.parse(), Ok(number), "{text} as {json}");
        let negated = number.negate();
        assert_eq!(negated.negate(), number);
        assert!(!number.abs().is_negative());
    }
}

#[test]
fn rounds_like_a_table_says() {
    use Rounding::{Ceiling, Down, Floor, HalfDown, HalfEven, HalfUp, Up};
    let modes = [Up, Down, Ceiling, Floor, HalfUp, HalfDown, HalfEven];
    for (text, expected) in [
        ("5.5", [6, 5, 6, 5, 6, 5, 6]),
        ("2.5", [3, 2, 3, 2, 3, 2, 2]),
        ("1.6", [2, 1, 2, 1, 2, 2, 2]),
        ("1.1", [2, 1, 2, 1, 1, 1, 1]),
        ("1.0", [1, 1, 1, 1, 1, 1, 1]),
        ("-1.0", [-1, -1, -1, -1, -1, -1, -1]),
        ("-1.1", [-2, -1, -1, -2, -1, -1, -1]),
        ("-1.6", [-2, -1, -1, -2, -2, -2, -2]),
        ("-2.5", [-3, -2, -2, -3, -3, -2, -2]),
        ("-5.5", [-6, -5, -5, -6, -6, -5, -6]),
    ] {
        for (mode, expected) in modes.into_iter().zip(expected) {
            assert_eq!(number(text).rounded(0, mode), Some(Number::from(expected)), "{text} {mode:?}");
        }
    }
}

#[test]
fn rounds_once_where_digits_and_range_both_end() {
    let digits = "1".repeat(33);
    assert_eq!(number(&format!("{digits}49e-6178")), number(&format!("{digits}e-6176")));
    assert_eq!(number(&format!("{digits}51e-6178")), number(&format!("{}2e-6176", "1".repeat(32))));
}

#[test]
fn keeps_its_scale_but_compares_by_value() {
    assert_eq!(number("1.10"), number("1.1"));
    assert_eq!(number("1.10").to_string(), "1.10");
    assert_eq!(number("1.10").normalized().to_string(), "1.1");
    assert_eq!(number("1.5").add(number("1.50")).expect("in range").to_string(), "3.00");
    assert_eq!(number("6").divide(number("2")).expect("in range").to_string(), "3");
    assert_eq!(number("1e3").to_string(), "1000");
    assert_eq!(number("-0").to_string(), "0");
}

#[test]
fn refuses_what_is_no_number() {
    for text in [
        "",
        "-",
        ".",
        "e1",
        "1e",
        "1e+",
        "1.2.3",
        "1a",
        " 1",
        "1 ",
        "--1",
        "0x1",
        "NaN",
        "Infinity",
        "1e99999999999",
    ] {
        assert!(text.parse::<Number>().is_err(), "{text}");
    }
    assert_eq!("1e-99999999999".parse::<Number>().map(Number::is_zero), Ok(true));
}
