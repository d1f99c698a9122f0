//! How long an answer is good: `Cache-Control` and `Expires`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A year: nothing is good for longer.
const LONGEST: u64 = 366 * 24 * 3600;

/// What an answer says of its own life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Nothing.
    Unsaid,
    /// It is not to be kept: ask again as often as is reasonable.
    Stale,
    /// So many seconds.
    For(Duration),
}

impl Freshness {
    /// From the values of `Cache-Control` and `Expires`, at `now` (seconds since 1970), as Hasura reads them: beside
    /// `must-revalidate` it is `max-age` (or `s-maxage`) that counts, then words that forbid keeping, then `max-age`
    /// without it, then `Expires`.
    pub fn of(cache_control: Option<&str>, expires: Option<&str>, now: f64) -> Self {
        let says = |wanted: &str| {
            let mut directives = cache_control.unwrap_or_default().split(',');
            directives.any(|directive| directive.trim().eq_ignore_ascii_case(wanted))
        };
        let revalidates = says("must-revalidate");
        let forbids = says("no-cache") || says("no-store");
        match cache_control
            .and_then(seconds)
            .filter(|_| revalidates || !forbids)
        {
            Some(0) => return Self::Stale,
            Some(seconds) => return Self::For(Duration::from_secs(seconds)),
            None if revalidates || forbids => return Self::Stale,
            None => {}
        }
        match expires.map(str::trim).filter(|text| !text.is_empty()) {
            None => Self::Unsaid,
            Some(text) => match parse_date(text) {
                Some(at) if at > now => Self::For(Duration::from_secs_f64((at - now).min(366.0 * 86400.0))),
                _ => Self::Stale,
            },
        }
    }
}

/// The seconds of `max-age` or `s-maxage`, whichever is said first, whatever else is.
pub fn seconds(cache_control: &str) -> Option<u64> {
    let mut directives = cache_control.split(',');
    let found = directives.find_map(|directive| max_age(&directive.trim().to_ascii_lowercase()));
    found.map(|seconds| seconds.min(LONGEST))
}

fn max_age(directive: &str) -> Option<u64> {
    let named = directive
        .strip_prefix("max-age")
        .or_else(|| directive.strip_prefix("s-maxage"));
    let value = named?.trim_start().strip_prefix('=')?;
    value.trim().trim_matches('"').parse().ok()
}

/// Seconds since 1970 of an HTTP date.
pub fn parse_date(text: &str) -> Option<f64> {
    let at: SystemTime = httpdate::parse_http_date(text).ok()?;
    at.duration_since(UNIX_EPOCH)
        .ok()
        .map(|since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let of = |control, expires| Freshness::of(control, expires, 784_111_777.0);
        let seconds = |seconds| Freshness::For(Duration::from_secs(seconds));
        assert_eq!(
            of(Some("public, max-age=600, must-revalidate"), None),
            seconds(600)
        );
        assert_eq!(of(Some("Max-Age = 5"), None), seconds(5));
        assert_eq!(of(Some("private, s-maxage=7, max-age=5"), None), seconds(7));
        assert_eq!(of(Some("no-store, max-age=600"), None), Freshness::Stale);
        assert_eq!(of(Some("No-Cache , max-age=600"), None), Freshness::Stale);
        assert_eq!(of(Some("must-revalidate"), None), Freshness::Stale);
        assert_eq!(
            of(Some("no-cache, no-store, must-revalidate, max-age=600"), None),
            seconds(600)
        );
        assert_eq!(of(Some("must-revalidate, no-store"), None), Freshness::Stale);
        assert_eq!(
            of(Some("no-cache"), Some("Sun, 06 Nov 1994 08:49:47 GMT")),
            Freshness::Stale
        );
        assert_eq!(of(Some("max-age=0"), None), Freshness::Stale);
        assert_eq!(of(Some("private"), None), Freshness::Unsaid);
        assert_eq!(of(None, Some("Sun, 06 Nov 1994 08:49:47 GMT")), seconds(10));
        assert_eq!(of(None, Some("Sun, 06 Nov 1994 08:49:27 GMT")), Freshness::Stale);
        assert_eq!(of(None, Some("0")), Freshness::Stale);
        assert_eq!(of(None, None), Freshness::Unsaid);
        assert_eq!(of(Some("max-age=99999999999999999999"), None), Freshness::Unsaid);
    }
}
