//! The old data API (`/v1/query`, `/v2/query`): names are those of Postgres and of metadata, filters are in the language
//! of permissions, and the role's rights are the same as in GraphQL.
//!
//! Paths of errors begin at the command's arguments.

mod columns;
mod insert;
mod order;
mod page;
mod update;
mod write;

use graphql::{Code, Error, OperationKind, Path, VariableCheck};
use schema::model::{Model, Source, Table};
use schema::{FilterRefusal, FilterStep, request_filter};
use serde_json::{Map, Value};
use sql::Statement;
use sql::shape::Cardinality;

use crate::basis::Basis;
use crate::cost::Cost;
use crate::filter::display;
use crate::ir::{
    self, Aggregate, AggregateField, AggregateValue, Filter, RowSource, RowType, Rows, SelectTable,
};
use crate::lower::Lowerer;
use crate::prepared::{AnswerPart, Mutation, Plan, Root, RootContent};
use crate::read::{Reader, json_key};
use crate::root::mutation_statements;
use crate::session::Session;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `select`: rows as a list.
    Select,
    /// `count`: `{"count": n}`.
    Count,
    /// `insert`: `{"affected_rows": n, "returning"?: […]}`, as of those below.
    Insert,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// The source and the table that a data command names.
///
/// # Errors
/// `not-exists` for a name that is not tracked, `parse-failed` for something that is no name.
pub fn table<'m>(
    model: &'m Model,
    _session: &Session,
    arguments: &Map<String, Value>,
) -> Result<(&'m Source, &'m Table), Error> {
    let root = Path::root();
    let name = match arguments.get("source") {
        None => "default",
        Some(Value::String(name)) => name,
        Some(other) => return Err(mismatch("Text", "String", other, &root.key("source"))),
    };
    let source = model.sources.iter().find(|source| &*source.name == name);
    let source = source.ok_or_else(|| {
        not_exists(
            &root.key("source"),
            format!("source with name \"{name}\" does not exist"),
        )
    })?;
    let path = root.key("table");
    let (schema, name) = match arguments.get("table") {
        Some(Value::String(name)) => ("public", name.as_str()),
        Some(Value::Object(given)) => {
            let part = |key: &str| given.get(key).and_then(Value::as_str);
            let name = part("name").ok_or_else(|| missing_key("name", &path))?;
            (part("schema").unwrap_or("public"), name)
        }
        Some(other) => return Err(mismatch("Text", "String", other, &path)),
        None => return Err(missing_key("table", &root)),
    };
    let found = source
        .tables
        .iter()
        .find(|table| table.name.schema == schema && table.name.name == name);
    let found = found.ok_or_else(|| {
        let name = schema::catalog::QualifiedName {
            schema: schema.to_owned(),
            name: name.to_owned(),
        };
        not_exists(&path, format!("table \"{}\" does not exist", display(&name)))
    })?;
    Ok((source, found))
}

/// Plans a command for the session's role: one root without a key, whose JSON is the whole answer.
///
/// # Errors
/// What Hasura v2 says against the command: unknown names, missing permissions, values of the wrong kind.
pub fn plan(
    model: &Model,
    session: &Session,
    command: Command,
    arguments: &Map<String, Value>,
) -> Result<Plan, Error> {
    let (source, table) = table(model, session, arguments)?;
    let nobody = schema::model::Role {
        name: session.role.as_ref().into(),
        ..schema::model::Role::default()
    };
    let role = model.roles.get(&*session.role).map_or(&nobody, |role| role);
    let mut reader = Reader::new(model, role, session.backend);
    reader.turn_to(Some(source));
    let root = Path::root();
    let lowerer = || Lowerer::new(model.options.stringify_numeric_types, &source.extensions_schema);
    let written = |planned: &ir::Mutation<'_>| {
        RootContent::Mutation(Mutation {
            source: source.id,
            statements: mutation_statements(
                lowerer().mutation(planned),
                planned,
                &(String::new(), String::new()),
            ),
            at_once: Vec::new(),
            answer: vec![AnswerPart::Statement],
            many: false,
            bounded: true,
            repeatable: false,
        })
    };
    let (kind, content) = match command {
        Command::Select | Command::Count => {
            let read = reader.dml_reading(command, table, lowerer(), arguments, &root)?;
            let content = RootContent::Statement {
                source: source.id,
                statement: read.into(),
            };
            (OperationKind::Query, content)
        }
        Command::Insert => {
            let planned = reader.dml_insert(table, arguments, &root)?;
            (OperationKind::Mutation, written(&planned))
        }
        Command::Update => {
            let planned = reader.dml_update(table, arguments, &root)?;
            (OperationKind::Mutation, written(&planned))
        }
        Command::Delete => {
            let planned = reader.dml_delete(table, arguments, &root)?;
            (OperationKind::Mutation, written(&planned))
        }
    };
    Ok(Plan {
        cost: Cost::default(),
        // Never cached.
        basis: Basis::default(),
        kind,
        operation_name: None,
        cached: None,
        roots: vec![Root {
            key: Box::default(),
            field: table.name.name.as_str().into(),
            content,
        }],
        slots: reader.slots.into_vec(),
        validations: Vec::new(),
        guards: reader.guards.into_vec(),
        variables: VariableCheck::default(),
        parameterized_hash: String::new(),
    })
}

