//! Worlds written briefly: tables as `"author"` with columns like `"id int4!"`.

use std::collections::BTreeMap;
use std::sync::Arc;

use graphql::TypeSystem;
use graphql::type_system::{TypeKind as Kind, TypeReference};
use metadata::Document;
use schema::catalog::{
    Catalog, Column, ForeignKey, Function, FunctionArgument, Generated, Key, Mutability, QualifiedName,
    Table, TableKind, Type, TypeKind, Volatility,
};
use schema::model::{Model, Options};
use schema::{CatalogState, EnumRow, Problem, RoleView};
use serde_json::{Value, json};

/// A database in the making.
#[derive(Default, Clone)]
pub(crate) struct World {
    pub(crate) tables: Vec<Table>,
    pub(crate) functions: Vec<Function>,
    pub(crate) enum_values: BTreeMap<QualifiedName, Result<Vec<EnumRow>, String>>,
    pub(crate) options: Options,
    /// Of the catalog, where it is not made from it.
    pub(crate) fingerprint: Option<String>,
}

/// A built world.
pub(crate) struct Built {
    pub(crate) model: Arc<Model>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) document: Document,
}

pub(crate) fn name(text: &str) -> QualifiedName {
    let (schema, name) = text.split_once('.').unwrap_or(("public", text));
    QualifiedName {
        schema: schema.into(),
        name: name.into(),
    }
}

/// `int4`, `text[]`, `enum:mood`, `row:author`, `record`
pub(crate) fn type_of(text: &str) -> Type {
    let make = |name: &str, kind: TypeKind| Type {
        schema: "pg_catalog".into(),
        name: name.into(),
        oid: 0,
        kind,
    };
    if let Some(element) = text.strip_suffix("[]") {
        let element = type_of(element);
        return make(&format!("_{}", element.name), TypeKind::Array(Box::new(element)));
    }
    match text.split_once(':') {
        Some(("enum", name)) => make(name, TypeKind::Enum(vec!["a".into()])),
        Some(("row", table)) => {
            let table = name(table);
            make(&table.name.clone(), TypeKind::Composite { table: Some(table) })
        }
        _ if text == "record" => make(text, TypeKind::Pseudo),
        _ => make(text, TypeKind::Base),
    }
}

impl World {
    /// A table with `"column type"` or `"column type!"`, and its primary key.
    pub(crate) fn table(mut self, table: &str, columns: &[&str], key: &[&str]) -> Self {
        let columns = (1i16..)
            .zip(columns)
            .map(|(position, column)| {
                let (column, type_) = column.split_once(' ').expect("a name and a type");
                Column {
                    name: column.into(),
                    position,
                    type_: type_of(type_.trim_end_matches('!')),
                    nullable: !type_.ends_with('!'),
                    has_default: false,
                    generated: Generated::No,
                    comment: None,
                }
            })
            .collect();
        self.tables.push(Table {
            name: name(table),
            oid: 0,
            kind: TableKind::Table,
            comment: None,
            columns,
            primary_key: (!key.is_empty()).then(|| Key {
                name: format!("{}_pkey", name(table).name),
                columns: key.iter().map(|column| (*column).into()).collect(),
            }),
            unique_constraints: Vec::new(),
            foreign_keys: Vec::new(),
            mutability: Mutability {
                insertable: true,
                updatable: true,
                deletable: true,
            },
            is_partition: false,
            inserts_are_plain: true,
        });
        self
    }

    /// A foreign key of the last table.
    pub(crate) fn key(mut self, column: &str, target: &str, target_column: &str) -> Self {
        let table = self.tables.last_mut().expect("a table");
        table.foreign_keys.push(ForeignKey {
            name: format!("{}_{column}_fkey", table.name.name),
            target: name(target),
            columns: vec![(column.into(), target_column.into())],
        });
        self
    }

