//! What fits into one engine's Secret.

use std::collections::BTreeSet;

use compile::SecretKey;

use super::Missing;

/// Bytes of values that one engine's Secret may hold: the API server takes a mebibyte, of which names need some.
pub(super) const MOST_BYTES: usize = 900 << 10;

/// How often room is made for what was there before: each time less is new.
const ROUNDS: usize = 4;

/// Those keys, in this order, of which the values do not fit any more by what they take now, and why. They leave room for what they were
/// before, as their objects go on in their last form.
pub(super) fn unfit(
    keys: &[&SecretKey],
    now: impl Fn(&SecretKey) -> usize,
    before: impl Fn(&SecretKey) -> usize,
    all: usize,
) -> Missing {
    let mut room = all;
    let mut unfit = Missing::new();
    for _ in 0..ROUNDS {
        unfit = too_much(keys.iter().copied(), &now, room);
        let kept: usize = unfit.keys().map(&before).sum();
        let left = all.saturating_sub(kept);
        if left >= room {
            break;
        }
        room = left;
    }
    unfit
}

fn too_much<'k>(
    keys: impl Iterator<Item = &'k SecretKey>,
    size: impl Fn(&SecretKey) -> usize,
    mut room: usize,
) -> Missing {
    let (mut taken, mut missing) = (BTreeSet::new(), Missing::new());
    for key in keys {
        if taken.contains(key) || missing.contains_key(key) {
            continue;
        }
        let bytes = size(key) + key.variable().len();
        if bytes <= room {
            room -= bytes;
            taken.insert(key);
        } else {
            let why = format!(
                "key {} of Secret {} does not fit: all values that one engine refers to have at most {} KiB together, and older \
                 objects come first; an object that referred to another value before has to be without that one first",
                key.key,
                key.name,
                MOST_BYTES >> 10
            );
            missing.insert(key.clone(), why);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::super::secret_key;
    use super::*;

    /// One large value is out, and what comes behind it still fits.
    #[test]
    fn what_does_not_fit_is_told_key_by_key() {
        let key = |name: &str| secret_key(&("n".to_owned(), "s".to_owned()), name);
        let keys = ["first", "bundle", "first", "last"].map(key);
        let size = |key: &SecretKey| match key.key.as_str() {
            "bundle" => MOST_BYTES - 100,
            _ => 100,
        };
        let missing = too_much(keys.iter(), size, MOST_BYTES);
        assert_eq!(missing.keys().collect::<Vec<_>>(), [&key("bundle")]);
        assert!(too_much(keys.iter(), |_| 100, MOST_BYTES).is_empty());
    }

    /// What grows goes on as it was, and what is new does not take its place.
    #[test]
    fn what_was_there_keeps_its_room() {
        let key = |name: &str| secret_key(&("n".to_owned(), "s".to_owned()), name);
        let keys = ["grows", "new", "small"].map(key);
        let size = |grown: usize, new: usize| {
            move |key: &SecretKey| match key.key.as_str() {
                "grows" => grown,
                "new" => new,
                _ => 100,
            }
        };
        let (now, before) = (size(MOST_BYTES * 2, MOST_BYTES / 2), size(MOST_BYTES * 3 / 4, 0));
        let all: Vec<&SecretKey> = keys.iter().collect();
        let found = unfit(&all, now, before, MOST_BYTES);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&keys[0], &keys[1]]);
    }
}
