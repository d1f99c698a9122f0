//! Operations, and their GraphQL text.

mod row;

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::world::{Cell, Operand, Predicate, Session, Type, World, column_name, table_name};

/// What a client sends.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) session: Session,
    pub(crate) roots: Vec<Root>,
    pub(crate) values: Values,
}

/// Where the values of an operation are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// In its text.
    Text,
    /// Each is a variable.
    Variables,
    /// Each is a variable, but for rows to be inserted, which are one together.
    Rows,
}

#[derive(Debug, Clone)]
pub(crate) enum Root {
    List(usize, Arguments, Vec<Field>),
    ByKey(usize, i64, Vec<Field>),
    Aggregate(usize, Arguments, Aggregate),
    Write(usize, Write),
}

/// A field of the mutation root.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Insert(Vec<NewRow>, Option<Conflict>, Returning),
    InsertOne(NewRow, Option<Conflict>, Vec<Field>),
    Update(Predicate, Changes, Returning),
    UpdateByKey(i64, Changes, Vec<Field>),
    UpdateMany(Vec<(Predicate, Changes)>, Returning),
    Delete(Predicate, Returning),
    DeleteByKey(i64, Vec<Field>),
}

/// `returning`, beside `affected_rows`.
pub(crate) type Returning = Option<Vec<Field>>;

/// A row to be inserted, with what is inserted along with it.
#[derive(Debug, Clone)]
pub(crate) struct NewRow {
    pub(crate) cells: Vec<(usize, Cell)>,
    pub(crate) related: Vec<Nested>,
}

/// Rows behind a relationship of a row to be inserted.
#[derive(Debug, Clone)]
pub(crate) struct Nested {
    /// By position in [`World::relationships`].
    pub(crate) way: usize,
    /// One behind an object relationship.
    pub(crate) rows: Vec<NewRow>,
    pub(crate) conflict: Option<Conflict>,
}

/// `on_conflict`
#[derive(Debug, Clone)]
pub(crate) struct Conflict {
    /// The primary key, or the unique constraint.
    pub(crate) primary: bool,
    pub(crate) columns: Vec<usize>,
    pub(crate) filter: Option<Predicate>,
}

/// `_set` and `_inc`
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) set: Vec<(usize, Cell)>,
    pub(crate) increment: Vec<(usize, i64)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments {
    pub(crate) filter: Option<Predicate>,
    /// Columns and whether descending.
    pub(crate) order: Vec<(usize, bool)>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) enum Field {
    Column(usize),
    /// By position in [`World::relationships`].
    Object(usize, Vec<Field>),
    Array(usize, Arguments, Vec<Field>),
    ArrayAggregate(usize, Arguments, Aggregate),
}

#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    /// Of a column or of rows, distinct or not.
    pub(crate) counts: Vec<(Option<usize>, bool)>,
    /// `sum`, `max` or `min` of a column.
    pub(crate) operations: Vec<(&'static str, usize)>,
    pub(crate) nodes: Option<Vec<Field>>,
}

/// An operation on its way to text.
pub(crate) struct Text<'w> {
    world: &'w World,
    body: String,
    declarations: Vec<String>,
    variables: Option<Map<String, Json>>,
    rows: bool,
}

impl Request {
    pub(crate) fn is_mutation(&self) -> bool {
        self.roots.iter().any(|root| matches!(root, Root::Write(..)))
    }

    /// Rows are inserted along with others.
    pub(crate) fn nests(&self) -> bool {
        self.roots.iter().any(|root| match root {
            Root::Write(_, Write::Insert(rows, ..)) => rows.iter().any(|row| !row.related.is_empty()),
            Root::Write(_, Write::InsertOne(row, ..)) => !row.related.is_empty(),
            _ => false,
        })
    }

    /// Text and variables.
    pub(crate) fn text(&self, world: &World) -> (String, Json) {
        let mut text = Text {
            world,
            body: String::new(),
            declarations: Vec::new(),
            variables: (self.values != Values::Text).then(Map::new),
            rows: self.values == Values::Rows,
        };
        for (at, root) in self.roots.iter().enumerate() {
            let _ = write!(text.body, " q{at}: ");
            text.root(root);
        }
        let declarations = if text.declarations.is_empty() {
            String::new()
        } else {
            format!("({})", text.declarations.join(", "))
        };
        let kind = if self.is_mutation() { "mutation" } else { "query" };
        let body = format!("{kind} q{declarations} {{{} }}", text.body);
        (body, Json::Object(text.variables.unwrap_or_default()))
    }
}

