//! Words that must not be in the repository: unfinished work, and paths of one person's machine.

use crate::Problem;
use crate::file::File;

/// The words, cut in two so that this file does not hold them, and what to do instead.
const WORDS: &[(&str, &str, &str)] = &[
    ("to", "do!(", "finish it, or refuse the input with an error"),
    (
        "unimpl",
        "emented!(",
        "finish it, or refuse the input with an error",
    ),
    ("TO", "DO", "finish it, or open an issue"),
    ("FIX", "ME", "fix it, or open an issue"),
    ("XX", "X:", "say what is wrong, or open an issue"),
    ("db", "g!(", "remove it"),
    ("/wo", "rk/", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("/ho", "me/", "a path of one machine"),
    ("/Us", "ers/", "a path of one machine"),
    ("/tmp/", "target", "a path of one machine"),
];

/// Looks for the words in every file but licences and lock files.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path != "Cargo.lock" && file.path != "LICENSE")
    {
        for (index, line) in file.text.lines().enumerate() {
            for (first, second, instead) in WORDS {
                let word = format!("{first}{second}");
                if contains_word(line, &word) {
                    problems.push(Problem::at(&file.path, index + 1, format!("`{word}`: {instead}")));
                }
            }
        }
    }
    problems
}

/// Whether `line` has `word` and not as part of a longer word or path.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |found: Option<char>| found.is_some_and(|found| found.is_alphanumeric() || found == '_');
        let starts_with_letter = word.starts_with(char::is_alphabetic);
        let ends_with_letter = word.ends_with(char::is_alphabetic);
        // The word may be a part of a longer path.
        let inside_path = word.starts_with('/')
            && before.is_some_and(|found| found.is_alphanumeric() || "_-.~}*".contains(found));
        !(inside_path || (starts_with_letter && joins(before)) || (ends_with_letter && joins(after)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found() {
        for (first, second, _) in WORDS {
            let text = format!("before\n    {first}{second}\n");
            let found = check(&[File::new("a.rs", &text)]);
            assert_eq!(
                found.iter().map(|problem| problem.line).collect::<Vec<_>>(),
                [2],
                "{first}{second}"
            );
        }
    }

    #[test]
    fn longer_words_and_paths_are_not() {
        let text = concat!("MASTO", "DON\nframe/wo", "rk/x\n~/wo", "rk/x\n");
        assert_eq!(check(&[File::new("a.rs", text)]), []);
    }
}
