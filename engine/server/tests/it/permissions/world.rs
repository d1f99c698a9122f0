//! A world: tables with rows, and what roles may do with them. Printed as SQL and as metadata for the engine, and read
//! as it is by the oracle.

use std::fmt::Write;

use serde_json::{Value as Json, json};

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Text,
    Bool,
}

/// A cell. The order is that of Postgres for values of one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

pub(crate) type Row = Vec<Cell>;

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) type_: Type,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Cell>,
}

/// A foreign key to the `id` of a table: an object relationship here, an array relationship there.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) column: usize,
    pub(crate) target: usize,
}

/// A trigger that sets a column of new rows to a value of the row that one refers to, as it is before the statement.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) column: usize,
    pub(crate) reference: Reference,
    pub(crate) from: usize,
}

/// A table. Column 0 is `id`, the primary key.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) references: Vec<Reference>,
    /// A unique constraint over some columns.
    pub(crate) unique: Option<Vec<usize>>,
    pub(crate) copy: Option<Copy>,
    pub(crate) rows: Vec<Row>,
}

/// One way from a table to another (or itself).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Relationship {
    pub(crate) name: String,
    pub(crate) many: bool,
    pub(crate) target: usize,
    pub(crate) own: usize,
    pub(crate) other: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Neq,
    Gt,
    Lt,
    Gte,
    Lte,
}

/// The right-hand side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Literal(Cell),
    /// `x-hasura-user-id` or `x-hasura-name`, by the column's type.
    Session,
    /// A column of the same row.
    Column(usize),
    /// A column of the row that the whole rule is about.
    RootColumn(usize),
}

/// A rule, or a client's filter (which has no sessions, columns or `_exists`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    Compare(usize, Operator, Operand),
    /// `_in`, or `_nin`.
    Among(usize, bool, Vec<Cell>),
    /// `_in` of `x-hasura-ids`.
    AmongSession(usize),
    IsNull(usize, bool),
    /// By position in [`World::relationships`] of the table.
    Related(usize, Box<Predicate>),
    Exists(usize, Box<Predicate>),
}

#[derive(Debug, Clone)]
pub(crate) struct Select {
    pub(crate) columns: Vec<usize>,
    pub(crate) filter: Predicate,
    pub(crate) limit: Option<usize>,
    pub(crate) aggregations: bool,
}

/// A value that a write permission sets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Preset {
    Literal(Cell),
    Session,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Insert {
    pub(crate) columns: Vec<usize>,
    pub(crate) check: Predicate,
    pub(crate) set: Vec<(usize, Preset)>,
    pub(crate) backend_only: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    pub(crate) columns: Vec<usize>,
    pub(crate) filter: Predicate,
    pub(crate) check: Option<Predicate>,
    pub(crate) set: Vec<(usize, Preset)>,
    pub(crate) backend_only: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delete {
    pub(crate) filter: Predicate,
}

/// What a role may do with a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permission {
    pub(crate) select: Option<Select>,
    pub(crate) insert: Option<Insert>,
    pub(crate) update: Option<Update>,
    pub(crate) delete: Option<Delete>,
}

/// A role: permissions by table, or parents.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    Plain(Vec<Permission>),
    Inherited(Vec<usize>),
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Its Postgres schema.
    pub(crate) schema: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) roles: Vec<Role>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) role: usize,
    pub(crate) user_id: i64,
    pub(crate) name: String,
    pub(crate) ids: Vec<i64>,
    /// Asks for backend privileges, and has them.
    pub(crate) backend: bool,
}

impl Session {
    /// The variable that a column of a type is compared with.
    pub(crate) fn value(&self, type_: Type) -> Cell {
        match type_ {
            Type::Int => Cell::Int(self.user_id),
            Type::Text => Cell::Text(self.name.clone()),
            Type::Bool => Cell::Bool(self.user_id % 2 == 0),
        }
    }

    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let ids: Vec<String> = self.ids.iter().map(i64::to_string).collect();
        vec![
            ("x-hasura-role", role_name(self.role)),
            ("x-hasura-user-id", self.user_id.to_string()),
            ("x-hasura-name", self.name.clone()),
            ("x-hasura-flag", (self.user_id % 2 == 0).to_string()),
            ("x-hasura-ids", format!("{{{}}}", ids.join(","))),
            ("x-hasura-use-backend-only-permissions", self.backend.to_string()),
        ]
    }
}