impl<'m> Reader<'m> {
    /// `select` or `count`.
    fn dml_reading(
        &mut self,
        command: Command,
        table: &'m Table,
        lowerer: Lowerer<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Statement, Error> {
        let readable = self
            .readable(table.id, path)
            .map_err(|error| explained(error, command))?;
        let (select, shape) = if command == Command::Count {
            let rows = self.dml_counted(readable, arguments, path)?;
            let fields = vec![AggregateField {
                key: json_key("count"),
                value: AggregateValue::Count {
                    over: Vec::new(),
                    distinct: false,
                },
            }];
            lowerer.root_aggregate(&Aggregate { rows, fields })
        } else {
            let object = self.dml_columns(readable, arguments, path)?;
            let rows = self.dml_rows(RowSource::Table(readable), readable, Vec::new(), arguments, path)?;
            lowerer.root_rows(&rows, &object, Cardinality::List)
        };
        Ok(Statement::of(&select, shape, "", ""))
    }

    /// `where`, over what the role may read, and the role's own filter.
    fn dml_filter(
        &mut self,
        table: SelectTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let permitted = self.permitted(table, path)?;
        let requested = self.dml_requested(table, arguments, path)?;
        Ok(Filter::All(vec![permitted, requested]))
    }

    /// `where`, over what the role may read.
    fn dml_requested(
        &mut self,
        table: SelectTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let path = path.key("where");
        match arguments.get("where") {
            None | Some(Value::Null) => Ok(Filter::always()),
            Some(Value::Object(filter)) => {
                let predicate = request_filter(self.model, table.table().id, filter)
                    .map_err(|refusal| refused(&refusal, &path))?;
                self.requested_on(table, &predicate, &path)
            }
            Some(other) => Err(mismatch("Object", "Object", other, &path)),
        }
    }

    /// The rows that `count` is of: with `distinct`, one for each combination of these columns.
    fn dml_counted(
        &mut self,
        table: SelectTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Rows<'m>, Error> {
        let mut distinct = Vec::new();
        let at = path.key("distinct");
        match arguments.get("distinct") {
            None | Some(Value::Null) => {}
            Some(Value::Array(names)) => {
                for (position, name) in names.iter().enumerate() {
                    let at = at.index(position);
                    let Value::String(name) = name else {
                        return Err(mismatch("Text", "String", name, &at));
                    };
                    let id = self.dml_column(table, name, "\"distinct\"", &at)?;
                    distinct.push(self.column(RowType::Table(table), id, &at)?);
                }
            }
            Some(other) => return Err(mismatch("[]", "Array", other, &at)),
        }
        Ok(Rows {
            source: RowSource::Table(table),
            link: Vec::new(),
            filter: self.dml_filter(table, arguments, path)?,
            order: Vec::new(),
            distinct,
            limit: None,
            most: None,
            offset: None,
        })
    }
}

/// For a count, which right is missing.
fn explained(mut error: Error, command: Command) -> Error {
    if command == Command::Count {
        error
            .message
            .push_str("; \"count\" is only allowed if the role has \"select\" permissions on the table");
    }
    error
}

fn refused(refusal: &FilterRefusal, path: &Path) -> Error {
    let path = refusal.steps.iter().fold(path.clone(), |path, step| match step {
        FilterStep::Key(key) => path.key(key.as_str()),
        FilterStep::Index(index) => path.index(*index),
    });
    let message = refusal.message.clone();
    let code = if message.ends_with("does not exist") {
        Code::NotExists
    } else if ["parsing ", "A string is expected", "Expecting label path"]
        .iter()
        .any(|start| message.starts_with(start))
    {
        Code::ParseFailed
    } else {
        Code::UnexpectedPayload
    };
    Error { code, path, message }
}

fn not_exists(path: &Path, message: String) -> Error {
    Error {
        code: Code::NotExists,
        path: path.clone(),
        message,
    }
}

fn unexpected(path: &Path, message: impl Into<String>) -> Error {
    Error {
        code: Code::UnexpectedPayload,
        path: path.clone(),
        message: message.into(),
    }
}

pub(crate) fn missing_key(key: &str, path: &Path) -> Error {
    Error::parse(path, format!("key \"{key}\" not found"))
}

/// `parsing Int failed, expected Number, but encountered String`
pub(crate) fn mismatch(what: &str, expected: &str, value: &Value, path: &Path) -> Error {
    let found = match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    };
    Error::parse(
        path,
        format!("parsing {what} failed, expected {expected}, but encountered {found}"),
    )
}
