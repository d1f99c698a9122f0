//! File names: one noun each, and never a drawer.

use crate::Problem;
use crate::file::File;

const DRAWERS: [&str; 9] = [
    "util", "utils", "helper", "helpers", "common", "commons", "misc", "types", "stuff",
];

/// Refuses `mod.rs` and names that say nothing.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        let mut parts: Vec<_> = file.path.split('/').collect();
        let Some(last) = parts.pop() else { continue };
        if last == "mod.rs" {
            problems.push(Problem::of_file(
                &file.path,
                "write name.rs beside name/, not name/mod.rs",
            ));
        }
        let stem = last.split('.').next().unwrap_or(last);
        if let Some(drawer) = parts
            .into_iter()
            .chain([stem])
            .find(|part| DRAWERS.contains(part))
        {
            problems.push(Problem::of_file(
                &file.path,
                format!("`{drawer}` says nothing: name what is in it"),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawers_are_refused() {
        for path in [
            "a/src/mod.rs",
            "a/src/utils.rs",
            "a/src/helpers/list.rs",
            "a/src/common.rs",
            "b/types.rs",
        ] {
            assert_eq!(check(&[File::new(path, "")]).len(), 1, "{path}");
        }
        for path in [
            "a/src/model.rs",
            "a/src/type_system.rs",
            "a/src/custom_types.rs",
            "docs/a.md",
        ] {
            assert_eq!(check(&[File::new(path, "")]), [], "{path}");
        }
    }
}
