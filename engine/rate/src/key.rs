//! What is counted together.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Spreads small numbers over all bits.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// A key: role, address, session variables, as a hash of fixed size. The same in every instance, so that they can count
/// together; too long to be guessed from, so that a store that others read tells nothing of whom it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// Of these parts, each with its length: no two lists have the same key by running into each other.
    pub fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }

    /// Its bytes.
    #[cfg(test)]
    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Its bytes where this rate, numbered, counts it.
    pub(crate) fn of_rate(self, rate: u64) -> [u8; 16] {
        (u128::from_le_bytes(self.0) ^ (u128::from(rate).wrapping_mul(SPREAD))).to_le_bytes()
    }

    /// In hexadecimal.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(32), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(Key::new(["ab", "c"]), Key::new(["a", "bc"]));
        assert_ne!(Key::new(["a"]), Key::new(["a", ""]));
        assert_eq!(
            Key::new(["user", "1.2.3.4"]).to_hex(),
            Key::new(["user", "1.2.3.4"]).to_hex()
        );
        assert_eq!(Key::new([]).to_hex(), "e3b0c44298fc1c149afbf4c8996fb924");
    }
}
