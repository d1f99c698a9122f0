//! Who may name whom: the architecture, as a table.
//!
//! ```text
//! floor 3     server   kubernetes   operator
//! floor 2     plan   pg   rate   compile
//! floor 1     schema   crd
//! floor 0     auth  graphql   metadata   sql   embedded   kriti   delivery
//! ```

use crate::Problem;
use crate::file::File;

/// One crate of ours.
#[derive(Debug, Clone, Copy)]
pub struct Crate {
    /// The package.
    pub name: &'static str,
    /// Its folder.
    pub folder: &'static str,
    /// Crates of ours that it may name.
    pub may: &'static [&'static str],
    /// Crates of ours that its tests may name besides.
    pub tests_may: &'static [&'static str],
}

/// Every crate. A new line here is a change of the architecture.
pub const CRATES: &[Crate] = &[
    Crate {
        name: "graphql",
        folder: "engine/graphql",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "metadata",
        folder: "engine/metadata",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "sql",
        folder: "engine/sql",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "auth",
        folder: "engine/auth",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "embedded",
        folder: "engine/embedded",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "kriti",
        folder: "engine/kriti",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "delivery",
        folder: "engine/delivery",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "schema",
        folder: "engine/schema",
        may: &["graphql", "metadata"],
        tests_may: &[],
    },
    Crate {
        name: "plan",
        folder: "engine/plan",
        may: &["schema", "graphql", "sql"],
        tests_may: &["metadata"],
    },
    // Of schema only `schema::catalog`, which `pg_names_only_the_catalog` checks.
    Crate {
        name: "pg",
        folder: "engine/pg",
        may: &["sql", "schema"],
        tests_may: &["embedded"],
    },
    Crate {
        name: "rate",
        folder: "engine/rate",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "kubernetes",
        folder: "engine/kubernetes",
        may: &["delivery"],
        tests_may: &[],
    },
    Crate {
        name: "rowlock",
        folder: "engine/server",
        may: &[
            "auth",
            "graphql",
            "metadata",
            "sql",
            "embedded",
            "kriti",
            "delivery",
            "schema",
            "plan",
            "pg",
            "rate",
            "crd",
            "compile",
            "kubernetes",
        ],
        tests_may: &[],
    },
    Crate {
        name: "crd",
        folder: "operator/crd",
        may: &[],
        tests_may: &[],
    },
    Crate {
        name: "compile",
        folder: "operator/compile",
        may: &["crd", "metadata"],
        tests_may: &[],
    },
    // It drives the built programs from outside.
    Crate {
        name: "e2e",
        folder: "e2e",
        may: &["crd", "metadata"],
        tests_may: &[],
    },
    Crate {
        name: "operator",
        folder: "operator/controller",
        may: &["compile", "crd", "delivery", "metadata"],
        tests_may: &[],
    },
    Crate {
        name: "tidy",
        folder: ".ci/tidy",
        may: &[],
        tests_may: &[],
    },
];

/// Packages of others that only some crates may name, with the ones whose tests may name them besides.
pub const RESERVED: &[(&str, &[&str], &[&str])] = &[
    ("sqlx", &["pg"], &["rowlock"]),
    ("tokio-postgres", &["pg"], &["rowlock"]),
    ("tokio-postgres-rustls", &["pg"], &[]),
    ("reqwest", &["rowlock", "e2e"], &[]),
    ("axum", &["rowlock"], &[]),
    ("tokio-tungstenite", &["rowlock"], &[]),
    ("hyper", &["rowlock", "operator"], &["kubernetes"]),
    ("jsonwebtoken", &["auth"], &[]),
    ("redis", &["rate"], &[]),
    ("governor", &["rate"], &[]),
    ("clap", &["rowlock", "operator"], &[]),
    ("notify", &["rowlock"], &[]),
    ("mimalloc", &["rowlock", "operator"], &[]),
    ("prometheus", &["rowlock", "operator"], &[]),
    ("kube", &["crd", "kubernetes", "operator", "e2e"], &[]),
    ("k8s-openapi", &["crd", "kubernetes", "operator", "e2e"], &[]),
    ("schemars", &["crd"], &[]),
    ("postgresql_embedded", &["embedded"], &[]),
    ("async-graphql-parser", &["metadata"], &[]),
    (
        "tokio",
        &[
            "embedded",
            "kubernetes",
            "pg",
            "rate",
            "rowlock",
            "operator",
            "e2e",
        ],
        &[],
    ),
];

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dependency {
    line: usize,
    package: String,
    for_tests: bool,
    of_workspace: bool,
}

