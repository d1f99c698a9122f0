//! SQL pieced together as text: the way injections come about. Statements are built as trees and printed in
//! `engine/sql`; fixed ones stand in `.sql` files.

use crate::Problem;
use crate::file::File;

/// How a statement begins, and what it must hold besides to be taken for one (messages begin with such words too).
const STATEMENTS: &[(&str, &str)] = &[
    ("select ", " from "),
    ("select ", "("),
    ("insert into ", ""),
    ("update ", " set "),
    ("delete from ", ""),
    ("with ", " as ("),
    ("create ", ""),
    ("alter ", ""),
    ("drop ", ""),
    ("truncate ", ""),
    ("grant ", ""),
    ("copy ", ""),
    ("comment on ", ""),
    ("set ", ""),
];

/// Refuses `format!` (and `write!`) with a literal that begins like a statement and has something put in. Tests may.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let sources = files.iter().filter(|file| {
        file.ends_with(".rs") && !file.is_test() && !file.path.starts_with("engine/sql/src/print")
    });
    for file in sources {
        let lines = file.code_lines();
        let code: String = file.text.split_inclusive('\n').take(lines).collect();
        for macro_name in ["format!(", "format_args!(", "write!(", "writeln!("] {
            for (at, _) in code.match_indices(macro_name) {
                if literal(&code[at + macro_name.len()..]).is_some_and(is_statement) {
                    let line = code[..at].matches('\n').count() + 1;
                    let message = "SQL is not pieced together: build it in engine/sql, bind values";
                    problems.push(Problem::at(&file.path, line, message));
                }
            }
        }
    }
    problems
}

/// The first string literal of a macro's arguments.
fn literal(arguments: &str) -> Option<&str> {
    let start = arguments.find('"')? + 1;
    // Past the first arguments (`write!(out, "…")`), but not past the macro.
    if arguments[..start].contains(')') || arguments[..start].contains(';') {
        return None;
    }
    let rest = &arguments[start..];
    if arguments[..start].ends_with("r#\"") {
        return rest.find("\"#").map(|end| &rest[..end]);
    }
    let mut escaped = false;
    let end = rest.find(|found: char| {
        let ends = found == '"' && !escaped;
        escaped = found == '\\' && !escaped;
        ends
    })?;
    Some(&rest[..end])
}

fn is_statement(literal: &str) -> bool {
    let text = literal.trim_start().to_lowercase();
    text.contains('{')
        && STATEMENTS.iter().any(|(start, holds)| text.starts_with(start) && text.contains(holds))
        // "select permissions on …" is about metadata.
        && !text.split(' ').nth(1).is_some_and(|second| second.starts_with("permission"))
        // In our messages what is put in is quoted with backticks or follows a colon.
        && !text.contains('`')
        && !text.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[File::new(path, text)]).len()
    }

    #[test]
    fn statements_are_found() {
        let bad = "let sql = format!(\n    \"SELECT * FROM {name}\"\n);\n";
        assert_eq!(check(&[File::new("engine/pg/src/a.rs", bad)])[0].line, 1);
        assert_eq!(
            count(
                "engine/pg/src/a.rs",
                "write!(out, \"drop table \\\"{}\\\"\", name)"
            ),
            1
        );
        assert_eq!(
            count("engine/pg/src/a.rs", "format!(r#\"create schema \"{name}\"\"#)"),
            1
        );
    }

    #[test]
    fn messages_and_the_printer_are_not() {
        assert_eq!(
            count("engine/pg/src/a.rs", "format!(\"select one of {names}\")"),
            0
        );
        assert_eq!(count("engine/pg/src/a.rs", "format!(\"drop `{name}` first\")"), 0);
        assert_eq!(count("engine/pg/src/a.rs", "format!(\"SELECT 1 FROM a\")"), 0);
        assert_eq!(
            count("engine/sql/src/print.rs", "format!(\"drop table {name}\")"),
            0
        );
        assert_eq!(
            count("engine/pg/tests/it/a.rs", "format!(\"drop table {name}\")"),
            0
        );
    }
}
