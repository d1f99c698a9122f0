//! What is built from what was there before is what is built from nothing.

use std::sync::Arc;

use metadata::Document;
use metadata::document::Known;
use serde_json::{Value, json};

use crate::world::{Built, World, blog, source, tracked};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it fits") % sides
    }

    fn one_of(&mut self, values: &[Value]) -> Value {
        values[self.roll(values.len())].clone()
    }
}

/// A document in the making, and the catalog that it is built with.
struct Edited {
    world: World,
    sources: Vec<Value>,
    inherited: Vec<Value>,
    dice: Dice,
}

const ROLES: [&str; 4] = ["user", "editor", "guest", "admin"];

impl Edited {
    fn new(seed: u64) -> Self {
        let tables = json!([
            tracked(
                "author",
                json!({"array_relationships": [{"name": "articles",
                "using": {"foreign_key_constraint_on": {"table": "article", "column": "author_id"}}}]})
            ),
            tracked(
                "article",
                json!({"object_relationships": [
                {"name": "author", "using": {"foreign_key_constraint_on": "author_id"}}]})
            ),
            tracked("nowhere", json!({})),
        ]);
        let world = blog()
            .function("search", &["word text"], "setof row:article")
            .function("find", &["word text"], "setof row:author");
        Self {
            world,
            sources: vec![source("default", tables, json!([]))],
            inherited: Vec::new(),
            dice: Dice(seed),
        }
    }

    fn text(&self) -> String {
        json!({"version": 3, "sources": self.sources, "inherited_roles": self.inherited}).to_string()
    }

    fn table(&mut self) -> &mut Value {
        let (source, table) = (self.dice.roll(self.sources.len()), self.dice.roll(2));
        &mut self.sources[source]["tables"][table]
    }

    fn permission(&mut self) {
        let role = ROLES[self.dice.roll(ROLES.len())];
        let filter = self.dice.one_of(&[
            json!({}),
            json!({"id": {"_eq": "X-Hasura-User-Id"}}),
            json!({"id": {"_gt": 3}}),
            json!({"author": {"name": {"_eq": "x"}}}),
            json!({"articles": {"title": {"_like": "x"}}}),
            json!({"nope": {"_eq": 1}}),
        ]);
        let columns = self
            .dice
            .one_of(&[json!("*"), json!(["id"]), json!(["id", "title"]), json!(["name"])]);
        let (verb, permission) = match self.dice.roll(4) {
            0 => (
                "select",
                json!({"columns": columns, "filter": filter, "allow_aggregations": true}),
            ),
            1 => ("insert", json!({"columns": columns, "check": filter})),
            2 => (
                "update",
                json!({"columns": columns, "filter": filter, "check": null}),
            ),
            _ => ("delete", json!({"filter": filter})),
        };
        let gone = self.dice.roll(4) == 0;
        let table = self.table();
        let list = &mut table[format!("{verb}_permissions")];
        let mut kept: Vec<Value> = list.as_array().cloned().unwrap_or_default();
        kept.retain(|entry| entry["role"] != role);
        if !gone {
            kept.push(json!({"role": role, "permission": permission}));
        }
        *list = kept.into();
    }

    /// Something changes; what is nothing that a permission says changes less often.
    fn step(&mut self) {
        match self.dice.roll(24) {
            0 => {
                let name =
                    self.dice
                        .one_of(&[json!("writer"), json!("author"), json!("article"), Value::Null]);
                self.table()["configuration"] = json!({"custom_name": name});
            }
            1 => {
                let tables = self.sources[0]["tables"].as_array_mut().expect("tables");
                tables.reverse();
                if tables[0]["table"]["name"] == "nowhere" {
                    tables.rotate_left(1);
                }
            }
            2 => {
                self.sources.truncate(1);
                let mut other = self.sources[0].clone();
                let taken = other["name"] == "other";
                other["name"] = json!(if taken { "default" } else { "other" });
                if self.dice.roll(2) == 0 {
                    other["customization"] = json!({"root_fields": {"namespace": "other"},
                        "type_names": {"prefix": "other_"}});
                }
                let at = self.dice.roll(2);
                self.sources.insert(at, other);
            }
            3 => {
                let at = self.dice.roll(self.sources.len());
                if self.sources.len() > 1 {
                    self.sources.remove(at);
                }
            }
            4 => {
                let functions = self.dice.one_of(&[
                    json!([]),
                    json!([{"function": {"schema": "public", "name": "search"}}]),
                    json!([{"function": {"schema": "public", "name": "search"}, "permissions": [{"role": "user"}]},
                        {"function": {"schema": "public", "name": "find"}}]),
                ]);
                self.sources[0]["functions"] = functions;
            }
            5 => {
                self.inherited = match self.dice.roll(3) {
                    0 => Vec::new(),
                    1 => vec![json!({"role_name": "heir", "role_set": ["user", "editor"]})],
                    _ => vec![
                        json!({"role_name": "heir", "role_set": ["user", "guest"]}),
                        json!({"role_name": "grandchild", "role_set": ["heir", "editor"]}),
                    ],
                };
            }
            6 => {
                let keep = 2 + self.dice.roll(3);
                self.world = self
                    .world
                    .clone()
                    .with(|table| table.columns.truncate(keep.max(3)));
            }
            7 => self.world = Self::new(0).world,
            _ => self.permission(),
        }
    }
}