pub(crate) fn table_name(at: usize) -> String {
    format!("t{at}")
}

pub(crate) fn column_name(at: usize) -> String {
    if at == 0 {
        "id".to_owned()
    } else {
        format!("c{at}")
    }
}

pub(crate) fn role_name(at: usize) -> String {
    format!("r{at}")
}

impl Cell {
    pub(crate) fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Text(value) => json!(value),
        }
    }

    fn sql(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            // Texts are letters.
            Self::Text(value) => format!("'{value}'"),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

impl Type {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Text => "text",
            Self::Bool => "boolean",
        }
    }

    /// Its GraphQL scalar.
    pub(crate) fn scalar(self) -> &'static str {
        match self {
            Self::Int => "Int",
            Self::Text => "String",
            Self::Bool => "Boolean",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Int => "X-Hasura-User-Id",
            Self::Text => "x-hasura-name",
            Self::Bool => "X-HASURA-FLAG",
        }
    }
}

impl Operator {
    pub(crate) const ALL: [Self; 6] = [Self::Eq, Self::Neq, Self::Gt, Self::Lt, Self::Gte, Self::Lte];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Neq => "neq",
            Self::Gt => "gt",
            Self::Lt => "lt",
            Self::Gte => "gte",
            Self::Lte => "lte",
        }
    }
}

impl World {
    /// The ways from a table: its own keys first, then the keys of others.
    pub(crate) fn relationships(&self, table: usize) -> Vec<Relationship> {
        let own = self.tables[table]
            .references
            .iter()
            .map(|reference| Relationship {
                name: format!("o{}", reference.column),
                many: false,
                target: reference.target,
                own: reference.column,
                other: 0,
            });
        let others = self.tables.iter().enumerate().flat_map(|(at, other)| {
            let keys = other.references.iter().filter(|key| key.target == table);
            keys.map(move |key| Relationship {
                name: format!("a{at}_{}", key.column),
                many: true,
                target: at,
                own: 0,
                other: key.column,
            })
        });
        own.chain(others).collect()
    }

    /// Whether a rule over a table looks at rows of another.
    pub(crate) fn leads_to(&self, table: usize, rule: &Predicate, other: usize) -> bool {
        match rule {
            Predicate::And(each) | Predicate::Or(each) => {
                each.iter().any(|one| self.leads_to(table, one, other))
            }
            Predicate::Not(inner) => self.leads_to(table, inner, other),
            Predicate::Related(way, inner) => {
                let target = self.relationships(table)[*way].target;
                target == other || self.leads_to(target, inner, other)
            }
            Predicate::Exists(target, inner) => *target == other || self.leads_to(*target, inner, other),
            _ => false,
        }
    }

