//! How a client spelled the names of its headers. HTTP does not care, and the parser forgets it; but a webhook that is
//! posted to sees them as keys of a JSON object, and Hasura hands them on as they came.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, str};

use http::HeaderMap;

/// Bytes of a head that are remembered at most; names that are not among them count as lower case.
const MOST: usize = 64 << 10;

/// Names, a line each.
#[derive(Debug, Clone, Default)]
pub struct Spelling(Option<Arc<str>>);

/// Headers, and how they are spelled.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The headers.
    pub headers: &'a HeaderMap,
    /// How their names are spelled; `None` where nobody will want to know.
    pub spelling: Option<&'a Spelling>,
}

impl<'a> From<&'a HeaderMap> for Shown<'a> {
    fn from(headers: &'a HeaderMap) -> Self {
        Self {
            headers,
            spelling: None,
        }
    }
}

impl Shown<'_> {
    /// The spelling of each name, by the name in lower case.
    pub fn names(&self) -> HashMap<String, &str> {
        self.spelling.map(Spelling::names).unwrap_or_default()
    }
}

impl Spelling {
    /// Of these names.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut lines = String::new();
        for name in names {
            lines.push_str(name);
            lines.push('\n');
        }
        Self(Some(lines.into()))
    }

    /// Both; where they differ, the later one counts.
    #[must_use]
    pub fn and(&self, later: &Self) -> Self {
        match (&self.0, &later.0) {
            (Some(first), Some(later)) => Self(Some([&**first, later].concat().into())),
            (Some(_), None) => self.clone(),
            (None, _) => later.clone(),
        }
    }

    fn names(&self) -> HashMap<String, &str> {
        let names = self.0.as_deref().unwrap_or_default().lines();
        names.map(|name| (name.to_ascii_lowercase(), name)).collect()
    }
}

/// What was read of a stream lately. Tokens and cookies are in it: nothing of it is printed, and only names leave it.
#[derive(Clone, Default)]
pub struct Recent(Arc<Bytes>);

#[derive(Default)]
struct Bytes {
    read: Mutex<Vec<u8>>,
    /// Whether there is anything in it, to ask without waiting.
    holds: AtomicBool,
    /// No further head comes.
    ended: AtomicBool,
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl Recent {
    /// The spelling of the head that was read last; it is forgotten here. It may hold lines of a body as well, which can do no
    /// more than spell a name that is there in another way.
    pub fn take(&self) -> Spelling {
        let read = std::mem::take(&mut *self.0.read.lock().unwrap_or_else(PoisonError::into_inner));
        let names = read.split(|byte| *byte == b'\n').filter_map(|line| {
            let end = line.iter().position(|byte| *byte == b':')?;
            str::from_utf8(line.get(..end)?).ok()
        });
        Spelling::of(names)
    }

    /// What comes now is no HTTP any more, and not kept.
    pub fn end(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
        self.0.read.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What was read is not wanted any more.
    pub fn forget(&self) {
        if self.0.holds.load(Ordering::Relaxed) {
            let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
            *read = Vec::new();
            self.0.holds.store(false, Ordering::Relaxed);
        }
    }

    /// Remembers what was read.
    pub fn add(&self, read: &[u8]) {
        if self.0.ended.load(Ordering::Relaxed) {
            return;
        }
        let mut bytes = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.holds.store(true, Ordering::Relaxed);
        if bytes.len() + read.len() > MOST {
            // A body: the next head comes after it.
            bytes.clear();
        }
        bytes.extend_from_slice(read.get(read.len().saturating_sub(MOST)..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(spelling: &Spelling, name: &str) -> Option<String> {
        spelling.names().get(name).map(|name| (*name).to_owned())
    }

    #[test]
    fn what_is_not_wanted_is_not_kept() {
        let recent = Recent::default();
        recent.add(b"GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n");
        recent.forget();
        assert!(recent.0.read.lock().unwrap().capacity() == 0);
        recent.add(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        let head = recent.take();
        assert_eq!(spelled(&head, "authorization"), None);
        assert_eq!(spelled(&head, "host").as_deref(), Some("Host"));
    }

    #[test]
    fn names_as_they_came() {
        let recent = Recent::default();
        recent.add(b"POST /v1/graphql?a:b HTTP/1.1\r\nHost: x\r\nAuthori");
        recent.add(b"zation: Bearer x: y\r\nx-own-ID:1\r\n\r\n{\"query\": \"\xff\"}");
        let head = recent.take();
        for (name, as_told) in [
            ("host", Some("Host")),
            ("authorization", Some("Authorization")),
            ("x-own-id", Some("x-own-ID")),
            ("cookie", None),
        ] {
            assert_eq!(spelled(&head, name).as_deref(), as_told, "{name}");
        }
        assert_eq!(
            spelled(&recent.take(), "host"),
            None,
            "it was of the request before"
        );
        let both = head.and(&Spelling::of(["X-OWN-Id"].into_iter()));
        assert_eq!(spelled(&both, "x-own-id").as_deref(), Some("X-OWN-Id"));
        assert_eq!(spelled(&both, "host").as_deref(), Some("Host"));
    }

    #[test]
    fn a_body_is_not_kept() {
        let recent = Recent::default();
        for _ in 0..100 {
            recent.add(&[b'x'; 3 * MOST / 4]);
            assert!(recent.0.read.lock().unwrap().len() <= MOST);
        }
        recent.add(&[b'y'; 3 * MOST]);
        recent.add(b"\nHost: x");
        assert_eq!(spelled(&recent.take(), "host").as_deref(), Some("Host"));
        recent.add(b"GET / HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n");
        let names = format!("{:?} {recent:?}", recent.take());
        assert!(
            names.contains("Authorization") && !names.contains("Bearer"),
            "{names}"
        );
        recent.end();
        recent.add(b"a websocket's frames");
        assert!(recent.0.read.lock().unwrap().is_empty());
    }
}
