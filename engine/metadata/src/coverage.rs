//! What this program does with each key of the document: the table behind `docs/coverage.md`.
//!
//! A key that the readers know and the table does not name fails a test, and the other way round.

mod table;

use crate::json::{Content, Json, Shape};

pub use table::COVERAGE;

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has Hasura's effect.
    Enforced,
    /// Not supported yet: the object that has it is inconsistent, or the document is refused.
    Refused,
    /// It is kept and has no effect on what is served.
    Harmless,
}

impl Status {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Refused => "refused",
            Self::Harmless => "harmless",
        }
    }
}

/// One row of the table: the path of a key, what becomes of it, and a remark.
///
/// In paths, `[]` stands for the items of a list and `*` for names of the author's. Objects that stand in many
/// places have rows of their own, whose paths begin with their name in angle brackets.
pub type Row = (&'static str, Status, &'static str);

/// Objects that stand in many places, by their name in messages and in the table.
const SHARED: &[(&str, &str)] = &[
    ("HeaderConf", "<header>"),
    ("RequestTransform", "<request transform>"),
    ("ResponseTransform", "<response transform>"),
    ("BodyTransformFn", "<body transform>"),
    ("PostgresSourceConnInfo", "<connection info>"),
    ("RelManualConfig", "<manual configuration>"),
    ("ValidateInput", "<input validation>"),
    ("RemoteRelationshipDefinition", "<remote relationship>"),
    ("CustomRootField", "<root field>"),
    ("LogicalModelField", "<logical model field>"),
];

/// Every path that the readers know, in the order of the document, shared objects last.
pub fn known_paths() -> Vec<String> {
    let mut walk = Walk {
        paths: Vec::new(),
        shared: Vec::new(),
    };
    if let Content::Object(shape) = crate::Document::content() {
        walk.object("", &shape);
    }
    let mut next = 0;
    while let Some((name, shape)) = walk.shared.get(next).cloned() {
        walk.object(&format!("{name}."), &shape);
        next += 1;
    }
    walk.paths
}

struct Walk {
    paths: Vec<String>,
    shared: Vec<(&'static str, Shape)>,
}

impl Walk {
    fn object(&mut self, prefix: &str, shape: &Shape) {
        for (key, content) in &shape.keys {
            let path = format!("{prefix}{key}");
            self.paths.push(path.clone());
            match content {
                Content::Leaf => {}
                Content::Object(inner) => self.inner(&format!("{path}."), inner),
                Content::List(inner) => self.inner(&format!("{path}[]."), inner),
                Content::Map(inner) => self.inner(&format!("{path}.*."), inner),
            }
        }
    }

    fn inner(&mut self, prefix: &str, shape: &Shape) {
        match SHARED.iter().find(|(name, _)| *name == shape.name) {
            None => self.object(prefix, shape),
            Some((_, title)) if self.shared.iter().any(|(known, _)| known == title) => {}
            Some((_, title)) => self.shared.push((title, shape.clone())),
        }
    }
}

/// The table as Markdown: the content of `docs/coverage.md`.
pub fn markdown() -> String {
    let count = |status| COVERAGE.iter().filter(|(_, of_row, _)| *of_row == status).count();
    let mut text = format!(
        "# Metadata coverage\n\n\
         What becomes of each key of a Hasura v2 metadata document (version 3). Generated from \
         `engine/metadata/src/coverage/table.rs`; to write it again: \
         `ROWLOCK_WRITE_DOCS=1 cargo test -p metadata coverage`.\n\n\
         - **enforced** ({}): has Hasura's effect.\n\
         - **refused** ({}): not supported yet; the object that has it is reported as inconsistent, or the \
         document is refused. Nothing is accepted and then ignored.\n\
         - **harmless** ({}): kept and exported; no effect on what is served.\n\n\
         `[]` stands for the items of a list, `*` for names given by the author. Objects that stand in many \
         places are listed at the end, under a name in angle brackets. Keys that are not listed are refused in \
         tables, and elsewhere kept with a warning, as Hasura ignores them.\n\n\
         | Key | Status | Remark |\n|---|---|---|\n",
        count(Status::Enforced),
        count(Status::Refused),
        count(Status::Harmless),
    );
    for (path, status, remark) in COVERAGE {
        text.push_str(&format!("| `{path}` | {} | {remark} |\n", status.as_str()));
    }
    text
}
