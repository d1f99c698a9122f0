//! Names of objects, made of names in the document.

use std::collections::HashSet;

use crd::Kind;
use metadata::document::hash;

/// The names given so far, by kind.
#[derive(Default)]
pub(super) struct Names {
    given: HashSet<(Kind, String)>,
}

/// What is left of a name, so that a hash fits behind it and label values stay possible.
const LONGEST: usize = 52;

impl Names {
    /// A name that no object of the kind has: the parts, in letters that Kubernetes allows. Where that is not the
    /// same for two, or too long, a hash of the parts follows.
    pub(super) fn of(&mut self, kind: Kind, parts: &[String]) -> String {
        let plain: String = parts
            .join("-")
            .to_ascii_lowercase()
            .chars()
            .map(|letter| {
                if letter.is_ascii_alphanumeric() {
                    letter
                } else {
                    '-'
                }
            })
            .collect();
        let plain = plain.trim_matches('-');
        let short: String = plain.chars().take(LONGEST).collect();
        let short = short.trim_matches('-').to_owned();
        let base = if short.is_empty() {
            kind.as_str().to_ascii_lowercase()
        } else {
            short
        };
        let mut name = base.clone();
        let mut salt = 0_u32;
        while plain.len() > LONGEST && salt == 0 || !self.given.insert((kind, name.clone())) {
            let hash = hash(&format!("{salt}/{}", parts.join("/")));
            name = format!("{base}-{}", hash.get(..8).unwrap_or_default());
            salt = salt.saturating_add(1);
        }
        name
    }
}
