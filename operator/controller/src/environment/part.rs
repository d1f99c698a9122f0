//! What a variable in the engine's Secret is made of, and values that name other variables, `$(NAME)`.
//!
//! Kubernetes puts the values of a container's earlier variables in. Those that come from Secrets are no variables of the
//! container: of a value that names one the operator puts the whole together, by the same rules.

use std::collections::{BTreeMap, HashMap};

use compile::SecretKey;

/// Bytes of a value with all that it names put in.
const MOST_BYTES: usize = 64 << 10;

/// What a variable in the engine's Secret is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// One key of a Secret, byte for byte.
    One(SecretKey),
    /// Texts and keys of Secrets that hold texts, one behind the other.
    Text(Vec<Piece>),
}

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it stands here.
    Text(String),
    /// What a key of a Secret holds.
    Key(SecretKey),
}

impl Part {
    /// Its pieces.
    pub fn pieces(&self) -> Vec<Piece> {
        match self {
            Self::One(key) => vec![Piece::Key(key.clone())],
            Self::Text(pieces) => pieces.clone(),
        }
    }
}

/// With what it names put in, a value is longer than any variable may be.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

/// Puts what a value names in: `plain` are variables as they are with all put in, `secret` those that come from Secrets.
/// What neither has stays as it is written, and `$$` is one `$`, as in Kubernetes.
pub fn put_in(
    value: &str,
    plain: &HashMap<String, String>,
    secret: &BTreeMap<String, Part>,
) -> Result<Vec<Piece>, TooLong> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let named = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let Some((name, after)) = named else {
            text.push('$');
            continue;
        };
        rest = after;
        if let Some(part) = secret.get(name) {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.extend(part.pieces());
        } else if let Some(value) = plain.get(name) {
            text.push_str(value);
        } else {
            text.push_str(&format!("$({name})"));
        }
        if text.len() > MOST_BYTES || pieces.len() > MOST_BYTES {
            return Err(TooLong);
        }
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    let bytes = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Key(_) => 1,
    };
    if pieces.iter().map(bytes).sum::<usize>() > MOST_BYTES {
        return Err(TooLong);
    }
    Ok(pieces)
}

/// The names in a value, `$(NAME)`.
pub fn named(value: &str) -> impl Iterator<Item = &str> {
    // Of `$$(NAME)` nothing is put in.
    let mut parts = value.split("$$").flat_map(|part| part.split("$(").skip(1));
    std::iter::from_fn(move || parts.find_map(|part| Some(part.split_once(')')?.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> SecretKey {
        SecretKey {
            namespace: "n".to_owned(),
            name: "s".to_owned(),
            key: name.to_owned(),
        }
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn values_are_put_together_as_kubernetes_does() {
        let plain = HashMap::from([("HOST".to_owned(), "h".to_owned())]);
        let secret = BTreeMap::from([
            ("PW".to_owned(), Part::One(key("password"))),
            (
                "URL".to_owned(),
                Part::Text(vec![text("p://"), Piece::Key(key("password"))]),
            ),
        ]);
        let put_in = |value: &str| put_in(value, &plain, &secret);
        assert_eq!(put_in("a$(HOST)b"), Ok(vec![text("ahb")]));
        assert_eq!(
            put_in("postgres://u:$(PW)@$(HOST)/d"),
            Ok(vec![
                text("postgres://u:"),
                Piece::Key(key("password")),
                text("@h/d")
            ])
        );
        assert_eq!(
            put_in("$(URL)$(URL)"),
            Ok(vec![
                text("p://"),
                Piece::Key(key("password")),
                text("p://"),
                Piece::Key(key("password"))
            ])
        );
        for (value, whole) in [
            ("$$(PW)", "$(PW)"),
            ("$(UNKNOWN)$", "$(UNKNOWN)$"),
            ("$(PW", "$(PW"),
            ("a$b$$c", "a$b$c"),
            ("é$(HOST)é", "éhé"),
        ] {
            assert_eq!(put_in(value), Ok(vec![text(whole)]), "{value}");
        }
        assert_eq!(put_in(""), Ok(Vec::new()));
    }

    #[test]
    fn what_grows_without_end_is_refused() {
        let mut plain = HashMap::from([("A0".to_owned(), "x".repeat(10))]);
        let mut outcome = Ok(Vec::new());
        for at in 1..64 {
            outcome = put_in(&format!("$(A{})$(A{})", at - 1, at - 1), &plain, &BTreeMap::new());
            let Ok(pieces) = &outcome else { break };
            let [Piece::Text(text)] = pieces.as_slice() else {
                break;
            };
            plain.insert(format!("A{at}"), text.clone());
        }
        assert_eq!(outcome, Err(TooLong));
    }

    #[test]
    fn names_are_found() {
        assert_eq!(named("a$(B)$(C)$$(D)$(E").collect::<Vec<_>>(), ["B", "C"]);
    }
}
