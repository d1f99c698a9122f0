//! What is read from folders, and what is told of them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::generation::Generation;
use schema::model::Options;

fn read(folder: &Path, wanted: &Wanted, last: &LastAccepted) -> Result<Contents, String> {
    load(folder, wanted, &Readable::new()).map(|loaded| loaded.contents(last, &Held::default()))
}

/// A folder with these files; it goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("rowlock-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let made = Self(folder);
        for (file, text) in files {
            made.write(file, text);
        }
        made
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self) -> Contents {
        self.read_after(&LastAccepted::nothing())
    }

    fn read_after(&self, last: &LastAccepted) -> Contents {
        read(&self.0, &Wanted::default(), last).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SOURCE: &str = "\
# The database.
---
apiVersion: rowlock.dev/v1alpha1
kind: Source
metadata:
  name: main
spec:
  name: default
  connection:
    urlFrom: {secretKeyRef: {name: database, key: uri}}
---
apiVersion: v1
kind: Secret
metadata:
  name: database
stringData:
  uri: postgresql://canary@h/d
";

const TABLE: &str = "\
apiVersion: rowlock.dev/v1alpha1
kind: Table
metadata:
  name: album
spec:
  sourceRef: {name: main}
  table: {name: album}
---

apiVersion: rowlock.dev/v1alpha1
kind: Permission
metadata:
  name: album-visitor
spec:
  tableRef: {name: album}
  role: visitor
  select: {columns: [id], filter: {}}
";

#[test]
fn resources_and_secrets_become_a_document_and_variables() {
    let folder = Folder::new("good", &[("source.yaml", SOURCE), ("tables/album.yaml", TABLE)]);
    let contents = folder.read();
    assert_eq!(contents.findings, []);
    assert_eq!(contents.document.sources["default"].tables.len(), 1);
    let [(variable, value)] = contents
        .variables
        .into_iter()
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(value, "postgresql://canary@h/d");
    assert!(delivery::secret::is_reference(&variable));
    assert!(!contents.document.to_text().contains("canary"));
    assert_eq!(contents.provenance.published().len(), 3);
}

#[test]
fn findings_say_where_and_why() {
    let folder = Folder::new(
        "bad",
        &[
            ("source.yaml", SOURCE),
            (
                "tables/album.yaml",
                &TABLE.replace("columns: [id]", "column: [id]"),
            ),
            ("broken.yaml", "a: [\n"),
            (
                "other.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n",
            ),
            ("twice.yaml", TABLE.split("---").next().unwrap()),
            (
                "kind.yaml",
                "apiVersion: rowlock.dev/v1alpha1\nkind: Tabel\nmetadata: {name: x}\n",
            ),
            ("nothing.yaml", "# nothing\n"),
        ],
    );
    let contents = folder.read();
    let page = page("f", contents.places.len(), &contents.findings);
    for line in [
        "f/tables/album.yaml:10  Permission default/album-visitor\n    Invalid: spec.select",
        "unknown field `column`",
        "f/broken.yaml:1\n",
        "f/twice.yaml:1\n    Table default/album stands at tables/album.yaml:1 already\n",
        "f/kind.yaml:1\n    kind \"Tabel\" does not exist in rowlock.dev/v1alpha1\n",
        "it is left out\n",
        "f: 3 objects, 4 things to look at\n",
    ] {
        // The duplicate may be either of the two, whichever file is read first.
        let other = line
            .replace("f/twice.yaml:1", "f/tables/album.yaml:1")
            .replace("tables/album.yaml:1 already", "twice.yaml:1 already");
        assert!(
            page.contains(line) || page.contains(&other),
            "{line:?} is not in\n{page}"
        );
    }
}

#[test]
fn a_bad_edit_leaves_the_last_good_form() {
    let folder = Folder::new("edit", &[("source.yaml", SOURCE), ("album.yaml", TABLE)]);
    let before = folder.read();
    folder.write("album.yaml", &TABLE.replace("filter: {}", "filter: []"));
    let last = LastAccepted::read(&before.document, &before.provenance.published());
    let after = folder.read_after(&last);
    assert_eq!(after.document, before.document);
    assert_eq!(
        after.findings[0].meanwhile.as_deref(),
        Some("its last good form goes on being served")
    );
}

/// What it may stand for is not left out in silence.
#[test]
fn a_link_that_is_not_followed_is_told() {
    let folder = Folder::new("links", &[("source.yaml", SOURCE)]);
    std::os::unix::fs::symlink("nowhere", folder.0.join("base")).unwrap();
    let contents = folder.read();
    assert_eq!(contents.provenance.published().len(), 1);
    let page = page("f", contents.places.len(), &contents.findings);
    assert!(
        page.starts_with("f/base:1\n    this link leads nowhere\n"),
        "{page}"
    );
}

/// The option that is proposed is the one that helps.
#[test]
fn a_missing_secret_of_another_namespace_is_told_with_it() {
    let source = SOURCE.split("---\napiVersion: v1").next().unwrap();
    let source = source.replace("  name: main\n", "  name: main\n  namespace: shop\n");
    let folder = Folder::new("namespaced-secret", &[("source.yaml", &source)]);
    let message = &folder.read().findings[0].message;
    assert!(message.contains("--secret shop/database=FILE"), "{message}");
}

#[test]
fn a_missing_secret_is_told_and_a_file_gives_it() {
    let source = SOURCE.split("---\napiVersion: v1").next().unwrap();
    let folder = Folder::new("secret", &[("source.yaml", source)]);
    let contents = folder.read();
    assert_eq!(contents.variables.len(), 0);
    assert!(
        contents.findings[0].message.contains("--secret database=FILE"),
        "{:?}",
        contents.findings
    );
    let file = folder.0.join("database.env");
    for text in [
        "# a comment\nuri=postgresql://h/d?x=y\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: z}\nstringData: {uri: 'postgresql://h/d?x=y'}\n",
    ] {
        fs::write(&file, text).unwrap();
        let wanted = Wanted {
            secrets: vec![SecretFile {
                name: "database".to_owned(),
                file: file.clone(),
            }],
            ..Wanted::default()
        };
        let contents = read(&folder.0, &wanted, &LastAccepted::nothing()).unwrap();
        assert_eq!(contents.findings, []);
        assert_eq!(
            contents.variables.into_values().collect::<Vec<_>>(),
            ["postgresql://h/d?x=y"]
        );
    }
}

/// One key that nobody refers to takes nothing from the others, in a manifest beside the objects as in a named file.
#[test]
fn a_key_that_is_no_text_is_told_where_it_is_referred_to() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: database}\n\
                  data: {uri: cG9zdGdyZXNxbDovL2gvZA==, keystore.p12: //4=}\n";
    let source = SOURCE.split("---\napiVersion: v1").next().unwrap();
    let other = source.replace("key: uri", "key: keystore.p12");
    let folder = Folder::new("bytes", &[("secret.yaml", secret), ("source.yaml", source)]);
    let wanted = Wanted {
        secrets: vec![SecretFile {
            name: "database".to_owned(),
            file: folder.0.join("secret.yaml"),
        }],
        ..Wanted::default()
    };
    for wanted in [Wanted::default(), wanted] {
        folder.write("source.yaml", source);
        let contents = read(&folder.0, &wanted, &LastAccepted::nothing()).unwrap();
        assert_eq!(contents.findings, []);
        let values: Vec<String> = contents.variables.into_values().collect();
        assert_eq!(values, ["postgresql://h/d"]);
        folder.write("source.yaml", &other);
        let contents = read(&folder.0, &wanted, &LastAccepted::nothing()).unwrap();
        assert!(contents.variables.is_empty());
        let [finding] = contents.findings.as_slice() else {
            panic!("{:?}", contents.findings)
        };
        let message = "the key keystore.p12 of the Secret default/database is not a text in UTF-8; ";
        assert!(finding.message.starts_with(message), "{finding:?}");
    }
}

