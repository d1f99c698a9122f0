//! Numbers of JSON, which have any length, as numbers of YAML, which have not.

use serde_json::Number;

/// The number as readers of YAML know it: a whole one of 64 bits or a floating point number. Nothing where that is another
/// number; another notation of the same one (`1.50`, `1e3`) is taken.
pub(super) fn yaml_number(number: &Number) -> Option<serde_norway::Number> {
    if let Some(whole) = number.as_i64() {
        return Some(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Some(whole.into());
    }
    let float = number.as_f64().filter(|float| float.is_finite())?;
    let printed = Number::from_f64(float)?.to_string();
    (decimal(&number.to_string()) == decimal(&printed)).then(|| float.into())
}

/// What a JSON number says, whatever its notation: the sign, the digits without zeros around them, and the power of ten
/// that the last one stands for.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse().ok()?),
        None => (text, 0_i64),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_end_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let zeros = i64::try_from(all.len() - significant.len()).ok()?;
    let fraction = i64::try_from(fraction.len()).ok()?;
    let power = exponent.checked_sub(fraction)?.checked_add(zeros)?;
    Some((negative, significant.trim_start_matches('0').to_owned(), power))
}
