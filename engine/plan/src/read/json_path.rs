//! The `path` argument of json columns: `$.a[0]['b c']` → the keys of `#>`.

use std::iter::Peekable;
use std::str::Chars;

/// Keys and positions, as Postgres's `text[]` of them.
pub(super) fn parse(text: &str) -> Result<Vec<String>, String> {
    let wrong = || {
        format!(
            "{text}. Accept letters, digits, underscore (_) or hyphen (-) only. Use single quotes enclosed in \
             bracket (['...']) if there is any special character"
        )
    };
    let mut keys = Vec::new();
    let mut rest = text.chars().peekable();
    if rest.peek() == Some(&'$') {
        rest.next();
    } else if rest.peek().is_some_and(|first| is_plain(*first)) {
        keys.push(plain_key(&mut rest));
    }
    while let Some(next) = rest.next() {
        match next {
            // `a.[0]` is `a[0]`.
            '.' if !keys.is_empty() && rest.peek() == Some(&'[') => {}
            '.' => {
                let key = plain_key(&mut rest);
                if key.is_empty() {
                    return Err(wrong());
                }
                keys.push(key);
            }
            '[' => keys.push(bracketed(&mut rest).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        }
    }
    if text.is_empty() { Err(wrong()) } else { Ok(keys) }
}

fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

fn plain_key(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut key = String::new();
    while let Some(character) = rest.next_if(|c| is_plain(*c)) {
        key.push(character);
    }
    key
}

/// `0]`, `'key']` or `"key"]`
fn bracketed(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut key = String::new();
    match rest.next()? {
        quote @ ('\'' | '"') => loop {
            match rest.next()? {
                '\\' => key.push(rest.next()?),
                end if end == quote => break,
                other => key.push(other),
            }
        },
        first if first.is_ascii_digit() => {
            key.push(first);
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                key.push(digit);
            }
        }
        _ => return None,
    }
    (rest.next()? == ']').then_some(key)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn paths() {
        for (path, keys) in [
            ("$", &[] as &[&str]),
            ("$.a", &["a"]),
            ("a.b", &["a", "b"]),
            ("$.a[0].b-c", &["a", "0", "b-c"]),
            ("$['a b'][\"c\"]", &["a b", "c"]),
            ("[12]", &["12"]),
            (".a.b", &["a", "b"]),
            ("a.[0].[\"b\"]", &["a", "0", "b"]),
        ] {
            assert_eq!(
                parse(path).as_deref(),
                Ok(&*keys.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "{path}"
            );
        }
        for wrong in ["", "$.", "$a", "a..b", "a[", "a[x]", "a['b'", "a b", "$.a'"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