    /// Changes the last table.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Table)) -> Self {
        change(self.tables.last_mut().expect("a table"));
        self
    }

    /// A stable function with `"argument type"` and a result like `setof row:author` or `text`.
    pub(crate) fn function(mut self, function: &str, arguments: &[&str], returns: &str) -> Self {
        let arguments = arguments
            .iter()
            .map(|argument| match argument.split_once(' ') {
                Some((name, type_)) => FunctionArgument {
                    name: Some(name.into()),
                    type_: type_of(type_),
                },
                None => FunctionArgument {
                    name: None,
                    type_: type_of(argument),
                },
            })
            .collect();
        let (set, returns) = match returns.strip_prefix("setof ") {
            Some(returns) => (true, returns),
            None => (false, returns),
        };
        let columns = returns.strip_prefix("table ").map(|columns| {
            columns
                .split(", ")
                .map(|column| column.split_once(' ').expect("a name and a type"))
                .map(|(name, type_)| (name.to_owned(), type_of(type_)))
                .collect::<Vec<_>>()
        });
        self.functions.push(Function {
            name: name(function),
            oid: 0,
            arguments,
            default_arguments: 0,
            returns: type_of(if columns.is_some() { "record" } else { returns }),
            returns_set: set || columns.is_some(),
            returns_table: columns.unwrap_or_default(),
            volatility: Volatility::Stable,
            variadic: false,
            comment: None,
            is_plain: true,
        });
        self
    }

    /// Changes the last function.
    pub(crate) fn with_function(mut self, change: impl FnOnce(&mut Function)) -> Self {
        change(self.functions.last_mut().expect("a function"));
        self
    }

    /// Rows of an enum table.
    pub(crate) fn rows(mut self, table: &str, values: &[&str]) -> Self {
        let rows = values
            .iter()
            .map(|value| EnumRow {
                value: (*value).into(),
                description: None,
            })
            .collect();
        self.enum_values.insert(name(table), Ok(rows));
        self
    }

    pub(crate) fn state(&self) -> CatalogState {
        let mut tables = self.tables.clone();
        tables.sort_by(|one, other| one.name.cmp(&other.name));
        let made = || format!("{:?}{:?}", tables, self.functions);
        let fingerprint = self.fingerprint.clone().unwrap_or_else(made);
        CatalogState {
            catalog: Arc::new(Catalog {
                server_version: 150_000,
                tables,
                functions: self.functions.clone(),
                extensions: Vec::new(),
                fingerprint,
            }),
            enum_values: self.enum_values.clone(),
        }
    }

    /// Builds with one source `default` of these `tables` and `functions`.
    pub(crate) fn build(&self, tables: Value, functions: Value) -> Built {
        self.build_document(document(tables, functions), None)
    }

    pub(crate) fn build_document(&self, document: Value, previous: Option<&Built>) -> Built {
        let (document, _) = Document::parse(&document).expect("a legal document");
        self.build_read(document, previous)
    }

    pub(crate) fn build_read(&self, document: Document, previous: Option<&Built>) -> Built {
        self.build_beside(document, &[], previous)
    }

    /// The same, where these sources have worlds of their own.
    pub(crate) fn build_beside(
        &self,
        document: Document,
        others: &[(&str, &Self)],
        previous: Option<&Built>,
    ) -> Built {
        let world = |source: &str| {
            others
                .iter()
                .find(|(name, _)| *name == source)
                .map(|(_, world)| *world)
        };
        let catalogs = document
            .sources
            .keys()
            .map(|source| (source.clone(), world(source).unwrap_or(self).state()))
            .collect();
        let previous = previous.map(|built| schema::Previous {
            document: &built.document,
            model: &built.model,
        });
        let (model, problems) = schema::build(&document, &catalogs, &self.options, previous);
        Built {
            model: Arc::new(model),
            problems,
            document,
        }
    }
}

pub(crate) fn document(tables: Value, functions: Value) -> Value {
    json!({"version": 3, "sources": [source("default", tables, functions)]})
}

pub(crate) fn source(name: &str, tables: Value, functions: Value) -> Value {
    json!({
        "name": name,
        "kind": "postgres",
        "tables": tables,
        "functions": functions,
        "configuration": {"connection_info": {"database_url": "postgres://localhost/x"}},
    })
}

