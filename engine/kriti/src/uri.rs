//! Absolute `http` and `https` URIs, taken apart as far as transforms need: the query is replaced on its own.

mod query;

use std::fmt;

pub use query::Query;

use crate::percent::hex;

/// An absolute URI without its fragment.
#[derive(Clone, Debug, PartialEq)]
pub struct Uri {
    secure: bool,
    /// User, host; without the port.
    host: String,
    /// `None` is the scheme's own.
    port: Option<u16>,
    /// As written, percent-encoded. May be empty.
    path: String,
    /// The query.
    pub query: Query,
}

/// Why a text is not such a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Not a URI at all.
    #[error("Invalid URL")]
    Invalid,
    /// Neither `http` nor `https`.
    #[error("Invalid scheme")]
    Scheme,
    /// No `//host`.
    #[error("URL must be absolute")]
    NotAbsolute,
    /// A port which is no number up to 65535.
    #[error("Invalid port")]
    Port,
}

impl Uri {
    /// Takes a URI apart. Every character must be one a URI may hold.
    ///
    /// # Errors
    /// [`UriError`]
    pub fn parse(text: &str) -> Result<Self, UriError> {
        check_characters(text)?;
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Invalid)?;
        let mut letters = scheme.chars();
        let starts_well = letters.next().is_some_and(|first| first.is_ascii_alphabetic());
        if !starts_well || !letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)) {
            return Err(UriError::Invalid);
        }
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(UriError::Scheme),
        };
        let rest = rest.strip_prefix("//").ok_or(UriError::NotAbsolute)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if [fragment, query, path]
            .iter()
            .any(|part| part.contains(['[', ']', '#']))
        {
            return Err(UriError::Invalid);
        }
        // The last colon begins the port, unless it stands inside of an IPv6 address.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority, ""),
        };
        if host.is_empty() || host.ends_with('@') {
            return Err(UriError::NotAbsolute);
        }
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                let port = digits.parse::<u16>().map_err(|_| UriError::Port)?;
                Some(port).filter(|port| *port != if secure { 443 } else { 80 })
            }
            _ => return Err(UriError::Port),
        };
        Ok(Self {
            secure,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            query: Query::parse(query),
        })
    }

    /// Takes apart a URL someone has configured: characters a URI may not hold are percent-encoded first, and an
    /// empty path becomes `/`.
    ///
    /// # Errors
    /// [`UriError`]
    pub fn parse_configured(text: &str) -> Result<Self, UriError> {
        let mut encoded = String::with_capacity(text.len());
        for character in text.chars() {
            if may_stand(character) || character == '%' {
                encoded.push(character);
            } else {
                encoded.push_str(&crate::percent::encode(character.to_string().as_bytes()));
            }
        }
        let mut uri = Self::parse(&encoded)?;
        if uri.path.is_empty() {
            uri.path.push('/');
        }
        Ok(uri)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}",
            if self.secure { "https" } else { "http" },
            self.host
        )?;
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        write!(formatter, "{}{}", self.path, self.query)
    }
}

/// RFC 3986's reserved and unreserved characters.
fn may_stand(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_.~:/?#[]@!$&'()*+,;=".contains(character)
}

fn check_characters(text: &str) -> Result<(), UriError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'%' => bytes.next().and_then(hex).is_some() && bytes.next().and_then(hex).is_some(),
            _ => may_stand(char::from(byte)),
        };
        if !fine {
            return Err(UriError::Invalid);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_was_read() {
        for text in [
            "http://host",
            "https://host/",
            "http://user:secret@host:8080/a%20b/c",
            "http://[::1]:81/x",
            "http://[::1]/x",
            "https://host:80/",
            "http://host/?a=b&c",
            "http://host?a=",
        ] {
            assert_eq!(Uri::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Uri::parse("HTTP://host:80/a#b").unwrap().to_string(),
            "http://host/a"
        );
        assert_eq!(
            Uri::parse("https://host:443").unwrap().to_string(),
            "https://host"
        );
    }

    #[test]
    fn refuses_what_is_no_absolute_uri() {
        for (text, error) in [
            ("", UriError::Invalid),
            ("host/path", UriError::Invalid),
            ("/path", UriError::Invalid),
            ("http://host/a b", UriError::Invalid),
            ("http://host/{{x}}", UriError::Invalid),
            ("http://host/%zz", UriError::Invalid),
            ("http://host/%2", UriError::Invalid),
            ("http://host/é", UriError::Invalid),
            ("http://host/[x]", UriError::Invalid),
            ("1http://host", UriError::Invalid),
            ("ftp://host", UriError::Scheme),
            ("http:host", UriError::NotAbsolute),
            ("http:///path", UriError::NotAbsolute),
            ("http://host:99999", UriError::Port),
            ("http://host:x", UriError::Port),
        ] {
            assert_eq!(Uri::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_configured_url_is_made_one() {
        let read = |text: &str| Uri::parse_configured(text).map(|uri| uri.to_string());
        assert_eq!(read("http://host"), Ok("http://host/".to_owned()));
        assert_eq!(read("http://host/a bé"), Ok("http://host/a%20b%C3%A9".to_owned()));
        assert_eq!(read("host"), Err(UriError::Invalid));
    }
}
