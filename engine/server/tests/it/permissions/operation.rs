//! Operations, and their GraphQL text.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

use super::world::{Cell, Operand, Predicate, Session, Type, World, column_name, table_name};

/// What a client sends.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) session: Session,
    pub(crate) roots: Vec<Root>,
    /// Values are variables, not part of the text.
    pub(crate) variables: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Root {
    List(usize, Arguments, Vec<Field>),
    ByKey(usize, i64, Vec<Field>),
    Aggregate(usize, Arguments, Aggregate),
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
}

impl Request {
    /// Text and variables.
    pub(crate) fn text(&self, world: &World) -> (String, Json) {
        let mut text = Text {
            world,
            body: String::new(),
            declarations: Vec::new(),
            variables: self.variables.then(Map::new),
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
        let body = format!("query q{declarations} {{{} }}", text.body);
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
        }
    }

    /// A value in its place, or a variable for it.
    fn value(&mut self, cell: &Cell, type_: Type) -> String {
        let json = cell.json();
        match &mut self.variables {
            None => json.to_string(),
            Some(variables) => {
                let name = format!("v{}", variables.len());
                let nullable = if cell.is_null() { "" } else { "!" };
                self.declarations
                    .push(format!("${name}: {}{nullable}", type_.scalar()));
                variables.insert(name.clone(), json);
                format!("${name}")
            }
        }
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
