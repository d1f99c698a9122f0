//! Who may do what in the sample, as the compiled schema has it: one paragraph per role and table, one line per verb,
//! in `config/samples/record-shop/access.txt`. `UPDATE_GOLDEN=1` writes that file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use compile::{LastAccepted, Object, Snapshot, compile};
use embedded::test::TestDatabase;
use metadata::Document;
use schema::CatalogState;
use schema::access::Preset;
use schema::catalog::Catalog;
use schema::model::{ColumnId, Model, Options, PredicateId, RelationshipId, Table};
use schema::operator::Operator;
use schema::predicate::{Comparison, Operand, Predicate};

fn sample() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/samples/record-shop")
}

/// The custom resources as one document.
fn document() -> Document {
    let mut objects = Vec::new();
    for entry in fs::read_dir(sample().join("resources")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("\n---\n") {
            let value = metadata::directory::read_yaml(&path.to_string_lossy(), part).unwrap();
            objects.push(Object::from_json(&value, "default").unwrap());
        }
    }
    compile(&Snapshot::new(objects), &LastAccepted::default()).document
}

/// The sample's tables.
fn catalog() -> Catalog {
    let database = TestDatabase::create("access");
    let primary = pg::Member {
        label: "sample".to_owned(),
        target: pg::Target::parse(&database.url()).unwrap(),
        pool: pg::PoolSettings::default(),
        isolation_level: pg::IsolationLevel::ReadCommitted,
        use_prepared_statements: true,
    };
    let tables = fs::read_to_string(sample().join("schema.sql")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let source = pg::Source::connect(pg::SourceConfig {
            name: "sample".to_owned(),
            primary,
            replicas: Vec::new(),
            connection_set: Vec::new(),
        });
        let mut run = source.run_sql(pg::RunSqlMode::NoTransaction).await.unwrap();
        run.execute(&tables).await.unwrap();
        run.commit().await.unwrap();
        source.introspect().await.unwrap()
    })
}

