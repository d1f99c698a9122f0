//! Values as texts: booleans, numbers, lists and choices, with Hasura's words for wrong ones.

use std::time::Duration;

/// Why a text is not a value. `Display` fits behind `Environment variable NAME: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a boolean.
    #[error(
        "Not a valid boolean text. True values are [\"true\",\"t\",\"yes\",\"y\"] and False values are \
         [\"false\",\"f\",\"no\",\"n\"]. All values are case insensitive"
    )]
    Boolean,
    /// Not a whole number within bounds.
    #[error("expecting a whole number from {least} to {most}, but got {text:?}")]
    Number {
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
        /// What was given.
        text: String,
    },
    /// Not a number of seconds.
    #[error("expecting a number of seconds that is not negative, but got {0:?}")]
    Seconds(String),
    /// Not one of some words.
    #[error("expecting one of {choices}, but got {text:?}")]
    Choice {
        /// The words, comma separated.
        choices: &'static str,
        /// What was given.
        text: String,
    },
    /// An empty text where it cannot be one.
    #[error("must not be empty")]
    Empty,
    /// Not the JSON that is wanted.
    #[error("expecting {0}")]
    Json(&'static str),
    /// Something else, in its own words.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// What is wanted, without what was given: for those who may not see a value that somebody put in a wrong place.
    pub fn without_value(&self) -> String {
        match self {
            Self::Number { least, most, .. } => format!("expecting a whole number from {least} to {most}"),
            Self::Seconds(_) => "expecting a number of seconds that is not negative".to_owned(),
            Self::Choice { choices, .. } => format!("expecting one of {choices}"),
            Self::Boolean | Self::Empty | Self::Json(_) | Self::Other(_) => self.to_string(),
        }
    }
}

/// A boolean, in any case.
pub fn boolean(text: &str) -> Result<bool, Error> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" => Ok(true),
        "false" | "f" | "no" | "n" => Ok(false),
        _ => Err(Error::Boolean),
    }
}

/// A whole number within bounds.
pub fn number(text: &str, least: u64, most: u64) -> Result<u64, Error> {
    text.trim()
        .parse::<u64>()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Error::Number {
            least,
            most,
            text: text.to_owned(),
        })
}

/// Seconds, with a fraction if need be.
pub fn seconds(text: &str) -> Result<Duration, Error> {
    text.trim()
        .trim_end_matches('s')
        .parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| Error::Seconds(text.to_owned()))
}

/// The items of a comma list, trimmed, empty ones left out.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A text that is not empty.
pub fn text(text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_in_any_case() {
        for yes in ["true", "T", "Yes", "y"] {
            assert_eq!(boolean(yes), Ok(true), "{yes}");
        }
        for no in ["FALSE", "f", "no", "N"] {
            assert_eq!(boolean(no), Ok(false), "{no}");
        }
        assert_eq!(boolean("1"), Err(Error::Boolean));
        assert_eq!(boolean(""), Err(Error::Boolean));
    }

    #[test]
    fn numbers_within_bounds() {
        assert_eq!(number("8080", 0, 65535), Ok(8080));
        assert!(number("65536", 0, 65535).is_err());
        assert!(number("-1", 0, 65535).is_err());
        assert!(number("eighty", 0, 65535).is_err());
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert!(seconds("-1").is_err());
        assert!(seconds("NaN").is_err());
    }

    #[test]
    fn lists_are_trimmed() {
        assert_eq!(list(" a, b,,c ").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
