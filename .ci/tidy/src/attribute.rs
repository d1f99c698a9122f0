//! Lints that are switched off: never silently, and never for longer than needed.

use crate::Problem;
use crate::file::File;

/// Refuses `allow` attributes, and `expect` attributes without a reason.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".rs")) {
        let mut offset = 0;
        for (index, line) in file.text.split_inclusive('\n').enumerate() {
            let start = line.trim_start();
            let rest = &file.text[offset..];
            offset += line.len();
            if is_attribute(start, "allow(") {
                let message = "write `#[expect(…, reason = \"…\")]`: it goes when it is no longer needed";
                problems.push(Problem::at(&file.path, index + 1, message));
            }
            if is_attribute(start, "expect(") {
                let attribute = &rest[..rest.find(")]").unwrap_or(rest.len())];
                if !attribute.contains("reason =") {
                    problems.push(Problem::at(
                        &file.path,
                        index + 1,
                        "say the reason: `reason = \"…\"`",
                    ));
                }
            }
        }
    }
    problems
}

fn is_attribute(line: &str, name: &str) -> bool {
    let inner = line.strip_prefix("#[").or_else(|| line.strip_prefix("#!["));
    inner.is_some_and(|inner| inner.starts_with(name) || inner.contains(&format!(", {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&[File::new("a.rs", text)]).len()
    }

    #[test]
    fn attributes() {
        assert_eq!(count("#[expect(clippy::panic, reason = \"a test\")]\n"), 0);
        assert_eq!(
            count("#[expect(\n    clippy::panic,\n    reason = \"a test\"\n)]\n"),
            0
        );
        assert_eq!(count("#[expect(clippy::panic)]\nfn a() { let reason = 1; }\n"), 1);
        assert_eq!(count("#[allow(dead_code, reason = \"later\")]\n"), 1);
        assert_eq!(count("#![allow(dead_code)]\n"), 1);
        assert_eq!(count("#[cfg_attr(test, allow(dead_code))]\n"), 1);
    }
}
