//! The id of a request: the client's own, or a random one.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;

/// Longer ids than this are not taken over: they stand in every log line.
const LONGEST: usize = 256;

/// The id of a request: `x-request-id` if it has one, else a UUID.
pub fn of(headers: &HeaderMap) -> Cow<'_, str> {
    given(headers).map_or_else(|| Cow::Owned(random()), Cow::Borrowed)
}

/// A UUID for a request that brings no id of its own.
pub fn random_for(headers: &HeaderMap) -> Option<String> {
    given(headers).is_none().then(random)
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(super::REQUEST_ID)?.to_str().ok()?;
    (!id.is_empty() && id.len() <= LONGEST).then_some(id)
}

/// A version 4 UUID. A keyed hash of a counter is as good as the system's generator for telling requests apart, and
/// costs no system call.
fn random() -> String {
    static KEYS: LazyLock<(RandomState, RandomState)> =
        LazyLock::new(|| (RandomState::new(), RandomState::new()));
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let (high, low) = &*KEYS;
    let bits = (u128::from(high.hash_one(count)) << 64) | u128::from(low.hash_one(count));
    uuid::Builder::from_random_bytes(bits.to_be_bytes())
        .into_uuid()
        .to_string()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn ids_differ_and_are_uuids() {
        let (one, two) = (random(), random());
        assert_ne!(one, two);
        assert_eq!(Uuid::parse_str(&one).unwrap().get_version_num(), 4);
    }

    #[test]
    fn the_clients_own_id_is_kept() {
        let headers = HeaderMap::from_iter([(super::super::REQUEST_ID, HeaderValue::from_static("mine"))]);
        assert_eq!(of(&headers), "mine");
    }
}
