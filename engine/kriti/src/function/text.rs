//! Functions on strings. Case is mapped character by character, by Unicode's rules without a language.

use serde_json::Value;

use super::{Outcome, wrong};

/// Applies `change` to a string.
pub(super) fn map(argument: &Value, change: impl Fn(&str) -> String) -> Outcome {
    let text = argument
        .as_str()
        .ok_or_else(|| wrong("String", "String", argument))?;
    Ok(Value::String(change(text)))
}

pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

pub(super) fn upper(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).collect()
}

/// The form in which texts that differ only in case are equal: upper case, then lower, which takes `ß` to `ss` and
/// every sigma to the same one. The dotless `ı` folds to itself.
pub(super) fn case_fold(text: &str) -> String {
    let fold = |character: char| -> String {
        if character == 'ı' {
            return character.to_string();
        }
        character.to_uppercase().flat_map(char::to_lowercase).collect()
    };
    text.chars().map(fold).collect()
}

/// Each word's first letter in upper case, the others in lower case. An apostrophe between letters does not end a
/// word.
pub(super) fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut in_word = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphabetic() && !in_word {
            result.extend(character.to_uppercase());
        } else {
            result.extend(character.to_lowercase());
        }
        let joins =
            matches!(character, '\'' | '’') && characters.peek().is_some_and(|next| next.is_alphabetic());
        in_word = character.is_alphabetic() || (in_word && joins);
    }
    result
}