impl Text<'_> {
    fn root(&mut self, root: &Root) {
        match root {
            Root::List(table, arguments, fields) => {
                self.body.push_str(&table_name(*table));
                self.arguments(*table, arguments);
                self.fields(*table, fields);
            }
            Root::ByKey(table, id, fields) => {
                let id = self.value(&Cell::Int(*id), Type::Int);
                let _ = write!(self.body, "{}_by_pk(id: {id})", table_name(*table));
                self.fields(*table, fields);
            }
            Root::Aggregate(table, arguments, aggregate) => {
                let _ = write!(self.body, "{}_aggregate", table_name(*table));
                self.arguments(*table, arguments);
                self.aggregate(*table, aggregate);
            }
            Root::Write(table, write) => self.write(*table, write),
        }
    }

    fn write(&mut self, table: usize, write: &Write) {
        let name = table_name(table);
        match write {
            Write::Insert(rows, conflict, returning) => {
                let objects = if self.rows {
                    self.rows(table, rows)
                } else {
                    let rows: Vec<String> = rows.iter().map(|row| self.new_row(table, row)).collect();
                    format!("[{}]", rows.join(", "))
                };
                let conflict = self.conflict(table, conflict.as_ref());
                let _ = write!(self.body, "insert_{name}(objects: {objects}{conflict})");
                self.response(table, returning);
            }
            Write::InsertOne(row, conflict, fields) => {
                let row = if self.rows {
                    self.row(table, row)
                } else {
                    self.new_row(table, row)
                };
                let conflict = self.conflict(table, conflict.as_ref());
                let _ = write!(self.body, "insert_{name}_one(object: {row}{conflict})");
                self.fields(table, fields);
            }
            Write::Update(filter, changes, returning) => {
                let filter = self.filter(table, filter);
                let changes = self.changes(table, changes);
                let _ = write!(self.body, "update_{name}(where: {filter}{changes})");
                self.response(table, returning);
            }
            Write::UpdateByKey(id, changes, fields) => {
                let id = self.value(&Cell::Int(*id), Type::Int);
                let changes = self.changes(table, changes);
                let _ = write!(
                    self.body,
                    "update_{name}_by_pk(pk_columns: {{id: {id}}}{changes})"
                );
                self.fields(table, fields);
            }
            Write::UpdateMany(updates, returning) => {
                let updates = updates.iter().map(|(filter, changes)| {
                    let filter = self.filter(table, filter);
                    format!("{{where: {filter}{}}}", self.changes(table, changes))
                });
                let updates: Vec<String> = updates.collect();
                let _ = write!(self.body, "update_{name}_many(updates: [{}])", updates.join(", "));
                self.response(table, returning);
            }
            Write::Delete(filter, returning) => {
                let filter = self.filter(table, filter);
                let _ = write!(self.body, "delete_{name}(where: {filter})");
                self.response(table, returning);
            }
            Write::DeleteByKey(id, fields) => {
                let id = self.value(&Cell::Int(*id), Type::Int);
                let _ = write!(self.body, "delete_{name}_by_pk(id: {id})");
                self.fields(table, fields);
            }
        }
    }

    fn response(&mut self, table: usize, returning: &Returning) {
        self.body.push_str(" { affected_rows");
        if let Some(fields) = returning {
            self.body.push_str(" returning");
            self.fields(table, fields);
        }
        self.body.push_str(" }");
    }

    fn cells(&mut self, table: usize, cells: &[(usize, Cell)]) -> Vec<String> {
        let cells = cells.iter().map(|(column, cell)| {
            let type_ = self.world.tables[table].columns[*column].type_;
            format!("{}: {}", column_name(*column), self.value(cell, type_))
        });
        cells.collect()
    }

    fn changes(&mut self, table: usize, changes: &Changes) -> String {
        let mut text = String::new();
        if !changes.set.is_empty() {
            let _ = write!(text, ", _set: {{{}}}", self.cells(table, &changes.set).join(", "));
        }
        if !changes.increment.is_empty() {
            let increments: Vec<(usize, Cell)> = changes
                .increment
                .iter()
                .map(|(column, by)| (*column, Cell::Int(*by)))
                .collect();
            let _ = write!(text, ", _inc: {{{}}}", self.cells(table, &increments).join(", "));
        }
        text
    }

    /// A value in its place, or a variable for it.
    fn value(&mut self, cell: &Cell, type_: Type) -> String {
        let json = cell.json();
        if self.variables.is_none() {
            return json.to_string();
        }
        let nullable = if cell.is_null() { "" } else { "!" };
        self.variable(json, &format!("{}{nullable}", type_.scalar()))
    }

    fn variable(&mut self, value: Json, type_: &str) -> String {
        let variables = self.variables.get_or_insert_default();
        let name = format!("v{}", variables.len());
        self.declarations.push(format!("${name}: {type_}"));
        variables.insert(name.clone(), value);
        format!("${name}")
    }

    fn arguments(&mut self, table: usize, arguments: &Arguments) {
        let mut parts = Vec::new();
        if let Some(filter) = &arguments.filter {
            parts.push(format!("where: {}", self.filter(table, filter)));
        }
        if !arguments.order.is_empty() {
            let order = arguments.order.iter().map(|(column, descending)| {
                let direction = if *descending { "desc" } else { "asc" };
                format!("{{{}: {direction}}}", column_name(*column))
            });
            parts.push(format!("order_by: [{}]", order.collect::<Vec<_>>().join(", ")));
        }
        for (name, number) in [("limit", arguments.limit), ("offset", arguments.offset)] {
            if let Some(number) = number {
                let number = self.value(&Cell::Int(number as i64), Type::Int);
                parts.push(format!("{name}: {number}"));
            }
        }
        if !parts.is_empty() {
            let _ = write!(self.body, "({})", parts.join(", "));
        }
    }

    fn filter(&mut self, table: usize, predicate: &Predicate) -> String {
        let type_ = |text: &Self, column: usize| text.world.tables[table].columns[column].type_;
        match predicate {
            Predicate::And(each) | Predicate::Or(each) => {
                let word = if matches!(predicate, Predicate::And(_)) {
                    "_and"
                } else {
                    "_or"
                };
                let each: Vec<String> = each.iter().map(|one| self.filter(table, one)).collect();
                format!("{{{word}: [{}]}}", each.join(", "))
            }
            Predicate::Not(inner) => format!("{{_not: {}}}", self.filter(table, inner)),
            Predicate::Compare(column, operator, Operand::Literal(cell)) => {
                let type_ = type_(self, *column);
                let value = self.value(cell, type_);
                format!("{{{}: {{_{}: {value}}}}}", column_name(*column), operator.name())
            }
            Predicate::Among(column, within, cells) => {
                let type_ = type_(self, *column);
                let cells: Vec<String> = cells.iter().map(|cell| self.value(cell, type_)).collect();
                let word = if *within { "_in" } else { "_nin" };
                format!("{{{}: {{{word}: [{}]}}}}", column_name(*column), cells.join(", "))
            }
            Predicate::IsNull(column, is) => format!("{{{}: {{_is_null: {is}}}}}", column_name(*column)),
            Predicate::Related(way, inner) => {
                let relationship = self.world.relationships(table)[*way].clone();
                format!(
                    "{{{}: {}}}",
                    relationship.name,
                    self.filter(relationship.target, inner)
                )
            }
            other => panic!("a client's filter cannot be {other:?}"),
        }
    }

    pub(crate) fn fields(&mut self, table: usize, fields: &[Field]) {
        self.body.push_str(" {");
        for (at, field) in fields.iter().enumerate() {
            let _ = write!(self.body, " f{at}: ");
            match field {
                Field::Column(column) => self.body.push_str(&column_name(*column)),
                Field::Object(way, fields) => {
                    let relationship = self.world.relationships(table)[*way].clone();
                    self.body.push_str(&relationship.name);
                    self.fields(relationship.target, fields);
                }
                Field::Array(way, arguments, fields) => {
                    let relationship = self.world.relationships(table)[*way].clone();
                    self.body.push_str(&relationship.name);
                    self.arguments(relationship.target, arguments);
                    self.fields(relationship.target, fields);
                }
                Field::ArrayAggregate(way, arguments, aggregate) => {
                    let relationship = self.world.relationships(table)[*way].clone();
                    let _ = write!(self.body, "{}_aggregate", relationship.name);
                    self.arguments(relationship.target, arguments);
                    self.aggregate(relationship.target, aggregate);
                }
            }
        }
        self.body.push_str(" }");
    }

    fn aggregate(&mut self, table: usize, aggregate: &Aggregate) {
        self.body.push_str(" { aggregate {");
        for (at, (column, distinct)) in aggregate.counts.iter().enumerate() {
            let _ = match column {
                Some(column) => {
                    write!(
                        self.body,
                        " n{at}: count(columns: [{}], distinct: {distinct})",
                        column_name(*column)
                    )
                }
                None => write!(self.body, " n{at}: count"),
            };
        }
        for (at, (operation, column)) in aggregate.operations.iter().enumerate() {
            let _ = write!(self.body, " p{at}: {operation} {{ v: {} }}", column_name(*column));
        }
        self.body.push_str(" }");
        if let Some(nodes) = &aggregate.nodes {
            self.body.push_str(" nodes");
            self.fields(table, nodes);
        }
        self.body.push_str(" }");
    }
}
