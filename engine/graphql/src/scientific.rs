//! Decimal numbers of any size, as Hasura reads and prints them. Never rounds.

use serde_json::Number;

/// A decimal number: `0.d₁d₂d₃… × 10^exponent`, without leading and trailing zero digits; zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scientific {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Scientific {
    /// Reads the text of a JSON number.
    pub(crate) fn of(number: &Number) -> Self {
        let text = number.to_string();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (mantissa, power) = match text.find(['e', 'E']) {
            Some(at) => (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or("")),
            None => (text, "0"),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || {
            whole
                .bytes()
                .chain(fraction.bytes())
                .map(|byte| byte.wrapping_sub(b'0'))
        };
        let leading = digits().take_while(|digit| *digit == 0).count();
        let mut significant: Vec<u8> = digits().skip(leading).collect();
        while significant.last() == Some(&0) {
            significant.pop();
        }
        // An exponent beyond 64 bits is out of every bound anyway.
        let power: i64 = power.parse().unwrap_or(if power.starts_with('-') {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        });
        let exponent = if significant.is_empty() {
            0
        } else {
            power
                .saturating_add(length(whole))
                .saturating_sub(i64::try_from(leading).unwrap_or(i64::MAX))
        };
        Self {
            negative: negative && !significant.is_empty(),
            digits: significant,
            exponent,
        }
    }

    /// Below zero.
    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    /// As an integer, if it is a whole number of 64 bits: `1e3` and `3.0` are.
    pub(crate) fn to_integer(&self) -> Option<i64> {
        let zeros = self.exponent - i64::try_from(self.digits.len()).ok()?;
        if self.digits.is_empty() {
            return Some(0);
        }
        if zeros < 0 || self.exponent > 19 {
            return None;
        }
        let mut value = 0_i128;
        let zeros = std::iter::repeat_n(0_u8, usize::try_from(zeros).ok()?);
        for digit in self.digits.iter().copied().chain(zeros) {
            value = value * 10 + i128::from(digit);
        }
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// Whether a double can hold something near it.
    pub(crate) fn fits_double(&self) -> bool {
        // The largest double is about 0.18 × 10^309; below 10^308 everything fits.
        match self.exponent {
            ..=308 => true,
            309 => format!("0.{}e309", self.ascii())
                .parse::<f64>()
                .is_ok_and(f64::is_finite),
            _ => false,
        }
    }

    fn ascii(&self) -> String {
        self.digits.iter().map(|digit| char::from(b'0' + digit)).collect()
    }
}

/// A number as Hasura v2 prints it: `1.0e-30`.
pub fn printed(number: &Number) -> String {
    Scientific::of(number).to_string()
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// As Haskell's `show` prints a `Scientific`: fixed between 0.1 and 10⁷, else with an exponent, as in `2.147483648e9`.
impl std::fmt::Display for Scientific {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.ascii();
        if self.negative {
            out.write_str("-")?;
        }
        if digits.is_empty() {
            return out.write_str("0.0");
        }
        if let Ok(point @ 0..=7) = usize::try_from(self.exponent) {
            let (whole, fraction) = digits.split_at(point.min(digits.len()));
            let whole = if point == 0 {
                "0".to_owned()
            } else {
                format!("{whole:0<point$}")
            };
            let fraction = if fraction.is_empty() { "0" } else { fraction };
            return write!(out, "{whole}.{fraction}");
        }
        let (first, rest) = digits.split_at(1);
        let rest = if rest.is_empty() { "0" } else { rest };
        write!(out, "{first}.{rest}e{}", self.exponent.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Scientific {
        Scientific::of(&text.parse().expect("a number"))
    }

    #[test]
    fn prints_as_haskell_does() {
        for (text, printed) in [
            ("0", "0.0"),
            ("-0", "0.0"),
            ("2147483648", "2.147483648e9"),
            ("-2147483649", "-2.147483649e9"),
            ("100000", "100000.0"),
            ("9999999", "9999999.0"),
            ("10000000", "1.0e7"),
            ("1.5", "1.5"),
            ("0.1", "0.1"),
            ("0.05", "5.0e-2"),
            ("12.340", "12.34"),
            ("1e400", "1.0e400"),
            ("0.00e5", "0.0"),
        ] {
            assert_eq!(of(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn knows_integers_and_doubles() {
        for (text, integer) in [
            ("0", Some(0)),
            ("-0.0e9999999999999999999", Some(0)),
            ("1e3", Some(1000)),
            ("3.0", Some(3)),
            ("1.5", None),
            ("120e-1", Some(12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e99999999999999999999", None),
            ("1e-99999999999999999999", None),
        ] {
            assert_eq!(of(text).to_integer(), integer, "{text}");
        }
        assert!(of("1e308").fits_double() && of("1.7976931348623157e308").fits_double());
        assert!(!of("1.8e308").fits_double() && !of("1e309").fits_double());
        assert!(of("-1").is_negative() && !of("-0").is_negative());
    }
}
