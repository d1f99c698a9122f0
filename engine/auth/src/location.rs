//! Where in a request the token is.

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName};

use crate::error::{Code, Error};

/// `header` of a JWT configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Location {
    /// `Authorization: Bearer <token>`
    #[default]
    Authorization,
    /// A cookie of this name.
    Cookie(String),
    /// A header of this name with the token alone.
    Header(HeaderName),
}

/// Tokens of one place at most: more are not looked at.
const MOST_TOKENS: usize = 8;

impl Location {
    /// The tokens that a request has here: none, one, or several, of which the caller has to make sense.
    ///
    /// # Errors
    /// A header that is there and has another form.
    pub fn find<'h>(&self, headers: &'h HeaderMap) -> Result<Vec<&'h str>, Error> {
        match self {
            Self::Authorization => in_header(headers, &AUTHORIZATION, |text| match words(text) {
                (Some("Bearer"), Some(token), None) => Ok(Some(token)),
                _ => Err(malformed()),
            }),
            // As in Hasura the whole value, whatever it is; here it may also look like that of `Authorization`.
            Self::Header(name) => in_header(headers, name, |text| match words(text) {
                (Some("Bearer"), Some(token), None) => Ok(Some(token)),
                _ => Ok(Some(text)),
            }),
            Self::Cookie(name) => Ok(cookies(headers, name).take(MOST_TOKENS).collect()),
        }
    }
}

fn words(text: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let mut words = text.split_ascii_whitespace();
    (words.next(), words.next(), words.next())
}

fn in_header<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    read: impl Fn(&'h str) -> Result<Option<&'h str>, Error>,
) -> Result<Vec<&'h str>, Error> {
    let values = headers.get_all(name).iter().take(MOST_TOKENS);
    values
        .map(|value| read(value.to_str().map_err(|_| malformed())?))
        .filter_map(Result::transpose)
        .collect()
}

/// The cookies of this name. An empty one is a token that is wrong, as in Hasura.
fn cookies<'h>(headers: &'h HeaderMap, wanted: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .filter(move |(name, _)| name.trim() == wanted)
        .map(|(_, value)| value.trim())
}

fn malformed() -> Error {
    Error::new(Code::InvalidHeaders, "Malformed Authorization header")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn find(location: &Location, name: &'static str, value: &'static str) -> Result<Vec<String>, Error> {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        let found = location.find(&headers)?;
        Ok(found.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn authorization() {
        let location = Location::Authorization;
        assert_eq!(
            find(&location, "authorization", "Bearer a.b.c"),
            Ok(vec!["a.b.c".into()])
        );
        for wrong in ["", "Bearer", "a.b.c", "Basic x", "Bearer a b", "bearer a.b.c"] {
            assert_eq!(
                find(&location, "authorization", wrong),
                Err(malformed()),
                "{wrong}"
            );
        }
        assert_eq!(find(&location, "x-other", "Bearer a"), Ok(vec![]));
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(location.find(&twice), Ok(vec!["a", "b"]));
        for _ in 0..100 {
            twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        }
        assert_eq!(location.find(&twice).unwrap().len(), MOST_TOKENS);
        let bytes = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap())]);
        assert_eq!(location.find(&bytes), Err(malformed()));
    }

    #[test]
    fn cookies_and_own_headers() {
        let cookie = Location::Cookie("token".into());
        assert_eq!(
            find(&cookie, "cookie", "a=1; token=x.y; b=2"),
            Ok(vec!["x.y".into()])
        );
        assert_eq!(
            find(&cookie, "cookie", "token=x; token=y"),
            Ok(vec!["x".into(), "y".into()])
        );
        assert_eq!(find(&cookie, "cookie", "a=1; xtoken=x"), Ok(vec![]));
        assert_eq!(find(&cookie, "cookie", "token="), Ok(vec!["".into()]));
        assert_eq!(find(&cookie, "cookie", "token"), Ok(vec![]));
        let own = Location::Header(HeaderName::from_static("x-token"));
        assert_eq!(find(&own, "x-token", "x.y"), Ok(vec!["x.y".into()]));
        assert_eq!(find(&own, "authorization", "Bearer x"), Ok(vec![]));
        assert_eq!(find(&own, "x-token", "Bearer x.y"), Ok(vec!["x.y".into()]));
        assert_eq!(find(&own, "x-token", "a b c"), Ok(vec!["a b c".into()]));
        assert_eq!(find(&own, "x-token", ""), Ok(vec!["".into()]));
    }
}
