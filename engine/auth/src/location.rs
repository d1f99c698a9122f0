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

impl Location {
    /// The token, if the request has one here.
    ///
    /// # Errors
    /// A header that is there and has another form, or is there twice.
    pub fn find<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>, Error> {
        match self {
            Self::Authorization => match single(headers, &AUTHORIZATION)? {
                None => Ok(None),
                Some(text) => match words(text) {
                    (Some("Bearer"), Some(token), None) => Ok(Some(token)),
                    _ => Err(malformed()),
                },
            },
            Self::Header(name) => match single(headers, name)? {
                None => Ok(None),
                Some(text) => match words(text) {
                    (None, ..) => Ok(None),
                    (Some(token), None, _) | (Some("Bearer"), Some(token), None) => Ok(Some(token)),
                    _ => Err(malformed()),
                },
            },
            Self::Cookie(name) => Ok(cookie(headers, name)),
        }
    }
}

fn words(text: &str) -> (Option<&str>, Option<&str>, Option<&str>) {
    let mut words = text.split_ascii_whitespace();
    (words.next(), words.next(), words.next())
}

/// The value of a header that may stand once only: two of them could be read as either.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| malformed()),
        (Some(_), Some(_)) => Err(malformed()),
    }
}

/// The first cookie of this name that is not empty.
fn cookie<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim() == wanted)
        .map(|(_, value)| value.trim())
        .filter(|value| !value.is_empty())
}

fn malformed() -> Error {
    Error::new(Code::InvalidHeaders, "Malformed Authorization header")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn find(location: &Location, name: &'static str, value: &'static str) -> Result<Option<String>, Error> {
        let headers =
            HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        location.find(&headers).map(|found| found.map(str::to_owned))
    }

    #[test]
    fn authorization() {
        let location = Location::Authorization;
        assert_eq!(
            find(&location, "authorization", "Bearer a.b.c"),
            Ok(Some("a.b.c".into()))
        );
        for wrong in ["", "Bearer", "a.b.c", "Basic x", "Bearer a b", "bearer a.b.c"] {
            assert_eq!(
                find(&location, "authorization", wrong),
                Err(malformed()),
                "{wrong}"
            );
        }
        assert_eq!(find(&location, "x-other", "Bearer a"), Ok(None));
        let mut twice = HeaderMap::new();
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert_eq!(location.find(&twice), Err(malformed()));
        let bytes = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff").unwrap())]);
        assert_eq!(location.find(&bytes), Err(malformed()));
    }

    #[test]
    fn cookies_and_own_headers() {
        let cookie = Location::Cookie("token".into());
        assert_eq!(
            find(&cookie, "cookie", "a=1; token=x.y; b=2"),
            Ok(Some("x.y".into()))
        );
        assert_eq!(find(&cookie, "cookie", "a=1; xtoken=x"), Ok(None));
        assert_eq!(find(&cookie, "cookie", "token="), Ok(None));
        let own = Location::Header(HeaderName::from_static("x-token"));
        assert_eq!(find(&own, "x-token", "x.y"), Ok(Some("x.y".into())));
        assert_eq!(find(&own, "authorization", "Bearer x"), Ok(None));
        assert!(find(&own, "x-token", "a b c").is_err());
    }
}