fn same(one: &Built, other: &Built, step: usize) {
    assert_eq!(
        format!("{:?}", one.problems),
        format!("{:?}", other.problems),
        "step {step}"
    );
    let sources = |built: &Built| format!("{:?}", built.model.sources);
    assert_eq!(sources(one), sources(other), "step {step}");
    let roles = |built: &Built| built.model.roles.keys().cloned().collect::<Vec<_>>();
    assert_eq!(roles(one), roles(other), "step {step}");
    for role in roles(one) {
        assert!(
            one.model.roles[&role] == other.model.roles[&role],
            "step {step}: {role}"
        );
        assert_eq!(one.sdl(&role), other.sdl(&role), "step {step}: {role}");
    }
}

#[test]
fn it_is_as_from_nothing() {
    let (mut shared, mut refused, mut resolved) = (0, 0, 0);
    for seed in 0..6 {
        let mut edited = Edited::new(seed);
        let mut known = Known::default();
        let mut last: Option<Built> = None;
        for step in 0..60 {
            edited.step();
            let text = edited.text();
            let document = Document::from_text_knowing(&text, &mut known).unwrap();
            let whole = Document::from_text(&text).unwrap();
            assert_eq!(document, whole);
            let next = edited.world.build_read(document, last.as_ref());
            same(&next, &edited.world.build_read(whole, None), step);
            refused += next.problems.len();
            if let Some(last) = &last {
                for (before, after) in last.model.sources.iter().zip(&next.model.sources) {
                    if Arc::ptr_eq(before, after) {
                    } else if Arc::ptr_eq(&before.tables, &after.tables) {
                        shared += 1;
                    } else {
                        resolved += 1;
                    }
                }
            }
            last = Some(next);
        }
    }
    // All ways were taken.
    assert!(
        shared > 50 && resolved > 20 && refused > 50,
        "{shared} {resolved} {refused}"
    );
}

fn permission(filter: &Value) -> Value {
    json!({"select_permissions": [
        {"role": "user", "permission": {"columns": ["id"], "filter": filter}}]})
}

fn read(sources: &[Value]) -> Document {
    Document::from_text(&json!({"version": 3, "sources": sources}).to_string()).expect("a document")
}

/// Equal fingerprints promise equal catalogs. If that is broken nobody gets a permission that is not his, and nobody loses one
/// without a word.
#[test]
fn a_table_that_is_gone_unnoticed_takes_no_other_along() {
    let table = |name: &str, world: World| world.table(name, &["id int4!"], &["id"]);
    let mut whole = table("c", table("b", table("a", World::default())));
    let mut lacking = table("c", table("a", World::default()));
    for world in [&mut whole, &mut lacking] {
        world.fingerprint = Some("same".to_owned());
    }
    let document = |filter: &Value| {
        let tables: Vec<Value> = ["a", "b", "c"]
            .map(|name| tracked(name, permission(filter)))
            .into();
        read(&[source("default", json!(tables), json!([]))])
    };
    let last = whole.build_read(document(&json!({})), None);
    assert_eq!(last.reasons(), Vec::<String>::new());
    let filter = json!({"id": {"_eq": 1}});
    let next = lacking.build_read(document(&filter), Some(&last));
    assert!(
        next.reasons()
            .iter()
            .any(|reason| reason.contains("no such table"))
    );
    same(&next, &lacking.build_read(document(&filter), None), 0);
}

#[test]
fn a_type_that_becomes_another_is_another() {
    let own = World::default().table("a", &["id int4!"], &["id"]);
    let of = |type_: &str| World::default().table("b", &["id int4!", type_], &["id"]);
    let (domain, extension) = (of("word enum:citext"), of("word citext"));
    let document = |filter: &Value| {
        read(&[
            source("default", json!([tracked("a", permission(filter))]), json!([])),
            source("other", json!([tracked("b", json!({}))]), json!([])),
        ])
    };
    let last = own.build_beside(document(&json!({})), &[("other", &domain)], None);
    for filter in [json!({}), json!({"id": {"_eq": 1}})] {
        let next = own.build_beside(document(&filter), &[("other", &extension)], Some(&last));
        let whole = own.build_beside(document(&filter), &[("other", &extension)], None);
        assert!(whole.sdl("admin").contains("_ilike"));
        same(&next, &whole, 0);
    }
}
