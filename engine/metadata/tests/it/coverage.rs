//! The coverage table names every key, and `docs/coverage.md` is its print.

use metadata::coverage::{COVERAGE, known_paths, markdown};

#[test]
fn the_table_names_every_key_that_is_read() {
    let listed: Vec<&str> = COVERAGE.iter().map(|(path, _, _)| *path).collect();
    let known = known_paths();
    let missing: Vec<&String> = known
        .iter()
        .filter(|path| !listed.contains(&path.as_str()))
        .collect();
    let stale: Vec<&&str> = listed
        .iter()
        .filter(|path| !known.iter().any(|known| known == *path))
        .collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "missing: {missing:#?}\nnot read any more: {stale:#?}"
    );
    assert_eq!(listed, known, "the table has the order of the document");
}

/// With `ROWLOCK_WRITE_DOCS` set, the file is written instead of compared.
#[test]
fn the_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/coverage.md");
    if std::env::var_os("ROWLOCK_WRITE_DOCS").is_some() {
        std::fs::write(path, markdown()).expect("docs/coverage.md can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == markdown(),
        "docs/coverage.md is stale: ROWLOCK_WRITE_DOCS=1 cargo test -p metadata coverage"
    );
}
