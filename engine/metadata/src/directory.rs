//! A metadata directory as the `hasura` command line tool keeps it: read into one document, and written from one.
//!
//! Reading works on a map of paths and texts and touches no file system, but for [`walk`], which fills such a map
//! from a folder. Includes (`!include path`, as a tag or as a text) are relative to the file they stand in and may
//! not lead out of the directory; their depth and number are bounded.

mod include;
mod number;
mod print;
mod sdl;
mod sdl_text;
mod walk;
mod write;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json::JsonPath;

pub use walk::{Listed, Listing, NotFollowed, WalkError, list, walk};
pub use write::to_files;
pub use yaml::{read as read_yaml, write as write_yaml};

use include::Files;

/// The sections that are one file each: key of the document and name of the file.
const SECTIONS: &[(&str, &str)] = &[
    ("remote_schemas", "remote_schemas.yaml"),
    ("query_collections", "query_collections.yaml"),
    ("allowlist", "allow_list.yaml"),
    ("cron_triggers", "cron_triggers.yaml"),
    ("rest_endpoints", "rest_endpoints.yaml"),
    ("api_limits", "api_limits.yaml"),
    ("metrics_config", "metrics_config.yaml"),
    ("inherited_roles", "inherited_roles.yaml"),
    (
        "graphql_schema_introspection",
        "graphql_schema_introspection.yaml",
    ),
    ("network", "network.yaml"),
    ("backend_configs", "backend_configs.yaml"),
    ("opentelemetry", "opentelemetry.yaml"),
];

const VERSION_FILE: &str = "version.yaml";
const DATABASES_FILE: &str = "databases/databases.yaml";
const ACTIONS_FILE: &str = "actions.yaml";
const ACTIONS_SDL_FILE: &str = "actions.graphql";
/// The whole document in one file, where there is no `version.yaml`.
const SINGLE_FILES: &[&str] = &["metadata.json", "metadata.yaml", "metadata.yml"];

/// Why a metadata directory could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// Neither a directory nor the single-file form.
    #[error("neither {VERSION_FILE} nor a single file (metadata.json, metadata.yaml) was found")]
    NotADirectory,
    /// `version.yaml` does not hold a version that has this form.
    #[error("{VERSION_FILE}: expected `version: 2` or `version: 3`")]
    Version,
    /// A file is not YAML, or holds what JSON cannot.
    #[error("{file}: {message}")]
    Yaml {
        /// The path of the file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// An included file does not exist.
    #[error("{file}: the included file {target:?} does not exist")]
    MissingInclude {
        /// The file with the include.
        file: String,
        /// The included path as written.
        target: String,
    },
    /// An include that leads out of the directory, or is absolute.
    #[error("{file}: the include {target:?} leads out of the directory")]
    Escape {
        /// The file with the include.
        file: String,
        /// The included path as written.
        target: String,
    },
    /// A file includes itself, or includes are nested too deeply.
    #[error("{file}: the include {target:?} is circular or nested too deeply")]
    Cycle {
        /// The file with the include.
        file: String,
        /// The included path as written.
        target: String,
    },
    /// More includes, or more included text, than any sensible directory has.
    #[error("{file}: too much is included")]
    TooLarge {
        /// The file that went over the limit.
        file: String,
    },
    /// `actions.graphql` is not a schema.
    #[error("{ACTIONS_SDL_FILE}: {0}")]
    Sdl(String),
    /// `actions.graphql` and `actions.yaml` do not fit together.
    #[error("{kind} {name} of {present} is not present in {absent}")]
    Unmatched {
        /// `action`, `object`, …
        kind: &'static str,
        /// Its name.
        name: String,
        /// The file that has it.
        present: &'static str,
        /// The file that lacks it.
        absent: &'static str,
    },
    /// A number for which YAML has only another one.
    #[error("{file}: {path}: the number {number} cannot be written as YAML exactly")]
    Number {
        /// The file that would have it.
        file: String,
        /// Where in it.
        path: JsonPath,
        /// The number.
        number: String,
    },
}

/// Puts the files of a metadata directory together to one document, not yet read. Paths are relative to the
/// directory, with `/` between their parts. Absent files are empty sections.
pub fn from_files(files: &BTreeMap<String, String>) -> Result<Value, DirectoryError> {
    let mut files = Files::new(files);
    if !files.has(VERSION_FILE) {
        for file in SINGLE_FILES {
            if let Some(document) = files.section(file)? {
                return Ok(document);
            }
        }
        return Err(DirectoryError::NotADirectory);
    }
    let version = files
        .section(VERSION_FILE)?
        .and_then(|value| value.get("version")?.as_u64());
    let mut document = Map::new();
    match version {
        Some(3) => {
            document.insert("version".to_owned(), Value::from(3));
            let sources = files
                .section(DATABASES_FILE)?
                .unwrap_or_else(|| Value::Array(Vec::new()));
            document.insert("sources".to_owned(), sources);
        }
        Some(2) => {
            document.insert("version".to_owned(), Value::from(2));
            let tables = files
                .section("tables.yaml")?
                .unwrap_or_else(|| Value::Array(Vec::new()));
            document.insert("tables".to_owned(), tables);
            if let Some(functions) = files.section("functions.yaml")? {
                document.insert("functions".to_owned(), functions);
            }
        }
        _ => return Err(DirectoryError::Version),
    }
    for (key, file) in SECTIONS {
        if let Some(section) = files.section(file)? {
            document.insert((*key).to_owned(), section);
        }
    }
    add_actions(&mut files, &mut document)?;
    Ok(Value::Object(document))
}

/// `actions.yaml`, completed from `actions.graphql`.
fn add_actions(files: &mut Files<'_>, document: &mut Map<String, Value>) -> Result<(), DirectoryError> {
    let Some(mut section) = files.section(ACTIONS_FILE)? else {
        return Ok(());
    };
    let sdl = files.text(ACTIONS_SDL_FILE).unwrap_or_default();
    sdl::complete(&mut section, sdl)?;
    let Value::Object(section) = section else {
        let message = "expected an object with `actions` and `custom_types`".to_owned();
        return Err(DirectoryError::Yaml {
            file: ACTIONS_FILE.to_owned(),
            message,
        });
    };
    for (key, value) in section {
        document.insert(key, value);
    }
    Ok(())
}