/// Checks every `Cargo.toml` below the workspace's.
#[must_use]
pub fn check(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.ends_with("/Cargo.toml")) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        // A package with a workspace of its own (fuzz targets) is not part of the floors.
        if file.text.lines().any(|line| line.trim() == "[workspace]") {
            continue;
        }
        let Some(known) = CRATES.iter().find(|known| known.folder == folder) else {
            problems.push(Problem::of_file(
                &file.path,
                "not in the table of crates (.ci/tidy/src/dependency.rs)",
            ));
            continue;
        };
        if !file
            .text
            .lines()
            .any(|line| line.trim() == format!("name = \"{}\"", known.name))
        {
            problems.push(Problem::of_file(
                &file.path,
                format!("the package is to be called {}", known.name),
            ));
        }
        for dependency in dependencies(&file.text) {
            problems.extend(check_one(file, known, &dependency));
        }
    }
    for known in CRATES {
        let manifest = format!("{}/Cargo.toml", known.folder);
        if !files.iter().any(|file| file.path == manifest) {
            problems.push(Problem::of_file(
                &manifest,
                "in the table of crates, but not there",
            ));
        }
    }
    problems
}

fn check_one(file: &File, known: &Crate, dependency: &Dependency) -> Vec<Problem> {
    let Dependency {
        line,
        package,
        for_tests,
        of_workspace,
    } = dependency;
    let mut problems = Vec::new();
    let mut refuse = |message: String| problems.push(Problem::at(&file.path, *line, message));
    if !of_workspace {
        refuse(format!(
            "{package}: versions and paths stand in the workspace's manifest (`workspace = true`)"
        ));
    }
    let ours = CRATES.iter().any(|other| other.name == package);
    let allowed =
        known.may.contains(&package.as_str()) || (*for_tests && known.tests_may.contains(&package.as_str()));
    if ours && !allowed {
        refuse(format!(
            "{} may not name {package}: it is not on a lower floor",
            known.name
        ));
    }
    if known.name == "tidy" {
        refuse("tidy has no dependencies".to_owned());
    }
    if let Some((_, may, tests_may)) = RESERVED.iter().find(|(reserved, ..)| reserved == package)
        && !may.contains(&known.name)
        && !(*for_tests && tests_may.contains(&known.name))
    {
        refuse(format!("{package} is for {} alone", may.join(" and ")));
    }
    problems
}

/// Reads the dependency tables of a manifest: as much TOML as ours are written in.
fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    // (for tests, name from a `[dependencies.name]` header)
    let mut section: Option<(bool, Option<usize>)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = None;
            for (table, for_tests) in [
                ("dev-dependencies", true),
                ("build-dependencies", false),
                ("dependencies", false),
            ] {
                if header == table || header.ends_with(&format!(".{table}")) {
                    section = Some((for_tests, None));
                    break;
                }
                if let Some((_, name)) = header.rsplit_once(&format!("{table}."))
                    && header != "workspace.dependencies"
                {
                    found.push(Dependency {
                        line: index + 1,
                        package: name.trim_matches('"').to_owned(),
                        for_tests,
                        of_workspace: false,
                    });
                    section = Some((for_tests, Some(found.len() - 1)));
                    break;
                }
            }
            continue;
        }
        let (Some((for_tests, open)), Some((key, value))) = (section, line.split_once('=')) else {
            continue;
        };
        if line.starts_with('#') {
            continue;
        }
        let (key, value) = (key.trim(), value.trim());
        if let Some(open) = open {
            match key {
                "package" => found[open].package = value.trim_matches('"').to_owned(),
                "workspace" => found[open].of_workspace = value == "true",
                _ => {}
            }
            continue;
        }
        let name = key.split('.').next().unwrap_or(key).trim_matches('"');
        let renamed = value
            .split_once("package")
            .and_then(|(_, rest)| rest.split('"').nth(1));
        found.push(Dependency {
            line: index + 1,
            package: renamed.unwrap_or(name).to_owned(),
            for_tests,
            of_workspace: key.ends_with(".workspace") || value.contains("workspace = true"),
        });
    }
    found
}

