//! The sample that the program carries: a record shop. Its SQL is run once, its custom resources are written out to be edited.

use std::fs;
use std::path::{Path, PathBuf};

use pg::{IsolationLevel, Member, PoolSettings, RunSqlMode, Source, SourceConfig, SqlResult, Target};

use super::Error;

macro_rules! sample {
    ($($path:literal),*) => {
        include_str!(concat!("../../../../config/samples/record-shop/", $($path),*))
    };
}

macro_rules! resources {
    ($($path:literal),* $(,)?) => {
        &[$(($path, sample!("resources/", $path))),*]
    };
}

/// The SQL, in order.
const SQL: &[(&str, &str)] = &[
    ("schema.sql", sample!("schema.sql")),
    ("data.sql", sample!("data.sql")),
];

/// Whether the sample's tables are missing.
const IS_EMPTY: &str = include_str!("is_empty.sql");

/// The custom resources, file by file.
const RESOURCES: &[(&str, &str)] = resources![
    "engine.yaml",
    "album.yaml",
    "artist.yaml",
    "customer.yaml",
    "genre.yaml",
    "purchase-line.yaml",
    "purchase.yaml",
    "review.yaml",
    "search-tracks.yaml",
    "source.yaml",
    "track.yaml",
];

/// The first of them is written last: it says that the rest is there.
const LAST: &str = "engine.yaml";

/// In a checkout the sample's own files are served, so that they can be worked on.
const IN_CHECKOUT: &str = "config/samples/record-shop/resources";

/// Fills the database unless it has the sample; whether it did. All of it or nothing.
pub(super) async fn load(url: &str) -> Result<bool, Error> {
    let source = Source::connect(SourceConfig {
        name: "sample".to_owned(),
        primary: Member {
            label: "sample".to_owned(),
            target: Target::parse(url).map_err(Error::Target)?,
            pool: PoolSettings {
                max_connections: 1,
                ..PoolSettings::default()
            },
            isolation_level: IsolationLevel::default(),
            use_prepared_statements: false,
        },
        replicas: Vec::new(),
        connection_set: Vec::new(),
    });
    let failed = |file: &'static str| move |source: pg::Error| Error::Sample { file, source };
    let mut run = source
        .run_sql(RunSqlMode::Transaction)
        .await
        .map_err(failed("is_empty.sql"))?;
    let answer = run.execute(IS_EMPTY).await.map_err(failed("is_empty.sql"))?;
    if !says_true(&answer) {
        return Ok(false);
    }
    for (file, text) in SQL {
        run.execute(text).await.map_err(failed(file))?;
    }
    run.commit().await.map_err(failed("data.sql"))?;
    Ok(true)
}

fn says_true(answer: &SqlResult) -> bool {
    matches!(answer, SqlResult::TuplesOk(rows) if rows.get(1).and_then(|row| row.first()).is_some_and(|cell| cell == "t"))
}

/// The folder to serve: the checkout's, or one below `data`, written at the first start and the user's to
/// edit from then on.
pub(super) fn directory(data: &Path) -> Result<PathBuf, Error> {
    let checkout = Path::new(IN_CHECKOUT);
    if checkout.join(LAST).is_file() {
        return Ok(checkout.to_owned());
    }
    let directory = data.join("resources");
    if !directory.join(LAST).exists() {
        write(&directory)?;
    }
    Ok(directory)
}

fn write(directory: &Path) -> Result<(), Error> {
    for (name, text) in RESOURCES.iter().rev() {
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        let failed = |action| {
            let path = path.clone();
            move |source| Error::File { action, path, source }
        };
        fs::create_dir_all(parent).map_err(failed("create"))?;
        fs::write(&path, text).map_err(failed("write"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files_below(directory: &Path, prefix: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                found.extend(files_below(&entry.path(), &format!("{name}/")));
            } else {
                found.push(name);
            }
        }
        found
    }

    #[test]
    fn the_program_carries_every_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(IN_CHECKOUT);
        let mut there = files_below(&root, "");
        let mut here: Vec<_> = RESOURCES.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        here.sort();
        assert_eq!(here, there);
    }

    #[test]
    fn the_resources_are_a_document() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(IN_CHECKOUT);
        let loaded = crate::directory::load(&root, &Default::default(), &Default::default()).unwrap();
        let contents = loaded.contents(&compile::LastAccepted::nothing(), &Default::default());
        assert_eq!(contents.document.sources["default"].tables.len(), 8);
        // Who may ask is a matter of the cluster, and the Secret with the database is not among the files; nothing else is
        // to be told.
        let [settings, secret] = contents.findings.as_slice() else {
            panic!("{:?}", contents.findings)
        };
        assert!(settings.message.starts_with("spec.auth: "), "{settings:?}");
        assert!(
            secret.message.contains("default/record-shop-database"),
            "{secret:?}"
        );
    }

    #[test]
    fn what_a_person_edited_is_kept() {
        let data = std::env::temp_dir().join(format!("rowlock-sample-{}", std::process::id()));
        let written = directory(&data).unwrap();
        let edited = written.join("album.yaml");
        fs::write(&edited, "[]").unwrap();
        let again = directory(&data).unwrap();
        let text = fs::read_to_string(again.join("album.yaml")).unwrap();
        fs::remove_dir_all(&data).unwrap();
        assert_eq!(text, "[]");
    }
}
