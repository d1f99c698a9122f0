//! The files of the repository, and which lines of them are tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A text file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path from the root, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl File {
    /// A file that exists only in a test.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Whether the whole file is test code: `tests/…`, `…/tests.rs`.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| part == "tests" || part == "tests.rs")
    }

    /// The number of lines before the test module at the bottom (all of them where there is none).
    #[must_use]
    pub fn code_lines(&self) -> usize {
        let lines: Vec<_> = self.text.lines().collect();
        let module = |at: usize| {
            lines[at + 1..]
                .iter()
                .find(|line| !line.trim_start().starts_with("#["))
        };
        (0..lines.len())
            .find(|&at| {
                lines[at] == "#[cfg(test)]"
                    && module(at).is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
            })
            .unwrap_or(lines.len())
    }

    /// Whether the file's name ends so.
    #[must_use]
    pub fn ends_with(&self, ending: &str) -> bool {
        self.path.ends_with(ending)
    }
}

/// Where this checkout is.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Every text file of the repository, sorted by path. Build results and data directories are not part of it.
///
/// # Errors
/// When a directory cannot be read.
pub fn all(root: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

const IGNORED: [&str; 6] = [
    ".git",
    "target",
    "node_modules",
    ".rowlock",
    "__pycache__",
    ".venv",
];

fn walk(directory: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if IGNORED.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &path, files)?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            // What is not UTF-8 is no text.
            files.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_bottom_do_not_count() {
        let file = File::new(
            "a.rs",
            "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n",
        );
        assert_eq!(file.code_lines(), 2);
        let file = File::new("a.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n");
        assert_eq!(file.code_lines(), 3);
    }

    #[test]
    fn knows_test_files() {
        assert!(File::new("engine/pg/tests/it/main.rs", "").is_test());
        assert!(File::new("engine/pg/src/codec/tests.rs", "").is_test());
        assert!(!File::new("engine/embedded/src/test.rs", "").is_test());
    }

    #[test]
    fn finds_this_file() {
        let files = all(&root()).unwrap();
        assert!(files.iter().any(|file| file.path == ".ci/tidy/src/file.rs"));
    }
}
