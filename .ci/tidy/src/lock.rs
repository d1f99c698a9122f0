//! `Cargo.lock`: every package from the public registry, or from this workspace.

use crate::Problem;
use crate::file::File;

const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Refuses other sources.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path == "Cargo.lock" || file.ends_with("/Cargo.lock"))
    {
        for (index, line) in file.text.lines().enumerate() {
            if line.starts_with("source = ") && line != REGISTRY {
                problems.push(Problem::at(&file.path, index + 1, "packages come from crates.io"));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sources_are_refused() {
        assert_eq!(check(&[File::new("Cargo.lock", &format!("{REGISTRY}\n"))]), []);
        let other = "source = \"git+https://github.com/someone/something\"\n";
        assert_eq!(check(&[File::new("Cargo.lock", other)]).len(), 1);
    }
}