#[test]
fn one_engine_is_served() {
    let engine = |name: &str, label: &str| {
        format!(
            "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {{name: {name}}}\n\
             spec: {{objectSelector: {{matchLabels: {{app: {label}}}}}}}\n"
        )
    };
    let labelled = SOURCE.replace("  name: main\n", "  name: main\n  labels: {app: one}\n");
    let folder = Folder::new(
        "engines",
        &[("a.yaml", &engine("one", "one")), ("source.yaml", &labelled)],
    );
    let contents = folder.read();
    assert_eq!(contents.document.sources.len(), 1);
    assert_eq!(contents.findings, []);
    folder.write("b.yaml", &engine("two", "two"));
    let error = read(&folder.0, &Wanted::default(), &LastAccepted::nothing()).unwrap_err();
    assert!(
        error.contains("--engine") && error.contains("default/one, default/two"),
        "{error}"
    );
    let wanted = Wanted {
        engine: Some("two".to_owned()),
        ..Wanted::default()
    };
    let contents = read(&folder.0, &wanted, &LastAccepted::nothing()).unwrap();
    assert_eq!(contents.document.sources.len(), 0);
    // The source is the other one's, and the other one is not this one's.
    assert_eq!(contents.findings, []);
}

/// In a cluster the API server refuses it.
#[test]
fn a_grant_that_cannot_be_read_is_told() {
    let grant = "apiVersion: rowlock.dev/v1alpha1\nkind: ReferenceGrant\nmetadata: {name: shop}\n\
                 spec: {from: [{kind: Tabel, namespace: x}], to: [{kind: Source}]}\n";
    let folder = Folder::new("grant", &[("grant.yaml", grant)]);
    let contents = folder.read();
    let page = page("f", contents.places.len(), &contents.findings);
    assert!(
        page.contains("ReferenceGrant default/shop\n    Invalid: spec.from[0].kind: \"Tabel\" is not one of Engine, Source, "),
        "{page}"
    );
    assert!(page.contains("\n    it grants nothing of that\n"), "{page}");
    folder.write("grant.yaml", &grant.replace("Tabel", "Table"));
    assert_eq!(folder.read().findings, []);
}