#[test]
fn the_access_matrix_of_the_sample() {
    let document = document();
    let catalog = Arc::new(catalog());
    let state = || CatalogState {
        catalog: Arc::clone(&catalog),
        enum_values: BTreeMap::new(),
    };
    let catalogs = document
        .sources
        .keys()
        .map(|name| (name.clone(), state()))
        .collect();
    let (model, problems) = schema::build(&document, &catalogs, &Options::default(), None);
    assert!(problems.is_empty(), "{problems:?}");
    let text = matrix(&model);
    let path = sample().join("access.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    let different = text.lines().zip(stored.lines()).find(|(new, old)| new != old);
    assert!(
        text == stored,
        "access.txt is stale, first in {different:?}; UPDATE_GOLDEN=1 writes it anew"
    );
}

fn matrix(model: &Model) -> String {
    let mut text = "# Who may do what: role, table, then each verb with columns, presets and rules. `admin` may do everything;\n\
         # what is not here is refused. Written by a test from the compiled schema.\n"
        .to_owned();
    let mut roles: Vec<_> = model
        .roles
        .iter()
        .filter(|(name, _)| name.as_ref() != "admin")
        .collect();
    roles.sort_by_key(|(name, _)| (*name).clone());
    for (name, role) in roles {
        for table in model.sources.iter().flat_map(|source| source.tables.iter()) {
            let Some(access) = role.tables.get(&table.id) else {
                continue;
            };
            let mut lines = Vec::new();
            if let Some(select) = &access.select {
                let mut columns = Vec::new();
                for id in select.columns.iter() {
                    let redacted = select.redacted_columns.iter().find(|(other, _)| *other == id);
                    let when = redacted.map(|(_, rule)| format!(" if {}", rule_of(model, table, *rule)));
                    columns.push(format!("{}{}", column(table, id), when.unwrap_or_default()));
                }
                for id in &select.computed_fields {
                    columns.push(format!("{}()", table.computed_fields[usize::from(id.0)].field));
                }
                let limit = select.limit.map(|limit| format!(" limit {limit}"));
                let aggregates = if select.aggregations {
                    " and aggregates"
                } else {
                    ""
                };
                lines.push(format!(
                    "select ({}){aggregates} where {}{}",
                    columns.join(", "),
                    rule_of(model, table, select.filter),
                    limit.unwrap_or_default()
                ));
            }
            let backend = |only: bool| if only { " for backends only" } else { "" };
            if let Some(insert) = &access.insert {
                lines.push(format!(
                    "insert {} check {}{}",
                    written(table, insert.columns.iter(), &insert.presets),
                    rule_of(model, table, insert.check),
                    backend(insert.backend_only)
                ));
            }
            if let Some(update) = &access.update {
                lines.push(format!(
                    "update {} where {} check {}{}",
                    written(table, update.columns.iter(), &update.presets),
                    rule_of(model, table, update.filter),
                    update
                        .check
                        .map_or("true".to_owned(), |check| rule_of(model, table, check)),
                    backend(update.backend_only)
                ));
            }
            if let Some(delete) = &access.delete {
                lines.push(format!(
                    "delete where {}{}",
                    rule_of(model, table, delete.filter),
                    backend(delete.backend_only)
                ));
            }
            text.push_str(&format!("\n{name} {}\n", table.name.name));
            for line in lines {
                text.push_str(&format!("  {line}\n"));
            }
        }
    }
    text
}

/// `(a, b = x-hasura-…)`
fn written(table: &Table, columns: impl Iterator<Item = ColumnId>, presets: &[(ColumnId, Preset)]) -> String {
    let mut all: Vec<String> = columns.map(|id| column(table, id).to_owned()).collect();
    all.extend(presets.iter().map(|(id, preset)| {
        let value = match preset {
            Preset::Literal(value) => value.to_string(),
            Preset::Session(name) => name.to_string(),
        };
        format!("{} = {value}", column(table, *id))
    }));
    format!("({})", all.join(", "))
}

fn column(table: &Table, id: ColumnId) -> &str {
    &table.column(id).unwrap().name
}

fn rule_of(model: &Model, table: &Table, id: PredicateId) -> String {
    rule(model, table, model.predicate(id).unwrap())
}

fn rule(model: &Model, table: &Table, predicate: &Predicate) -> String {
    let all = |each: &[Predicate], word: &str, none: &str| {
        let each: Vec<String> = each.iter().map(|one| rule(model, table, one)).collect();
        match each.as_slice() {
            [] => none.to_owned(),
            [one] => one.clone(),
            many => format!("({})", many.join(word)),
        }
    };
    let related = |id: &RelationshipId| {
        let relationship = table.relationship(*id).unwrap();
        (&relationship.field, model.table(relationship.target).unwrap())
    };
    match predicate {
        Predicate::And(each) => all(each, " and ", "true"),
        Predicate::Or(each) => all(each, " or ", "false"),
        Predicate::Not(inner) => format!("not {}", rule(model, table, inner)),
        Predicate::Column(id, comparison) => compared(column(table, *id), comparison),
        Predicate::Relationship(id, inner) => {
            let (name, target) = related(id);
            format!("{name}[{}]", rule(model, target, inner))
        }
        Predicate::Exists(id, inner) => {
            let target = model.table(*id).unwrap();
            format!("exists {}[{}]", target.name.name, rule(model, target, inner))
        }
        other => format!("{other:?}"),
    }
}

fn compared(left: &str, comparison: &Comparison) -> String {
    let operand = match &comparison.operand {
        Operand::Literal(value) => value.to_string(),
        Operand::Session(name) => name.to_string(),
        other => format!("{other:?}"),
    };
    match comparison.operator {
        Operator::Equal => format!("{left} = {operand}"),
        operator => format!("{left} {operator:?} {operand}"),
    }
}
