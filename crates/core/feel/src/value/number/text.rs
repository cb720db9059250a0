//! Numbers as text, in and out.

use std::fmt;
use std::str::FromStr;

use super::round::fit;
use super::wide::{power_of_ten, without_zeros};
use super::{DIGITS_MAX, Number};

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// The text is no decimal number.
    Malformed,
    /// The number is larger than decimal128 can hold.
    OutOfRange,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a decimal number",
            Self::OutOfRange => "number out of range",
        })
    }
}

impl std::error::Error for NumberError {}

impl FromStr for Number {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl Number {
    /// Reads `-12.50`, `.5` or `1e-3`, whole, without blanks; longer than 34 digits is rounded.
    pub(crate) fn from_bytes(text: &[u8]) -> Result<Self, NumberError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        // Most numbers are short and whole.
        if digits.len() <= 18
            && !digits.is_empty()
            && let Some(integer) = digits.iter().try_fold(0i64, |sum, byte| {
                let digit = byte.wrapping_sub(b'0');
                (digit < 10).then(|| sum * 10 + i64::from(digit))
            })
        {
            return Ok(Self::from_i64(if negative { -integer } else { integer }));
        }
        let (coefficient, scale, sticky) = read_digits(digits)?;
        let coefficient = if negative { -coefficient } else { coefficient };
        fit(coefficient, scale, sticky).ok_or(NumberError::OutOfRange)
    }
}

/// Up to 37 digits of coefficient, the scale, and whether digits other than zero were left out.
fn read_digits(text: &[u8]) -> Result<(i128, i32, bool), NumberError> {
    let (mut coefficient, mut scale, mut sticky) = (0i128, 0i32, false);
    let (mut seen, mut point) = (false, false);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                if coefficient < power_of_ten(DIGITS_MAX + 2) {
                    coefficient = coefficient * 10 + i128::from(byte - b'0');
                    scale += i32::from(point);
                } else {
                    sticky |= byte != b'0';
                    scale -= i32::from(!point);
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if seen => break,
            _ => return Err(NumberError::Malformed),
        }
        at += 1;
    }
    if !seen {
        return Err(NumberError::Malformed);
    }
    if at < text.len() {
        let exponent = std::str::from_utf8(&text[at + 1..]).map_err(|_| NumberError::Malformed)?;
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::Malformed);
        }
        let exponent =
            exponent.parse::<i32>().unwrap_or(if exponent.starts_with('-') { i32::MIN } else { i32::MAX });
        scale = scale.saturating_sub(exponent).clamp(-100_000_000, 100_000_000);
    }
    Ok((coefficient, scale, sticky))
}

impl fmt::Display for Number {
    /// The plain decimal text: `12.50`, `0.001`, never with an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = Vec::with_capacity(24);
        self.write_plain(&mut buffer);
        f.write_str(std::str::from_utf8(&buffer).expect("digits are ASCII"))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Number {
    fn write_plain(self, out: &mut Vec<u8>) {
        if self.is_negative() {
            out.push(b'-');
        }
        let mut buffer = [0u8; 40];
        let digits = write_digits(self.coefficient().unsigned_abs(), &mut buffer);
        let Ok(scale) = usize::try_from(self.scale) else {
            out.extend_from_slice(digits);
            if !self.is_zero() {
                out.resize(out.len() + usize::from(self.scale.unsigned_abs()), b'0');
            }
            return;
        };
        if scale == 0 {
            out.extend_from_slice(digits);
        } else if scale < digits.len() {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        } else {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }

    /// Appends the shortest JSON number: no zeros at the end of the fraction, an exponent where it saves a long
    /// row of zeros.
    pub fn write_json(self, out: &mut Vec<u8>) {
        let number = self.normalized();
        if (-20..=40).contains(&number.scale) {
            return number.write_plain(out);
        }
        let (coefficient, dropped) = without_zeros(number.coefficient(), DIGITS_MAX);
        let scale = number.scale() - dropped.cast_signed();
        if coefficient == 0 {
            return out.push(b'0');
        }
        if coefficient < 0 {
            out.push(b'-');
        }
        let mut buffer = [0u8; 40];
        let digits = write_digits(coefficient.unsigned_abs(), &mut buffer);
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        let exponent = i32::try_from(digits.len()).expect("at most 39 digits") - 1 - scale;
        out.extend_from_slice(format!("e{exponent}").as_bytes());
    }
}

fn write_digits(mut number: u128, buffer: &mut [u8; 40]) -> &[u8] {
    let mut at = buffer.len();
    // Division of 128 bits is slow, so it is only used for the digits above the lowest 19.
    while let Err(_) | Ok(10_000_000_000_000_000_000..) = u64::try_from(number) {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
    let mut low = u64::try_from(number).expect("the loop above ends below 2^64");
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(low % 10).expect("a digit");
        low /= 10;
        if low == 0 {
            return &buffer[at..];
        }
    }
}