/// A name alone is enough where no other namespace has it.
#[test]
fn engines_of_one_name_are_told_apart_by_namespace() {
    let engine = |namespace: &str| {
        format!(
            "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {{name: shop, namespace: {namespace}}}\n"
        )
    };
    let labelled = SOURCE.replace("  name: main\n", "  name: main\n  namespace: live\n");
    let files = [
        ("a.yaml", engine("live")),
        ("b.yaml", engine("try")),
        ("source.yaml", labelled),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, &**text)).collect();
    let folder = Folder::new("namesakes", &files);
    let of = |name: &str| {
        let wanted = Wanted {
            engine: Some(name.to_owned()),
            ..Wanted::default()
        };
        read(&folder.0, &wanted, &LastAccepted::nothing())
    };
    assert_eq!(of("live/shop").unwrap().document.sources.len(), 1);
    assert_eq!(of("try/shop").unwrap().document.sources.len(), 0);
    let both = "live/shop, try/shop";
    for (name, begin) in [
        ("shop", "there are several Engines \"shop\" ("),
        ("other/shop", "there is no Engine \"other/shop\", only "),
        ("other", "there is no Engine \"other\", only "),
    ] {
        let error = of(name).unwrap_err();
        assert!(error.starts_with(begin) && error.contains(both), "{error}");
    }
}

/// What nobody serves is told, as the status of the object tells it in a cluster; what need not be selected is not.
#[test]
fn what_no_engine_selects_is_told() {
    let engine = "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: shop}\n\
                  spec: {objectSelector: {matchLabels: {app: shop}}}\n";
    let grant = "apiVersion: rowlock.dev/v1alpha1\nkind: ReferenceGrant\nmetadata: {name: shop}\n\
                 spec: {from: [{kind: Engine, namespace: x}], to: [{kind: Source}]}\n";
    let folder = Folder::new(
        "unselected",
        &[
            ("engine.yaml", engine),
            ("grant.yaml", grant),
            ("source.yaml", SOURCE),
        ],
    );
    let told = |contents: &Contents| {
        let [finding] = contents.findings.as_slice() else {
            panic!("{:?}", contents.findings)
        };
        assert!(finding.message.starts_with("NotSelected: "), "{finding:?}");
        page("f", contents.places.len(), &contents.findings)
    };
    let contents = folder.read();
    assert_eq!(contents.document.sources.len(), 0);
    let page = told(&contents);
    assert!(
        page.starts_with("f/source.yaml:3  Source default/main\n    NotSelected: "),
        "{page}"
    );
    assert!(
        page.ends_with("    it is left out\nf: 3 objects, 1 thing to look at\n"),
        "{page}"
    );
    // Labels are not enough in another namespace.
    let elsewhere = "  name: main\n  namespace: other\n  labels: {app: shop}\n";
    folder.write("source.yaml", &SOURCE.replace("  name: main\n", elsewhere));
    let page = told(&folder.read());
    assert!(page.contains("Source other/main\n"), "{page}");
    // With several engines too, where neither selects it.
    folder.write("more.yaml", &engine.replace("name: shop", "name: more"));
    let wanted = Wanted {
        engine: Some("more".to_owned()),
        ..Wanted::default()
    };
    told(&read(&folder.0, &wanted, &LastAccepted::nothing()).unwrap());
}

