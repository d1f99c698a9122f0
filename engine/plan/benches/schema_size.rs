//! What a plan-cache hit and a miss cost with few tables and with many: allocations, bytes, time.
//!
//! ```sh
//! cargo bench -p plan --bench schema_size
//! ```
//!
//! Fails if a hit allocates more with many tables than with few, or if a miss takes twice as long.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot go on must fail"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::cache::Key;
use plan::{PlanCache, Request, Session, View};
use schema::catalog::{
    Catalog, Column, ForeignKey, Generated, Key as Constraint, Mutability, QualifiedName, Table, TableKind,
    Type, TypeKind,
};
use schema::model::{Model, Options};
use schema::{CatalogState, RoleView};
use serde_json::{Map, Value, json};

/// Sizes of the schema.
const TABLES: [usize; 3] = [50, 600, 5_000];
/// Roles of each.
const ROLES: usize = 11;
/// Hits and misses in one batch.
const BATCH: [u32; 2] = [20_000, 400];
/// Batches, of which the median counts.
const BATCHES: usize = 11;

const COLUMNS: [(&str, &str); 6] = [
    ("id", "int4"),
    ("parent_id", "int4"),
    ("owner_id", "int4"),
    ("a", "text"),
    ("d", "numeric"),
    ("g", "jsonb"),
];

fn type_(name: &str) -> Type {
    Type {
        schema: "pg_catalog".to_owned(),
        name: name.to_owned(),
        oid: 0,
        kind: TypeKind::Base,
    }
}

fn name(number: usize) -> String {
    format!("t{number:04}")
}

fn qualified(number: usize) -> QualifiedName {
    QualifiedName {
        schema: "public".to_owned(),
        name: name(number),
    }
}

fn table(number: usize) -> Table {
    let key = |name: &str| Constraint {
        name: name.to_owned(),
        columns: vec!["id".to_owned()],
    };
    Table {
        name: qualified(number),
        oid: u32::try_from(number).expect("a small number"),
        kind: TableKind::Table,
        comment: None,
        columns: COLUMNS
            .iter()
            .zip(1i16..)
            .map(|((name, kind), position)| Column {
                name: (*name).to_owned(),
                position,
                type_: type_(kind),
                nullable: position > 1,
                has_default: false,
                generated: Generated::No,
                comment: None,
            })
            .collect(),
        primary_key: Some(key("key")),
        unique_constraints: Vec::new(),
        foreign_keys: vec![ForeignKey {
            name: "parent".to_owned(),
            target: qualified(number / 3),
            columns: vec![("parent_id".to_owned(), "id".to_owned())],
        }],
        mutability: Mutability {
            insertable: true,
            updatable: true,
            deletable: true,
        },
        is_partition: false,
        inserts_are_plain: true,
    }
}

fn metadata(tables: usize) -> Value {
    let columns: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let entries: Vec<Value> = (0..tables)
        .map(|number| {
            let permissions: Vec<Value> = (0..ROLES)
                .map(|role| {
                    json!({"role": format!("role{role}"), "permission": {
                        "columns": columns, "filter": {"owner_id": {"_eq": "X-Hasura-User-Id"}},
                    }})
                })
                .collect();
            json!({
                "table": {"schema": "public", "name": name(number)},
                "object_relationships": [{"name": "parent", "using": {"foreign_key_constraint_on": "parent_id"}}],
                "select_permissions": permissions,
            })
        })
        .collect();
    let configuration = json!({"connection_info": {"database_url": "postgresql://localhost"}});
    json!({"version": 3, "sources": [
        {"name": "default", "kind": "postgres", "tables": entries, "configuration": configuration},
    ]})
}

fn model(tables: usize) -> Arc<Model> {
    let (document, _) = metadata::Document::parse(&metadata(tables)).expect("a document");
    let state = CatalogState {
        catalog: Arc::new(Catalog {
            server_version: 150_000,
            tables: (0..tables).map(table).collect(),
            ..Catalog::default()
        }),
        ..CatalogState::default()
    };
    let catalogs = [("default".to_owned(), state)].into_iter().collect();
    let (model, problems) = schema::build(&document, &catalogs, &Options::default(), None);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(model)
}

