//! Links and paths in documents: they lead somewhere, or the document is out of date.

use std::collections::BTreeSet;

use crate::Problem;
use crate::dependency::CRATES;
use crate::file::File;

/// A word in backticks that begins with one of these is a path of the repository.
const TOP: [&str; 8] = [
    "engine/",
    "operator/",
    "docs/",
    ".ci/",
    "config/",
    "bench/",
    ".github/",
    "e2e/",
];

/// Checks relative links, their headings, and paths in backticks, in every Markdown file.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let known = paths(files);
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        for (line, target) in links(&file.text) {
            if let Some(message) = check_link(files, &known, file, &target) {
                problems.push(Problem::at(&file.path, line, message));
            }
        }
        for (line, path) in quoted_paths(&file.text) {
            if !known.contains(path.trim_end_matches('/')) {
                problems.push(Problem::at(&file.path, line, format!("`{path}` does not exist")));
            }
        }
    }
    problems
}

/// ARCHITECTURE.md names every crate by its folder.
#[must_use]
pub fn architecture_names_every_crate(files: &[File]) -> Vec<Problem> {
    let path = "ARCHITECTURE.md";
    let Some(file) = files.iter().find(|file| file.path == path) else {
        return vec![Problem::of_file(path, "is missing")];
    };
    let missing = CRATES
        .iter()
        .filter(|known| !file.text.contains(&format!("`{}`", known.folder)));
    missing
        .map(|known| Problem::of_file(path, format!("does not name `{}`", known.folder)))
        .collect()
}

/// Files and the directories they are in.
fn paths(files: &[File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files {
        for (at, _) in file.path.match_indices('/') {
            found.insert(file.path[..at].to_owned());
        }
        found.insert(file.path.clone());
    }
    found
}

fn check_link(files: &[File], known: &BTreeSet<String>, file: &File, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target
        .split_once('#')
        .map_or((target, None), |(path, heading)| (path, Some(heading)));
    let resolved = if path.is_empty() {
        Some(file.path.clone())
    } else {
        resolve(&file.path, path)
    };
    let Some(resolved) = resolved.filter(|resolved| resolved.is_empty() || known.contains(resolved)) else {
        return Some(format!("the link to {target} leads nowhere"));
    };
    let heading = heading?;
    let document = files.iter().find(|other| other.path == resolved)?;
    let found = headings(&document.text).any(|other| other == heading);
    (!found).then(|| format!("{resolved} has no heading #{heading}"))
}

/// `docs/a.md` + `../b/c.md` → `b/c.md`; `None` when it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Lines outside fenced code, from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            return None;
        }
        (!fenced).then_some((index + 1, line))
    })
}

fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for (at, _) in line.match_indices("](") {
            if let Some(target) = line[at + 2..]
                .split(')')
                .next()
                .filter(|target| !target.is_empty())
            {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

fn quoted_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        for word in line.split('`').skip(1).step_by(2) {
            let is_pattern = word.contains(['*', '<', ' ', '…', '{', ':', '$']);
            if !is_pattern && TOP.iter().any(|top| word.starts_with(top)) {
                found.push((number, word.to_owned()));
            }
        }
    }
    found
}

/// Headings as a link names them: lower case, spaces to hyphens, other signs left out.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|found| found.is_alphanumeric() || " -_".contains(*found));
            kept.map(|found| if found == ' ' { '-' } else { found }).collect()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<Problem> {
        let other = File::new("docs/decisions/0001-first.md", "# A title, with `code`\n");
        check(&[File::new("docs/a.md", text), File::new("README.md", ""), other])
    }

    #[test]
    fn good_links() {
        let text = "[a](../README.md) [b](decisions/0001-first.md#a-title-with-code) [c](https://example.org)\n\
                    [d](decisions) `docs/decisions/` `docs/decisions/*` [here](#own)\n# Own\n\
                    ```\n[x](nowhere)\n```\n";
        assert_eq!(problems(text), []);
    }

    #[test]
    fn bad_links() {
        for text in [
            "[a](gone.md)",
            "[a](../../b.md)",
            "[a](decisions/0001-first.md#no)",
            "`docs/gone.md`",
            "[a](#x)",
        ] {
            assert_eq!(problems(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn architecture_is_complete() {
        assert_eq!(architecture_names_every_crate(&[]).len(), 1);
        let all: String = CRATES
            .iter()
            .map(|known| format!("`{}`\n", known.folder))
            .collect();
        assert_eq!(
            architecture_names_every_crate(&[File::new("ARCHITECTURE.md", &all)]),
            []
        );
        let but_one = all.replace("`engine/pg`", "");
        assert_eq!(
            architecture_names_every_crate(&[File::new("ARCHITECTURE.md", &but_one)]).len(),
            1
        );
    }
}
