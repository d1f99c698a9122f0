//! Keeps generated pages under `docs/` in step with the code they are made from. Only tests use it.

use std::path::Path;

/// Compares a page with the file at `path` (from the repository's root), or writes it if `UPDATE` is set.
pub(crate) fn check(path: &str, page: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, page).unwrap();
        return;
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == page,
        "{path} is stale: run `UPDATE=1 cargo test -p rowlock`"
    );
}
