//! The order of JSON values, which `==`, `<` and their like use: objects, arrays, strings, numbers, booleans, null,
//! in this order, and within a type as one expects. Numbers are compared exactly, whatever their size.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// Compares two values.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => compare_objects(left, right),
        (Value::Array(left), Value::Array(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| compare(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => Decimal::of(left).compare(&Decimal::of(right)),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => rank(left).cmp(&rank(right)),
    }
}

/// Whether a number is zero.
pub(crate) fn is_zero(number: &Number) -> bool {
    Decimal::of(number).digits.is_empty()
}

/// The integer a number is, however it is written, if it fits.
pub(crate) fn as_integer(number: &Number) -> Option<i64> {
    let decimal = Decimal::of(number);
    let zeros = decimal
        .exponent
        .checked_sub(i64::try_from(decimal.digits.len()).ok()?)?;
    if decimal.digits.is_empty() {
        return Some(0);
    }
    let scale = 10_i64.checked_pow(u32::try_from(zeros).ok()?)?;
    let digits = decimal.digits.iter().try_fold(0_i64, |value, digit| {
        value.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))
    })?;
    let negative = digits.checked_mul(scale)?;
    if decimal.negative {
        Some(negative)
    } else {
        negative.checked_neg()
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Object(_) => 0,
        Value::Array(_) => 1,
        Value::String(_) => 2,
        Value::Number(_) => 3,
        Value::Bool(_) => 4,
        Value::Null => 5,
    }
}

/// As lists of their entries, sorted by key.
fn compare_objects(left: &Map<String, Value>, right: &Map<String, Value>) -> Ordering {
    let sorted = |object: &Map<String, Value>| {
        let mut keys: Vec<String> = object.keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    let (left_keys, right_keys) = (sorted(left), sorted(right));
    for (left_key, right_key) in left_keys.iter().zip(&right_keys) {
        let order = left_key
            .cmp(right_key)
            .then_with(|| match (left.get(left_key), right.get(right_key)) {
                (Some(left), Some(right)) => compare(left, right),
                _ => Ordering::Equal,
            });
        if order.is_ne() {
            return order;
        }
    }
    left_keys.len().cmp(&right_keys.len())
}

/// `±0.digits × 10^exponent`, without zeros at either end of the digits; zero has none.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn of(number: &Number) -> Self {
        let text = number.to_string();
        let (negative, text) = text
            .strip_prefix('-')
            .map_or((false, text.as_str()), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent beyond i64 is beyond anything: its sign decides.
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        });
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let shift = i64::try_from(whole.len()).unwrap_or(i64::MAX) - i64::try_from(zeros).unwrap_or(i64::MAX);
        Self {
            negative,
            digits,
            exponent: exponent.saturating_add(shift),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (0, 0) => Ordering::Equal,
            (left, right) if left != right => left.cmp(&right),
            (-1, _) => other.compare_magnitude(self),
            _ => self.compare_magnitude(other),
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.exponent
            .cmp(&other.exponent)
            .then_with(|| self.digits.cmp(&other.digits))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (left, right, expected) in [
            ("1", "1.0", Ordering::Equal),
            ("100", "1e2", Ordering::Equal),
            ("0", "-0.0", Ordering::Equal),
            ("0.1", "1e-1", Ordering::Equal),
            ("-2", "1", Ordering::Less),
            ("-2", "-1", Ordering::Less),
            ("9", "10", Ordering::Less),
            ("0.09", "0.1", Ordering::Less),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("1e99999999999999999999", "2", Ordering::Greater),
            ("1e-99999999999999999999", "2", Ordering::Less),
        ] {
            assert_eq!(compare(&parse(left), &parse(right)), expected, "{left} {right}");
            assert_eq!(
                compare(&parse(right), &parse(left)),
                expected.reverse(),
                "{right} {left}"
            );
        }
    }

    #[test]
    fn integers_are_recognised_however_written() {
        for (text, expected) in [
            ("7", Some(7)),
            ("-7", Some(-7)),
            ("7.0", Some(7)),
            ("0.7e1", Some(7)),
            ("7e2", Some(700)),
            ("0.0", Some(0)),
            ("7.5", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1e99999999999999999999", None),
            ("1e-99999999999999999999", None),
        ] {
            assert_eq!(
                as_integer(&serde_json::from_str(text).unwrap()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn types_are_ordered() {
        let values = [
            json!({}),
            json!([]),
            json!(""),
            json!(0),
            json!(false),
            json!(null),
        ];
        assert!(values.is_sorted_by(|left, right| compare(left, right).is_lt()));
    }

    #[test]
    fn objects_do_not_depend_on_the_order_of_keys() {
        assert!(compare(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})).is_eq());
        assert!(compare(&json!({"a": 1}), &json!({"a": 2})).is_lt());
        assert!(compare(&json!({"a": 1}), &json!({"a": 1, "b": 1})).is_lt());
        assert!(compare(&json!([1, 2]), &json!([1])).is_gt());
    }
}