/// Every namespace of a cluster has a label with its name, so every one of a folder has it too.
#[test]
fn namespaces_are_selected_by_name_without_a_manifest() {
    let engine = "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: shop}\n\
                  spec: {namespaceSelector: {matchExpressions: [\
                  {key: kubernetes.io/metadata.name, operator: In, values: [default]}]}}\n";
    let folder = Folder::new("named", &[("engine.yaml", engine), ("source.yaml", SOURCE)]);
    assert_eq!(folder.read().document.sources.len(), 1);
    let declared = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {team: shop}}\n";
    folder.write("namespace.yaml", declared);
    assert_eq!(folder.read().document.sources.len(), 1);
    folder.write("engine.yaml", &engine.replace("[default]", "[other]"));
    let contents = folder.read();
    assert_eq!(contents.document.sources.len(), 0);
    assert_eq!(contents.findings.len(), 1, "{:?}", contents.findings);
}

#[test]
fn settings_of_an_engine_are_not_passed_over_in_silence() {
    let engine = "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: shop}\n\
                  spec: {replicas: 2, apis: [GraphQL], env: [{name: A, value: b}]}\n";
    let folder = Folder::new("settings", &[("engine.yaml", engine)]);
    let findings = folder.read().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].object.as_deref(), Some("Engine default/shop"));
    assert!(
        findings[0].message.starts_with("spec.apis, spec.env: "),
        "{findings:?}"
    );
}

#[test]
fn a_hasura_directory_is_read_as_such() {
    let folder = Folder::new(
        "hasura",
        &[
            ("version.yaml", "version: 3\n"),
            (
                "databases/databases.yaml",
                "- name: default\n  kind: postgres\n  configuration: {connection_info: {database_url: x}}\n  tables: \"!include tables.yaml\"\n",
            ),
            (
                "databases/tables.yaml",
                "- table: {schema: public, name: album}\n",
            ),
        ],
    );
    assert!(is_of_hasura(&folder.0));
    let contents = folder.read();
    assert_eq!(contents.document.sources["default"].tables.len(), 1);
    assert_eq!(contents.findings, []);
    // A limit that has no effect is not left out in silence.
    folder.write(
        "databases/tables.yaml",
        "- table: {schema: public, name: album}\n  select_permissions:\n  \
         - {role: visitor, permission: {columns: [id], filter: {}, limt: 10}}\n",
    );
    let page = page("shop", 0, &folder.read().findings);
    assert_eq!(
        page,
        "$.sources[0].tables[0].select_permissions[0].permission.limt\n    \
         unknown key \"limt\" has no effect\nshop: 0 objects, 1 thing to look at\n"
    );
}

