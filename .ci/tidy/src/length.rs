//! Long files: nobody reads them, everybody adds to them.

use crate::Problem;
use crate::file::File;

/// Above this a file needs a reason in [`REASONS`].
pub const SOFT: usize = 600;

/// Above this no reason helps.
pub const HARD: usize = 800;

/// Files between the two limits, and why they are one thing.
pub const REASONS: &[(&str, &str)] = &[(
    "engine/schema/src/model.rs",
    "the vocabulary of one generation: what every floor above it reads, on one page",
)];

/// Checks the length of source files. A test module at the bottom does not count; files that are tests have the hard
/// limit alone.
#[must_use]
pub fn check(files: &[File], reasons: &[(&str, &str)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sources = || {
        files
            .iter()
            .filter(|file| file.ends_with(".rs") || file.ends_with(".py"))
    };
    for file in sources() {
        let lines = file.code_lines();
        let excused = file.is_test() || reasons.iter().any(|(path, _)| *path == file.path);
        if lines > HARD {
            problems.push(Problem::of_file(
                &file.path,
                format!("{lines} lines; {HARD} is the limit: split it"),
            ));
        } else if lines > SOFT && !excused {
            let message = format!("{lines} lines; above {SOFT} it needs a reason in .ci/tidy/src/length.rs");
            problems.push(Problem::of_file(&file.path, message));
        }
    }
    for (path, _) in reasons {
        if !sources().any(|file| file.path == *path && file.code_lines() > SOFT) {
            problems.push(Problem::of_file(
                path,
                "no longer needs its reason in .ci/tidy/src/length.rs",
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> File {
        File::new(path, &"x\n".repeat(lines))
    }

    #[test]
    fn limits() {
        assert_eq!(check(&[file("a.rs", SOFT)], &[]), []);
        assert_eq!(check(&[file("a.rs", SOFT + 1)], &[]).len(), 1);
        assert_eq!(check(&[file("a.rs", SOFT + 1)], &[("a.rs", "one table")]), []);
        assert_eq!(
            check(&[file("a.rs", HARD + 1)], &[("a.rs", "one table")]).len(),
            1
        );
        assert_eq!(check(&[file("a/tests.rs", HARD)], &[]), []);
        assert_eq!(check(&[file("a/tests.rs", HARD + 1)], &[]).len(), 1);
    }

    #[test]
    fn a_stale_reason_is_told() {
        assert_eq!(check(&[file("a.rs", 10)], &[("a.rs", "one table")]).len(), 1);
        assert_eq!(check(&[], &[("gone.rs", "one table")]).len(), 1);
    }

    #[test]
    fn tests_at_the_bottom_are_counted_apart() {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "x\n".repeat(SOFT),
            "y\n".repeat(SOFT)
        );
        assert_eq!(check(&[File::new("a.rs", &text)], &[]), []);
    }
}
