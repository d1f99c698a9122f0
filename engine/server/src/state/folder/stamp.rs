//! What the file system says of a folder without reading its files: another one means that something changed.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::settings::SecretFile;

/// Of what is there by these names now, wherever links lead; none where the folder cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(Option<u64>);

impl Stamp {
    /// Looks.
    pub(super) fn of(folder: &Path, secrets: &[SecretFile]) -> Self {
        let Ok(listing) = metadata::directory::list(folder) else {
            return Self(None);
        };
        let mut hasher = DefaultHasher::new();
        for (name, file) in &listing.files {
            (name, numbers(&file.metadata)).hash(&mut hasher);
        }
        for name in listing.not_followed.keys() {
            name.hash(&mut hasher);
        }
        for secret in secrets {
            let metadata = std::fs::metadata(&secret.file).ok();
            metadata.as_ref().map(numbers).hash(&mut hasher);
        }
        Self(Some(hasher.finish()))
    }
}

/// The time of the last change is the system's own, which copying does not set back.
fn numbers(metadata: &Metadata) -> [i128; 5] {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.len().into(),
        nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn it_differs_where_anything_changed() {
        let place = std::env::temp_dir().join(format!("rowlock-stamp-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        let at = |path: &str| place.join(path);
        for folder in ["one", "two"] {
            fs::create_dir_all(at(folder)).unwrap();
            fs::write(at(folder).join("a.yaml"), "a").unwrap();
        }
        fs::write(at("secret"), "a").unwrap();
        symlink("one", at("current")).unwrap();
        let secrets = [SecretFile {
            name: "s".to_owned(),
            file: at("secret"),
        }];
        let stamp = || Stamp::of(&at("current"), &secrets);
        let mut last = stamp();
        assert_eq!(stamp(), last);
        let mut changed = |what: &str| {
            let now = stamp();
            assert_ne!(now, last, "{what}");
            last = now;
        };
        fs::remove_file(at("current")).unwrap();
        changed("it is away");
        symlink("two", at("current")).unwrap();
        changed("the link leads elsewhere");
        fs::write(at("two/a.yaml"), "longer").unwrap();
        changed("a file");
        fs::write(at("secret"), "longer").unwrap();
        changed("a file of a Secret");
        fs::rename(at("two"), at("three")).unwrap();
        changed("it is away again");
        fs::rename(at("one"), at("two")).unwrap();
        changed("another folder by its name");
        fs::write(at("two/notes.txt"), "").unwrap();
        assert_eq!(stamp(), last, "what does not count");
        fs::remove_dir_all(&place).unwrap();
    }
}
