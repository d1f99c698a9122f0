//! Sleeping in tests: too long on one machine, too short on another. Tests wait for a condition with a deadline.

use crate::Problem;
use crate::file::File;

/// The one module that may sleep between two looks at a condition.
const WAIT: &str = "wait.rs";

/// Refuses `sleep(` in test code.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.ends_with(".rs") && !file.ends_with(&format!("/{WAIT}")))
    {
        let first = if file.is_test() { 0 } else { file.code_lines() };
        for (index, line) in file.text.lines().enumerate().skip(first) {
            if sleeps(line) {
                let message = "tests do not sleep: wait for a condition with a deadline";
                problems.push(Problem::at(&file.path, index + 1, message));
            }
        }
    }
    problems
}

/// `sleep(…)` of whatever library, but not Postgres's function, which tests run to have a statement that takes long.
fn sleeps(line: &str) -> bool {
    let word = concat!("sle", "ep(");
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with("pg_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_is_for_code() {
        let line = concat!("thread::sle", "ep(second);\n");
        let inside = format!("#[cfg(test)]\nmod tests {{\n{line}}}\n");
        assert_eq!(check(&[File::new("a/src/b.rs", line)]), []);
        assert_eq!(check(&[File::new("a/tests/it/wait.rs", line)]), []);
        let in_sql = concat!("query(\"select pg_sle", "ep(60)\");\n");
        assert_eq!(check(&[File::new("a/tests/it/b.rs", in_sql)]), []);
        assert_eq!(check(&[File::new("a/src/b.rs", &inside)]).len(), 1);
        assert_eq!(check(&[File::new("a/tests/it/b.rs", line)]).len(), 1);
        assert_eq!(check(&[File::new("a/src/b/tests.rs", line)]).len(), 1);
    }
}
