//! JSON paths of settings: `$`, `.key`, `['any key']`, `["any key"]`, `[0]`; the `$` may be left out, and a dot may stand
//! before a bracket.

use std::fmt;

use serde_json::Value;

/// Steps of a path at most.
const MOST_STEPS: usize = 64;

/// A path into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("invalid JSON path {text:?}");
        if text.is_empty() {
            return Err("a JSON path must not be empty".to_owned());
        }
        let mut steps = Vec::new();
        let mut rest = match text.strip_prefix('$') {
            Some(rest) => rest,
            // `a.b` is `$.a.b`.
            None if text.starts_with(['.', '[']) => text,
            None => {
                let end = text.find(['.', '[']).unwrap_or(text.len());
                steps.push(Step::Key(text[..end].to_owned()));
                &text[end..]
            }
        };
        while !rest.is_empty() {
            if steps.len() >= MOST_STEPS {
                return Err(format!("a JSON path may have {MOST_STEPS} steps at most"));
            }
            let bracket = rest.strip_prefix('.').unwrap_or(rest).strip_prefix('[');
            if let Some(after) = bracket {
                let (step, after) = bracketed(after).ok_or_else(wrong)?;
                steps.push(step);
                rest = after;
            } else if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    return Err(wrong());
                }
                steps.push(Step::Key(after[..end].to_owned()));
                rest = &after[end..];
            } else {
                return Err(wrong());
            }
        }
        Ok(Self(steps))
    }

    /// The value there, if there is one.
    pub fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.as_object()?.get(key),
            Step::Index(index) => value.as_array()?.get(*index),
        })
    }
}

/// What stands behind a `[`, and the rest behind its `]`.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let Some(quote) = quote else {
        let (digits, rest) = text.split_once(']')?;
        let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return Some((Step::Index(whole.then(|| digits.parse().ok())??), rest));
    };
    let mut key = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => {
                key.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            _ if character == quote => {
                let rest = text[at + 1..].strip_prefix(']')?;
                return Some((Step::Key(key), rest));
            }
            _ => key.push(character),
        }
    }
    None
}

impl fmt::Display for JsonPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("$")?;
        for step in &self.0 {
            match step {
                Step::Index(index) => write!(out, "[{index}]")?,
                Step::Key(key) if is_plain(key) => write!(out, ".{key}")?,
                // As Hasura prints them: what is special is a JSON string.
                Step::Key(key) => write!(out, "[{}]", Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(path: &str) -> Option<Value> {
        let value = json!({"a": {"b": [10, {"c d": "x", "it's": 1}]}, "https://x.y/claims": {"r": 1}});
        JsonPath::parse(path).unwrap().find(&value).cloned()
    }

    #[test]
    fn paths_find_values() {
        assert_eq!(find("$.a.b[0]"), Some(json!(10)));
        assert_eq!(find("a.b[1]['c d']"), Some(json!("x")));
        assert_eq!(find("$['a'][\"b\"][1]['it\\'s']"), Some(json!(1)));
        assert_eq!(find("$['https://x.y/claims'].r"), Some(json!(1)));
        // As in Hasura's own examples.
        assert_eq!(find("$.['https://x.y/claims'].r"), Some(json!(1)));
        assert_eq!(find("$.a.[\"b\"].[1].['c d']"), Some(json!("x")));
        assert_eq!(find("$.a.c"), None);
        assert_eq!(find("$.a.b[9]"), None);
        assert_eq!(find("$.a[0]"), None);
        assert!(find("$").is_some());
    }

    #[test]
    fn they_print_as_they_are_read() {
        for path in [
            "$.a",
            "$.a.b[0]",
            "$[\"a b\"].c",
            "$[\"it's\"]",
            "$[\"-a\"]",
            "$._a-9",
        ] {
            assert_eq!(JsonPath::parse(path).unwrap().to_string(), path);
        }
    }

    #[test]
    fn wrong_paths() {
        for path in [
            "",
            "$a",
            "$.",
            "$..a",
            "$..['a']",
            "$.a.[",
            "$[",
            "$[]",
            "$['a'",
            "$[-1]",
            "$[1",
            "$[99999999999999999999999]",
        ] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
        assert!(JsonPath::parse(&format!("${}", ".a".repeat(1000))).is_err());
    }
}