    /// Statements that make it.
    pub(crate) fn sql(&self) -> String {
        let schema = &self.schema;
        let mut sql = format!("create schema {schema};");
        for (at, table) in self.tables.iter().enumerate() {
            let columns = table.columns.iter().enumerate().map(|(position, column)| {
                let mut text = format!("{} {}", column_name(position), column.type_.sql());
                if position == 0 {
                    text.push_str(" primary key");
                } else if !column.nullable {
                    text.push_str(" not null");
                }
                if let Some(default) = &column.default {
                    let _ = write!(text, " default {}", default.sql());
                }
                text
            });
            let mut parts: Vec<String> = columns.collect();
            if let Some(unique) = &table.unique {
                let columns: Vec<String> = unique.iter().map(|column| column_name(*column)).collect();
                parts.push(format!("constraint t{at}_unique unique ({})", columns.join(", ")));
            }
            let _ = write!(sql, "create table {schema}.t{at} ({});", parts.join(", "));
            if !table.rows.is_empty() {
                let rows = table.rows.iter().map(|row| {
                    let cells: Vec<String> = row.iter().map(Cell::sql).collect();
                    format!("({})", cells.join(", "))
                });
                let rows: Vec<String> = rows.collect();
                let _ = write!(sql, "insert into {schema}.t{at} values {};", rows.join(", "));
            }
        }
        for (at, table) in self.tables.iter().enumerate() {
            for key in &table.references {
                let _ = write!(
                    sql,
                    "alter table {schema}.t{at} add foreign key ({}) references {schema}.t{} (id);",
                    column_name(key.column),
                    key.target
                );
            }
            if let Some(copy) = &table.copy {
                let _ = write!(
                    sql,
                    "create function {schema}.f{at}() returns trigger language plpgsql stable as $$ begin \
                     new.{} := (select {} from {schema}.t{} where id = new.{}); return new; end $$; \
                     create trigger copies before insert on {schema}.t{at} for each row execute function {schema}.f{at}();",
                    column_name(copy.column),
                    column_name(copy.from),
                    copy.reference.target,
                    column_name(copy.reference.column),
                );
            }
            let _ = write!(sql, "analyze {schema}.t{at};");
        }
        sql
    }

    /// Tables as metadata tells of them.
    pub(crate) fn metadata_tables(&self) -> Json {
        let tables = (0..self.tables.len()).map(|at| {
            let (many, one): (Vec<_>, Vec<_>) = self
                .relationships(at)
                .into_iter()
                .partition(|relationship| relationship.many);
            let one: Vec<Json> = one
                .iter()
                .map(|relationship| {
                    json!({"name": relationship.name,
                        "using": {"foreign_key_constraint_on": column_name(relationship.own)}})
                })
                .collect();
            let many: Vec<Json> = many
                .iter()
                .map(|relationship| {
                    json!({"name": relationship.name, "using": {"foreign_key_constraint_on": {
                        "table": {"schema": self.schema, "name": table_name(relationship.target)},
                        "column": column_name(relationship.other)}}})
                })
                .collect();
            let mut entry = json!({
                "table": {"schema": self.schema, "name": table_name(at)},
                "configuration": {"custom_name": table_name(at)},
                "object_relationships": one,
                "array_relationships": many,
            });
            for (verb, permissions) in self.verbs(at) {
                entry[format!("{verb}_permissions")] = Json::Array(permissions);
            }
            entry
        });
        tables.collect()
    }

    /// Inherited roles as metadata tells of them.
    pub(crate) fn metadata_inherited_roles(&self) -> Json {
        let roles = self.roles.iter().enumerate();
        roles
            .filter_map(|(at, role)| match role {
                Role::Plain(_) => None,
                Role::Inherited(parents) => {
                    let parents: Vec<String> = parents.iter().map(|parent| role_name(*parent)).collect();
                    Some(json!({"role_name": role_name(at), "role_set": parents}))
                }
            })
            .collect()
    }

