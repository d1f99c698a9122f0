//! Floating point numbers, as `float4out` and `float8out` write them: the shortest digits that read back as the same
//! number, in fixed notation for exponents from -4 to 5 (`real`) or 14 (`double precision`), else `1e+15`.

use std::fmt::{self, Write};

/// Writes a `real`.
pub(super) fn write_f32(value: f32, out: &mut Vec<u8>) {
    if let Some(special) = special(value.is_nan(), value.is_infinite(), value.is_sign_negative()) {
        out.extend_from_slice(special);
        return;
    }
    let bits = value.to_bits();
    let parts = Parts::new(
        u64::from(bits & 0x007F_FFFF),
        ((bits >> 23) & 0xFF) as i32,
        23,
        149,
    );
    let digits = Digits::shortest(value, &parts, |text| {
        text.parse::<f32>().is_ok_and(|read| read == value)
    });
    digits.write(6, out);
}

/// Writes a `double precision`.
pub(super) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if let Some(special) = special(value.is_nan(), value.is_infinite(), value.is_sign_negative()) {
        out.extend_from_slice(special);
        return;
    }
    let bits = value.to_bits();
    let parts = Parts::new(
        bits & 0x000F_FFFF_FFFF_FFFF,
        ((bits >> 52) & 0x7FF) as i32,
        52,
        1074,
    );
    let digits = Digits::shortest(value, &parts, |text| {
        text.parse::<f64>().is_ok_and(|read| read == value)
    });
    digits.write(15, out);
}

fn special(nan: bool, infinite: bool, negative: bool) -> Option<&'static [u8]> {
    match (nan, infinite, negative) {
        (true, _, _) => Some(b"\"NaN\""),
        (_, true, false) => Some(b"\"Infinity\""),
        (_, true, true) => Some(b"\"-Infinity\""),
        _ => None,
    }
}

/// A number as `mantissa * 2^exponent`.
struct Parts {
    mantissa: u64,
    exponent: i32,
    /// The distance to the next smaller number is half of that to the next larger.
    uneven: bool,
}

impl Parts {
    fn new(fraction: u64, biased: i32, fraction_bits: u32, smallest: i32) -> Parts {
        if biased == 0 {
            return Parts {
                mantissa: fraction,
                exponent: -smallest,
                uneven: false,
            };
        }
        Parts {
            mantissa: fraction | (1 << fraction_bits),
            exponent: biased - 1 - smallest,
            uneven: fraction == 0 && biased > 1,
        }
    }

    /// `digits * 10^power` lies exactly halfway between this number and a neighbour. Postgres does not write such a
    /// text, although it reads back (ties go to the even number); Rust does.
    fn is_halfway(&self, digits: u64, power: i32) -> bool {
        let above = (self.mantissa * 2 + 1, self.exponent - 1);
        let below = if self.uneven {
            (self.mantissa * 4 - 1, self.exponent - 2)
        } else {
            ((self.mantissa * 2).saturating_sub(1), self.exponent - 1)
        };
        [above, below]
            .iter()
            .any(|(half, exponent)| is_equal(digits, power, *half, *exponent))
    }

    /// `digits * 10^power` is exactly this number.
    fn is(&self, digits: u64, power: i32) -> bool {
        is_equal(digits, power, self.mantissa, self.exponent)
    }
}

/// `digits * 10^power == mantissa * 2^exponent`, with the fives and the twos compared on their own.
fn is_equal(digits: u64, power: i32, mantissa: u64, exponent: i32) -> bool {
    if digits == 0 || mantissa == 0 {
        return false;
    }
    let (twos_left, twos_right) = (digits.trailing_zeros(), mantissa.trailing_zeros());
    let (left, right) = (
        u128::from(digits >> twos_left),
        u128::from(mantissa >> twos_right),
    );
    let Some(fives) = 5_u128.checked_pow(power.unsigned_abs()) else {
        return false;
    };
    let (left, right) = if power >= 0 {
        (left.checked_mul(fives), Some(right))
    } else {
        (Some(left), right.checked_mul(fives))
    };
    left.is_some()
        && left == right
        && i64::from(twos_left) + i64::from(power) == i64::from(twos_right) + i64::from(exponent)
}

/// Significant digits and a decimal exponent.
struct Digits {
    negative: bool,
    /// At most 17 digits, the first one before the point.
    digits: [u8; 24],
    count: usize,
    exponent: i32,
}