/// One model, and an operation on it.
struct Case {
    model: Arc<Model>,
    text: String,
    variables: Map<String, Value>,
    session: Session,
}

impl Case {
    fn new(tables: usize) -> Self {
        let at = name(tables / 2);
        let text = format!(
            "query ($id: Int!, $a: String!) {{ {at}_by_pk(id: $id) {{ id a parent {{ id d }} }} \
             {at}(where: {{a: {{_eq: $a}}, parent: {{d: {{_gt: 1}}}}}}, order_by: {{parent: {{a: asc}}}}, limit: 9) \
             {{ id g }} }}"
        );
        let Value::Object(variables) = json!({"id": 1, "a": "x"}) else {
            panic!("an object")
        };
        Self {
            model: model(tables),
            text,
            variables,
            session: Session {
                role: "role3".into(),
                variables: vec![
                    ("x-hasura-role".into(), "role3".into()),
                    ("x-hasura-user-id".into(), "1".into()),
                ],
                backend: false,
            },
        }
    }

    fn key(&self) -> Key<'_> {
        Key {
            endpoint: "v1",
            role: &self.session.role,
            backend: false,
            text: &self.text,
            operation_name: None,
        }
    }

    /// As a request does with an operation that is not known.
    fn miss(&self, cache: &PlanCache) {
        let found = cache.get(&self.key(), &self.model, &self.variables);
        assert!(found.is_none(), "the cache holds nothing");
        let view = RoleView::new(Arc::clone(&self.model), &self.session.role, false);
        let request = Request {
            text: &self.text,
            operation_name: None,
            variables: &self.variables,
            limits: &graphql::Limits::default(),
            options: &graphql::Options::default(),
        };
        let plan = plan::plan(&View::of(&view), &request).expect("a plan");
        black_box(plan.bind(&self.variables, &self.session)).expect("values");
        cache.insert(&self.key(), Arc::new(plan));
    }

    /// As a request does with one that is.
    fn hit(&self, cache: &PlanCache) {
        let plan = cache.get(&self.key(), &self.model, &self.variables);
        let plan = plan.expect("a plan that is known");
        black_box(plan.bind(&self.variables, &self.session)).expect("values");
    }
}

/// Allocations, bytes, and the median time of one run.
fn measured(batch: u32, mut run: impl FnMut()) -> (u64, u64, Duration) {
    run();
    let taken = allocation_counter::measure(&mut run);
    let mut times: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..batch {
                run();
            }
            started.elapsed() / batch
        })
        .collect();
    times.sort();
    let median = times.get(BATCHES / 2).copied().unwrap_or_default();
    (taken.count_total, taken.bytes_total, median)
}

fn main() {
    println!("| tables | hit: allocations | bytes | µs | miss: allocations | bytes | µs |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut all = Vec::new();
    for tables in TABLES {
        let case = Case::new(tables);
        let warm = PlanCache::new(1 << 20);
        case.miss(&warm);
        let hit = measured(BATCH[0], || case.hit(&warm));
        // A cache without room knows nothing the next time either.
        let cold = PlanCache::new(0);
        let miss = measured(BATCH[1], || case.miss(&cold));
        let shown = |(count, bytes, time): (u64, u64, Duration)| {
            format!("{count} | {bytes} | {:.2}", time.as_secs_f64() * 1e6)
        };
        println!("| {tables} | {} | {} |", shown(hit), shown(miss));
        all.push((hit, miss));
    }
    let (Some((small_hit, small_miss)), Some((large_hit, large_miss))) = (all.first(), all.last()) else {
        return;
    };
    assert_eq!(
        (small_hit.0, small_hit.1),
        (large_hit.0, large_hit.1),
        "a hit allocates by the schema's size"
    );
    assert!(large_miss.2 < small_miss.2 * 2, "a miss grows with the schema");
}
