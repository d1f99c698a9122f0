//! Which origins browsers may call from, and the headers that tell them.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, CONTENT_LENGTH, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue};

use crate::settings::value::{Error, list};

/// `HASURA_GRAPHQL_CORS_DOMAIN` and `HASURA_GRAPHQL_DISABLE_CORS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// No headers at all.
    Disabled,
    /// Every origin.
    Any,
    /// These origins.
    Domains(Vec<Domain>),
}

/// One allowed origin, or a family of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// Just this origin.
    Exact(String),
    /// `scheme://*.rest`: one more label before `rest`, which has the port if there is one.
    Wildcard {
        /// With `://`.
        scheme: String,
        /// With its leading dot.
        rest: String,
    },
}

const METHODS: HeaderValue = HeaderValue::from_static("GET,POST,PUT,PATCH,DELETE,OPTIONS");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("X-Hasura-Query-Cache-Key,X-Hasura-Query-Family-Cache-Key,Warning");

impl Cors {
    /// Reads a comma list of origins, or `*`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        list(text)
            .map(Domain::parse)
            .collect::<Result<_, _>>()
            .map(Self::Domains)
    }

    /// The request's origin, if it is allowed.
    fn allowed<'a>(&self, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        match self {
            Self::Disabled => None,
            Self::Any => Some(origin),
            Self::Domains(domains) => {
                let text = origin.to_str().ok()?;
                domains
                    .iter()
                    .any(|domain| domain.matches(text))
                    .then_some(origin)
            }
        }
    }

    /// Whether a websocket may be opened. One without an origin is not a browser's, and no page is behind it.
    pub fn admits(&self, request: &HeaderMap) -> bool {
        match self {
            Self::Disabled | Self::Any => true,
            Self::Domains(_) => !request.contains_key(ORIGIN) || self.allowed(request).is_some(),
        }
    }

    /// Adds what every answer to an allowed origin carries.
    pub fn decorate(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if *self != Self::Disabled {
            // Another origin would get another answer: caches must keep them apart.
            response.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = self.allowed(request) else {
            return;
        };
        allow(origin, response);
        response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }

    /// Headers of the answer to an OPTIONS request, if its origin is allowed.
    pub fn preflight(&self, request: &HeaderMap) -> Option<HeaderMap> {
        let origin = self.allowed(request)?;
        let mut response = HeaderMap::new();
        allow(origin, &mut response);
        response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        response.insert(
            VARY,
            HeaderValue::from_static("Origin, Access-Control-Request-Headers"),
        );
        if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            response.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("1728000"));
        response.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain charset=UTF-8"));
        response.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        Some(response)
    }
}

fn allow(origin: &HeaderValue, response: &mut HeaderMap) {
    response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    response.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
}

impl Domain {
    fn parse(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::Other(format!(
                "invalid domain: '{text}'. All domains should have scheme + (optional wildcard) host + (optional port)"
            ))
        };
        let text = text.trim_end_matches('/');
        let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
        if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains('/') {
            return Err(wrong());
        }
        match host.strip_prefix('*') {
            None if !host.contains('*') => Ok(Self::Exact(text.to_owned())),
            Some(rest) if rest.starts_with('.') && rest.len() > 1 && !rest.contains('*') => {
                Ok(Self::Wildcard {
                    scheme: format!("{scheme}://"),
                    rest: rest.to_owned(),
                })
            }
            _ => Err(wrong()),
        }
    }

    fn matches(&self, origin: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == origin,
            Self::Wildcard { scheme, rest } => origin
                .strip_prefix(scheme.as_str())
                .and_then(|host| host.strip_suffix(rest.as_str()))
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    fn allows(cors: &Cors, origin: &'static str) -> bool {
        let mut response = HeaderMap::new();
        cors.decorate(&from(origin), &mut response);
        response
            .get(ACCESS_CONTROL_ALLOW_ORIGIN)
            .map(HeaderValue::as_bytes)
            == Some(origin.as_bytes())
    }

    #[test]
    fn exact_wildcard_and_any() {
        let cors = Cors::parse("https://a.example, http://*.b.example:3000").unwrap();
        assert!(allows(&cors, "https://a.example"));
        assert!(!allows(&cors, "http://a.example"));
        assert!(!allows(&cors, "https://a.example.evil"));
        assert!(allows(&cors, "http://x.b.example:3000"));
        assert!(!allows(&cors, "http://x.b.example"));
        assert!(!allows(&cors, "http://y.x.b.example:3000"));
        assert!(!allows(&cors, "http://.b.example:3000"));
        assert!(allows(&Cors::Any, "https://anything"));
        assert!(!allows(&Cors::Disabled, "https://anything"));
    }

    #[test]
    fn the_scheme_is_required() {
        assert!(Cors::parse("example.com").is_err());
        assert!(Cors::parse("https://*example.com").is_err());
        assert!(Cors::parse("https://a.*.com").is_err());
        assert!(Cors::parse("ftp://example.com").is_err());
    }

    #[test]
    fn preflight_echoes_the_wanted_headers() {
        let mut request = from("https://a.example");
        request.insert(
            ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static("x-hasura-role"),
        );
        let response = Cors::Any.preflight(&request).unwrap();
        assert_eq!(response[ACCESS_CONTROL_ALLOW_HEADERS], "x-hasura-role");
        assert_eq!(response[ACCESS_CONTROL_MAX_AGE], "1728000");
        assert_eq!(response[ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
        assert_eq!(response[VARY], "Origin, Access-Control-Request-Headers");
        assert!(Cors::Any.preflight(&HeaderMap::new()).is_none());
    }

    #[test]
    fn answers_vary_with_the_origin() {
        let vary = |cors: &Cors, request: &HeaderMap| {
            let mut response = HeaderMap::new();
            cors.decorate(request, &mut response);
            response.get(VARY).cloned()
        };
        let domains = Cors::parse("https://a.example").unwrap();
        for request in [
            from("https://a.example"),
            from("https://b.example"),
            HeaderMap::new(),
        ] {
            assert_eq!(vary(&domains, &request), Some(HeaderValue::from_static("Origin")));
            assert_eq!(
                vary(&Cors::Any, &request),
                Some(HeaderValue::from_static("Origin"))
            );
            assert_eq!(vary(&Cors::Disabled, &request), None);
        }
    }
}