/// `pg` sees of `schema` what introspection found and nothing else.
#[must_use]
pub fn pg_names_only_the_catalog(files: &[File]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path.starts_with("engine/pg/") && file.ends_with(".rs"))
    {
        for (index, line) in file.text.lines().enumerate() {
            let mut rest = line;
            while let Some(at) = rest.find("schema::") {
                let before = rest[..at].chars().next_back();
                let whole = !before.is_some_and(|found| found.is_alphanumeric() || found == '_');
                rest = &rest[at + "schema::".len()..];
                if whole && !rest.starts_with("catalog") {
                    problems.push(Problem::at(
                        &file.path,
                        index + 1,
                        "pg may name schema::catalog alone",
                    ));
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &str, name: &str, rest: &str) -> File {
        File::new(
            &format!("{folder}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\n{rest}"),
        )
    }

    fn messages(file: File) -> Vec<String> {
        let path = file.path.clone();
        let problems = check(&[file]);
        problems
            .into_iter()
            .filter(|problem| problem.path == path)
            .map(|problem| problem.message)
            .collect()
    }

    #[test]
    fn a_lower_floor_is_fine() {
        let found = messages(manifest(
            "engine/plan",
            "plan",
            "[dependencies]\nsql.workspace = true\n",
        ));
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_higher_floor_is_refused() {
        let found = messages(manifest(
            "engine/sql",
            "sql",
            "[dependencies]\nplan.workspace = true\n",
        ));
        assert_eq!(found, ["sql may not name plan: it is not on a lower floor"]);
    }

    #[test]
    fn tests_may_name_what_code_may_not() {
        let for_tests = "[dev-dependencies]\nembedded.workspace = true\n";
        assert_eq!(
            messages(manifest("engine/pg", "pg", for_tests)),
            Vec::<String>::new()
        );
        let for_code = "[dependencies]\nembedded.workspace = true\n";
        assert_eq!(messages(manifest("engine/pg", "pg", for_code)).len(), 1);
        let not_there = "[dev-dependencies]\nembedded.workspace = true\n";
        assert_eq!(messages(manifest("engine/plan", "plan", not_there)).len(), 1);
    }

    #[test]
    fn reserved_packages_are_refused_elsewhere_under_any_spelling() {
        for rest in [
            "[dependencies]\nsqlx.workspace = true\n",
            "[dependencies]\nsqlx = { workspace = true, features = [\"uuid\"] }\n",
            "[dependencies]\ndatabase = { workspace = true, package = \"sqlx\" }\n",
            "[target.'cfg(unix)'.dependencies]\nsqlx.workspace = true\n",
            "[dependencies.sqlx]\nworkspace = true\n",
        ] {
            let found = messages(manifest("engine/plan", "plan", rest));
            assert_eq!(found, ["sqlx is for pg alone"], "{rest}");
        }
    }

    #[test]
    fn a_version_of_its_own_is_refused() {
        let found = messages(manifest("engine/plan", "plan", "[dependencies]\nurl = \"2\"\n"));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_crate_outside_the_table_is_refused() {
        assert_eq!(messages(manifest("engine/extra", "extra", "")).len(), 1);
        assert_eq!(messages(manifest("engine/pg", "postgres", "")).len(), 1);
    }

    #[test]
    fn a_missing_crate_is_told() {
        assert!(
            check(&[])
                .iter()
                .any(|problem| problem.path == "engine/sql/Cargo.toml")
        );
    }

    #[test]
    fn pg_may_not_look_past_the_catalog() {
        let good = File::new(
            "engine/pg/src/a.rs",
            "use schema::catalog::Table;\nlet x = pg_schema::y;\n",
        );
        assert_eq!(pg_names_only_the_catalog(&[good]), []);
        let bad = File::new("engine/pg/src/a.rs", "use schema::model::Table;\n");
        assert_eq!(pg_names_only_the_catalog(&[bad]).len(), 1);
    }
}