/// A tracked table with further keys.
pub(crate) fn tracked(table: &str, more: Value) -> Value {
    let table = name(table);
    let mut entry = json!({"table": {"schema": table.schema, "name": table.name}});
    if let (Value::Object(entry), Value::Object(more)) = (&mut entry, more) {
        entry.extend(more);
    }
    entry
}

/// `author` and `article` with everything between them.
pub(crate) fn blog() -> World {
    World::default()
        .table(
            "author",
            &["id int4!", "name text!", "age int4", "is_active bool"],
            &["id"],
        )
        .table(
            "article",
            &[
                "id int4!",
                "title text!",
                "author_id int4!",
                "rating float8",
                "content jsonb",
            ],
            &["id"],
        )
        .key("author_id", "author", "id")
}

/// Both tables of [`blog`] with relationships, and permissions to taste.
pub(crate) fn blog_tables(author: Value, article: Value) -> Value {
    let mut author_entry = json!({"array_relationships": [
        {"name": "articles", "using": {"foreign_key_constraint_on": {"table": "article", "column": "author_id"}}},
    ]});
    let mut article_entry = json!({"object_relationships": [
        {"name": "author", "using": {"foreign_key_constraint_on": "author_id"}},
    ]});
    for (entry, more) in [(&mut author_entry, author), (&mut article_entry, article)] {
        if let (Value::Object(entry), Value::Object(more)) = (entry, more) {
            entry.extend(more);
        }
    }
    json!([tracked("author", author_entry), tracked("article", article_entry)])
}

/// `select_permissions` with one entry.
pub(crate) fn select(role: &str, permission: Value) -> Value {
    json!({"select_permissions": [{"role": role, "permission": permission}]})
}

impl Built {
    pub(crate) fn view(&self, role: &str) -> RoleView {
        RoleView::new(self.model.clone(), role, false)
    }

    pub(crate) fn sdl(&self, role: &str) -> String {
        graphql::sdl::print(&self.view(role))
    }

    /// `reason`s of all problems.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.problems.iter().map(Problem::reason).collect()
    }

    /// `field(argument: Type): Type` of all fields (or keys, or values) of a type.
    pub(crate) fn members(&self, role: &str, type_name: &str) -> Vec<String> {
        let view = self.view(role);
        let Some(id) = view.type_by_name(type_name) else {
            return Vec::new();
        };
        match &view.definition(id).kind {
            Kind::Scalar(_) | Kind::Interface(_) | Kind::Union => Vec::new(),
            Kind::Enum(values) => values.iter().map(|value| value.name.to_string()).collect(),
            Kind::InputObject(keys) => keys
                .iter()
                .map(|key| format!("{}: {}", key.name, print(&view, &key.type_)))
                .collect(),
            Kind::Object(fields) => fields
                .iter()
                .map(|field| {
                    let arguments: Vec<String> = field
                        .arguments
                        .iter()
                        .map(|argument| format!("{}: {}", argument.name, print(&view, &argument.type_)))
                        .collect();
                    let arguments = if arguments.is_empty() {
                        String::new()
                    } else {
                        format!("({})", arguments.join(", "))
                    };
                    format!("{}{arguments}: {}", field.name, print(&view, &field.type_))
                })
                .collect(),
        }
    }

    /// Names of the root fields of queries.
    pub(crate) fn queries(&self, role: &str) -> Vec<String> {
        names(&self.members(role, "query_root"))
    }
}

/// The part of each member before its arguments or type.
pub(crate) fn names(members: &[String]) -> Vec<String> {
    members
        .iter()
        .map(|member| member.split(['(', ':']).next().unwrap_or_default().to_owned())
        .collect()
}

fn print(view: &RoleView, reference: &TypeReference<schema::TypeKey>) -> String {
    match reference {
        TypeReference::Named { id, nullable } => {
            format!("{}{}", view.type_name(*id), if *nullable { "" } else { "!" })
        }
        TypeReference::List { item, nullable } => {
            format!("[{}]{}", print(view, item), if *nullable { "" } else { "!" })
        }
    }
}