impl Digits {
    fn shortest(value: impl fmt::LowerExp, parts: &Parts, reads_back: impl Fn(&str) -> bool) -> Digits {
        let mut text = Buffer::default();
        let _ = write!(text, "{value:e}");
        let shortest = Digits::read(text.as_str());
        if !shortest.is_halfway(parts) {
            return shortest.rounded_to_even(parts, reads_back);
        }
        for more in shortest.count..18 {
            text = Buffer::default();
            let _ = write!(text, "{value:.more$e}");
            let longer = Digits::read(text.as_str());
            if reads_back(text.as_str()) && !longer.is_halfway(parts) {
                return longer;
            }
        }
        shortest
    }

    /// Where the number lies exactly between two texts of this length, Postgres takes the one with the even last digit, Rust
    /// the larger.
    fn rounded_to_even(mut self, parts: &Parts, reads_back: impl Fn(&str) -> bool) -> Digits {
        let (number, power) = self.number();
        if number % 2 == 0 || !parts.is(number.saturating_mul(10).saturating_sub(5), power - 1) {
            return self;
        }
        let mut text = Buffer::default();
        let sign = if self.negative { "-" } else { "" };
        let _ = write!(text, "{sign}{}e{power}", number - 1);
        if reads_back(text.as_str())
            && let Some(last) = self.digits.get_mut(self.count.saturating_sub(1))
        {
            // It is odd, so nothing is borrowed.
            *last -= 1;
        }
        self
    }

    /// Reads Rust's `-d.ddde-x`.
    fn read(text: &str) -> Digits {
        let negative = text.starts_with('-');
        let (mantissa, exponent) = text
            .trim_start_matches('-')
            .split_once('e')
            .unwrap_or((text, "0"));
        let mut digits = [b'0'; 24];
        let mut count = 0;
        for (place, byte) in digits.iter_mut().zip(mantissa.bytes().filter(u8::is_ascii_digit)) {
            *place = byte;
            count += 1;
        }
        while count > 1 && digits.get(count - 1) == Some(&b'0') {
            count -= 1;
        }
        Digits {
            negative,
            digits,
            count,
            exponent: exponent.parse().unwrap_or(0),
        }
    }

    fn significant(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or_default()
    }

    /// The digits as a whole number, and the power of ten to multiply it with.
    fn number(&self) -> (u64, i32) {
        let number = self.significant().iter().fold(0_u64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(u64::from(digit.saturating_sub(b'0')))
        });
        (number, self.exponent + 1 - i32::try_from(self.count).unwrap_or(0))
    }

    fn is_halfway(&self, parts: &Parts) -> bool {
        let (number, power) = self.number();
        number != 0 && parts.is_halfway(number, power)
    }

    fn write(&self, fixed_below: i32, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        let digits = self.significant();
        let zeros = |count: usize, out: &mut Vec<u8>| out.extend(std::iter::repeat_n(b'0', count));
        match usize::try_from(self.exponent) {
            Ok(exponent) if self.exponent < fixed_below => {
                let whole = digits.len().min(exponent + 1);
                let (whole, fraction) = digits.split_at(whole);
                out.extend_from_slice(whole);
                zeros(exponent + 1 - whole.len(), out);
                if !fraction.is_empty() {
                    out.push(b'.');
                    out.extend_from_slice(fraction);
                }
            }
            Err(_) if self.exponent >= -4 => {
                out.extend_from_slice(b"0.");
                zeros(usize::try_from(-self.exponent - 1).unwrap_or(0), out);
                out.extend_from_slice(digits);
            }
            _ => {
                let (first, rest) = digits.split_at(digits.len().min(1));
                out.extend_from_slice(first);
                if !rest.is_empty() {
                    out.push(b'.');
                    out.extend_from_slice(rest);
                }
                out.extend_from_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
                let exponent = self.exponent.unsigned_abs();
                if exponent < 10 {
                    out.push(b'0');
                }
                out.extend_from_slice(itoa::Buffer::new().format(exponent).as_bytes());
            }
        }
    }
}

/// Text on the stack; Rust's longest form with 18 digits has 26 bytes.
#[derive(Default)]
struct Buffer {
    bytes: [u8; 32],
    length: usize,
}

impl Buffer {
    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