    fn verbs(&self, table: usize) -> [(&'static str, Vec<Json>); 4] {
        let mut verbs = [
            ("select", Vec::new()),
            ("insert", Vec::new()),
            ("update", Vec::new()),
            ("delete", Vec::new()),
        ];
        let names =
            |columns: &[usize]| -> Vec<String> { columns.iter().map(|at| column_name(*at)).collect() };
        let rule = |predicate: &Predicate| self.predicate(table, predicate);
        for (at, role) in self.roles.iter().enumerate() {
            let Role::Plain(permissions) = role else { continue };
            let permission = &permissions[table];
            let mut grant = |verb: usize, permission: Json| {
                verbs[verb]
                    .1
                    .push(json!({"role": role_name(at), "permission": permission}));
            };
            if let Some(select) = &permission.select {
                let mut given = json!({
                    "columns": names(&select.columns),
                    "filter": rule(&select.filter),
                    "allow_aggregations": select.aggregations,
                });
                if let Some(limit) = select.limit {
                    given["limit"] = json!(limit);
                }
                grant(0, given);
            }
            if let Some(insert) = &permission.insert {
                grant(
                    1,
                    json!({
                        "columns": names(&insert.columns),
                        "check": rule(&insert.check),
                        "set": self.presets(table, &insert.set),
                        "backend_only": insert.backend_only,
                    }),
                );
            }
            if let Some(update) = &permission.update {
                let mut given = json!({
                    "columns": names(&update.columns),
                    "filter": rule(&update.filter),
                    "set": self.presets(table, &update.set),
                    "backend_only": update.backend_only,
                });
                if let Some(check) = &update.check {
                    given["check"] = rule(check);
                }
                grant(2, given);
            }
            if let Some(delete) = &permission.delete {
                grant(3, json!({"filter": rule(&delete.filter)}));
            }
        }
        verbs
    }

    fn presets(&self, table: usize, set: &[(usize, Preset)]) -> Json {
        let presets = set.iter().map(|(column, preset)| {
            let value = match preset {
                Preset::Literal(cell) => cell.json(),
                Preset::Session => json!(self.tables[table].columns[*column].type_.variable()),
            };
            (column_name(*column), value)
        });
        Json::Object(presets.collect())
    }

    /// A query for everything there is.
    pub(crate) fn whole(&self) -> String {
        let tables = self.tables.iter().enumerate().map(|(at, table)| {
            let columns: Vec<String> = (0..table.columns.len()).map(column_name).collect();
            format!(
                "{}(order_by: {{id: asc}}) {{ {} }}",
                table_name(at),
                columns.join(" ")
            )
        });
        format!("{{ {} }}", tables.collect::<Vec<_>>().join(" "))
    }

    /// Its answer.
    pub(crate) fn state(&self) -> Json {
        let tables = self.tables.iter().enumerate().map(|(at, table)| {
            let mut rows = table.rows.clone();
            rows.sort();
            let rows = rows.iter().map(|row| {
                let cells = row.iter().enumerate();
                Json::Object(
                    cells
                        .map(|(column, cell)| (column_name(column), cell.json()))
                        .collect(),
                )
            });
            (table_name(at), rows.collect::<Json>())
        });
        Json::Object(tables.collect())
    }

    /// A rule over a table as metadata writes it.
    pub(crate) fn predicate(&self, table: usize, predicate: &Predicate) -> Json {
        let all = |predicates: &[Predicate]| -> Json {
            predicates
                .iter()
                .map(|each| self.predicate(table, each))
                .collect()
        };
        let type_ = |column: usize| self.tables[table].columns[column].type_;
        match predicate {
            Predicate::And(each) => json!({"_and": all(each)}),
            Predicate::Or(each) => json!({"_or": all(each)}),
            Predicate::Not(inner) => json!({"_not": self.predicate(table, inner)}),
            Predicate::Compare(column, operator, operand) => {
                let (prefix, value) = match operand {
                    Operand::Literal(cell) => ("_", cell.json()),
                    Operand::Session => ("_", json!(type_(*column).variable())),
                    Operand::Column(other) => ("_c", json!(column_name(*other))),
                    Operand::RootColumn(other) => ("_c", json!(["$", column_name(*other)])),
                };
                json!({column_name(*column): {format!("{prefix}{}", operator.name()): value}})
            }
            Predicate::Among(column, within, cells) => {
                let cells: Json = cells.iter().map(Cell::json).collect();
                json!({column_name(*column): {if *within { "_in" } else { "_nin" }: cells}})
            }
            Predicate::AmongSession(column) => json!({column_name(*column): {"_in": "x-hasura-ids"}}),
            Predicate::IsNull(column, is) => json!({column_name(*column): {"_is_null": is}}),
            Predicate::Related(at, inner) => {
                let relationship = &self.relationships(table)[*at];
                json!({relationship.name.clone(): self.predicate(relationship.target, inner)})
            }
            Predicate::Exists(other, inner) => json!({"_exists": {
                "_table": {"schema": self.schema, "name": table_name(*other)},
                "_where": self.predicate(*other, inner)}}),
        }
    }
}