/// What the engine leaves out is told with a reason, also what it does not serve yet, but not twice.
#[test]
fn what_a_generation_leaves_out_is_told() {
    let action = "\
apiVersion: rowlock.dev/v1alpha1
kind: CronTrigger
metadata: {name: nightly}
spec: {name: nightly, webhook: \"http://x\", schedule: \"0 0 * * *\"}
";
    let folder = Folder::new("left-out", &[("source.yaml", SOURCE), ("nightly.yaml", action)]);
    let mut contents = folder.read();
    let document = Arc::new(contents.document.clone());
    let provenance = Arc::new(contents.provenance.clone());
    let generation =
        Generation::build(document, BTreeMap::new(), &Options::default(), None, 0).made_of(provenance);
    let told = |contents: &Contents| -> Vec<String> {
        let findings = of_generation(&generation, contents).into_iter();
        findings.map(|finding| finding.message).collect()
    };
    let away = "Refused: spec: the database cannot be reached, and was never introspected";
    assert_eq!(told(&contents), [away]);
    assert!(
        contents
            .findings
            .iter()
            .any(|finding| finding.message.starts_with("NotSupported: "))
    );
    contents.unsupported.clear();
    let mut all = told(&contents);
    all.sort();
    assert_eq!(
        all,
        ["NotSupported: spec: cron triggers are not supported yet", away]
    );
}

/// It is not served if the engine leaves it out.
#[test]
fn a_last_form_that_does_not_fit_is_not_said_to_be_served() {
    let finding = |object: &str, meanwhile: &str| Finding {
        place: None,
        object: Some(object.to_owned()),
        message: String::new(),
        meanwhile: Some(meanwhile.to_owned()),
        variable: None,
    };
    let last = "its last good form goes on being served";
    let mut findings = [finding("a", last), finding("b", last)];
    without_last_forms(&mut findings, &[finding("a", "it is left out")]);
    assert_eq!(findings[0].meanwhile, None);
    assert_eq!(findings[1].meanwhile.as_deref(), Some(last));
}

/// Files that come from a cluster have the ages that objects have there.
#[test]
fn ages_in_files_count() {
    let table = |name: &str, day: u8| {
        let aged = format!("  name: {name}\n  creationTimestamp: \"2026-01-{day:02}T00:00:00Z\"\n");
        let table = TABLE.split("---").next().unwrap();
        table
            .replace("  name: album\n", &aged)
            .replace("{name: album}", &format!("{{name: {name}}}"))
    };
    let folder = Folder::new(
        "ages",
        &[
            ("source.yaml", SOURCE),
            ("a.yaml", &table("a", 2)),
            ("b.yaml", &table("b", 1)),
        ],
    );
    let seniority = folder.read().document.seniority;
    let rank = |name: &str| {
        let name = metadata::QualifiedName::new("public", name);
        seniority.rank(&metadata::MetadataObjectId::table("default", name))
    };
    assert!(rank("b") < rank("a"), "{seniority:?}");
    let folder = Folder::new(
        "no-ages",
        &[("source.yaml", SOURCE), ("tables/album.yaml", TABLE)],
    );
    assert!(folder.read().document.seniority.is_empty());
}

/// A slip of the pen deletes nothing: in a cluster what was applied last goes on.
#[test]
fn a_file_that_cannot_be_read_counts_as_it_was() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {url: postgres://db/d}\n";
    let folder = Folder::new("slip", &[("source.yaml", SOURCE), ("secret.yaml", secret)]);
    let mut readable = Readable::new();
    let mut read = || {
        let loaded = load(&folder.0, &Wanted::default(), &readable).unwrap();
        readable.clone_from(loaded.readable());
        loaded.contents(&LastAccepted::nothing(), &Held::default())
    };
    let first = read();
    assert_eq!(first.findings, []);
    for (file, text) in [("source.yaml", SOURCE), ("secret.yaml", secret)] {
        for slip in [
            format!("\t{text}"),
            text.replace("\nkind: ", "\nkint: "),
            format!("{text}\n---\n: [\n"),
        ] {
            folder.write(file, &slip);
            for time in ["at first", "as long as it is there"] {
                let contents = read();
                assert_eq!(contents.document, first.document, "{file} {time}: {slip}");
                assert_eq!(contents.variables, first.variables, "{file} {time}: {slip}");
                let page = page("f", contents.places.len(), &contents.findings);
                assert!(
                    page.contains("\n    the file counts as it was before\n"),
                    "{page}"
                );
            }
            folder.write(file, text);
            assert_eq!(read().findings, []);
        }
    }
    folder.write("source.yaml", "kind: [\n");
    assert_eq!(read().document, first.document);
    fs::remove_file(folder.0.join("source.yaml")).unwrap();
    assert_eq!(
        read().document,
        Document::default(),
        "who deletes a file means it"
    );
    folder.write("source.yaml", "kind: [\n");
    let contents = read();
    assert_eq!(contents.document, Document::default());
    assert!(
        contents
            .findings
            .iter()
            .all(|finding| finding.meanwhile.is_none())
    );
}
