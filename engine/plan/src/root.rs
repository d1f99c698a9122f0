//! The root fields of an operation: what each of them is answered by.

use std::sync::Arc;

use graphql::guard::Guard;
use graphql::operation::{Field, FieldTarget, Operation};
use graphql::{Code, Error, Name, OperationKind, Path, TypeSystem, introspect};
use schema::meaning::Meaning;
use schema::model::{FunctionId, Returns, RootField, RootTarget, RootVerb, SourceId, TableId};
use sql::Statement;
use sql::ast::Select;
use sql::shape::{Cardinality, Shape};

use crate::View;
use crate::ir::{self, RowSource, RowType, Rows};
use crate::lower::{self, Lowered, Lowerer, Text};
use crate::prepared::{AnswerPart, Mutation, MutationStatement, Root, RootContent, Several, Slot};
use crate::read::{Reader, Wanted, json_key, json_string, lost};
use crate::tag;
use crate::validation::Validation;
use crate::write::{MOST_APART, Part};

/// What Hasura v2 answers where a role can ask nothing.
const NO_QUERIES: &str = "There are no queries available to the current role. Either there are no sources or \
                          remote schemas configured, or the current role doesn't have the required permissions.";

/// Plans the root fields of one operation.
pub(crate) struct Planner<'m, T> {
    view: &'m View<'m, T>,
    kind: OperationKind,
    operation_name: Option<Name>,
    hash: &'m str,
    reader: Reader<'m>,
    guards: Vec<Guard>,
}

impl<'m, T> Planner<'m, T>
where
    T: TypeSystem<Meaning = Meaning>,
{
    pub(crate) fn new<I>(
        view: &'m View<'m, T>,
        operation: &Operation<I, Meaning>,
        hash: &'m str,
        guards: Vec<Guard>,
    ) -> Self {
        Self {
            view,
            kind: operation.kind,
            operation_name: operation.name.clone(),
            hash,
            reader: Reader::new(view.model, view.role, view.backend),
            guards,
        }
    }

    /// Rows with rows below or above them are inserted one by one.
    pub(crate) fn rows_apart(mut self, apart: bool) -> Self {
        self.reader.apart = apart.then_some(MOST_APART);
        self
    }

    /// Slots and guards of all that was planned, and what webhooks are to be asked.
    pub(crate) fn finish(self) -> (Vec<Slot>, Vec<Guard>, Vec<Validation>) {
        let mut guards = self.guards;
        for guard in self.reader.guards.into_vec() {
            if !guards.contains(&guard) {
                guards.push(guard);
            }
        }
        (self.reader.slots.into_vec(), guards, self.reader.validations)
    }

    /// The fields of a root type, or of a source's namespace.
    pub(crate) fn roots(&mut self, fields: &[Field<T::Id, Meaning>]) -> Result<Vec<Root>, Error> {
        fields
            .iter()
            .map(|field| {
                let (name, content) = self.root(field)?;
                Ok(Root {
                    key: json_key(&field.response_key),
                    field: name,
                    content,
                })
            })
            .collect()
    }

    fn root(&mut self, field: &Field<T::Id, Meaning>) -> Result<(Name, RootContent), Error> {
        let path = &field.path;
        let (name, meaning) = match &field.target {
            FieldTarget::Typename(type_) => {
                return Ok(("__typename".into(), constant(json_string(type_).into_bytes())));
            }
            FieldTarget::Schema(introspection) => {
                return Ok(("__schema".into(), self.introspect(introspection, path)?));
            }
            FieldTarget::Type(introspection) => {
                return Ok(("__type".into(), self.introspect(introspection, path)?));
            }
            FieldTarget::Field { name, meaning, .. } => (name.clone(), *meaning),
        };
        let content = match meaning {
            Meaning::NoQueries => constant(json_string(NO_QUERIES).into_bytes()),
            Meaning::Namespace(_) => RootContent::Object(self.roots(&field.selection)?),
            Meaning::Root(RootField { verb, target }) => {
                let source = match target {
                    RootTarget::Table(table) => table.source(),
                    RootTarget::Function(function) => function.source(),
                };
                self.reader.turn_to(self.view.model.source(source));
                if self.kind == OperationKind::Mutation {
                    return Ok((name.clone(), self.mutation(verb, target, source, &name, field)?));
                }
                let (select, shape) = match target {
                    RootTarget::Table(table) => self.table(verb, table, field)?,
                    RootTarget::Function(function) => self.function(verb, function, field)?,
                };
                self.statement(source, &name, &select, shape)?
            }
            _ => return Err(lost(path, "root field")),
        };
        Ok((name, content))
    }

    fn introspect(
        &self,
        introspection: &introspect::Introspection,
        path: &Path,
    ) -> Result<RootContent, Error> {
        let model = self.view.model;
        let role = &self.view.role.name;
        if model.introspection_disabled.contains(role) {
            return Err(Error::validation(
                path,
                format!("introspection is disabled for role: {}", json_string(role)),
            ));
        }
        Ok(constant(
            introspection.answer(self.view.types, introspect::MAXIMUM_BYTES)?,
        ))
    }

    fn table(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<T::Id, Meaning>,
    ) -> Result<(Select, Shape), Error> {
        let path = &field.path;
        let source = RowSource::Table(self.reader.table(id, path)?);
        self.rows(verb, source, true, field)
    }

    fn function(
        &mut self,
        verb: RootVerb,
        id: FunctionId,
        field: &Field<T::Id, Meaning>,
    ) -> Result<(Select, Shape), Error> {
        let path = &field.path;
        let model = self.view.model;
        let function = model
            .function(id)
            .filter(|_| self.view.role.functions.contains(&id))
            .ok_or_else(|| lost(path, "function"))?;
        let row = match &function.returns {
            Returns::Table(table) => RowType::Table(self.reader.table(*table, path)?),
            Returns::Rows { columns, .. } => RowType::Columns(columns),
            Returns::Scalar { .. } => return Err(lost(path, "function")),
        };
        let given = self.reader.call_arguments(&field.arguments);
        let call = self.reader.function_call(function, given, path)?;
        self.rows(verb, RowSource::Call(call, row), function.returns_set, field)
    }

    fn rows(
        &mut self,
        verb: RootVerb,
        source: RowSource<'m>,
        many: bool,
        field: &Field<T::Id, Meaning>,
    ) -> Result<(Select, Shape), Error> {
        let path = &field.path;
        let row = source.row_type();
        match verb {
            RootVerb::Select => {
                let rows = self.list(source, field)?;
                let object = self.reader.object(row, &field.selection)?;
                let cardinality = if many {
                    Cardinality::List
                } else {
                    Cardinality::OneOrNull
                };
                Ok(self.lowerer(path)?.root_rows(&rows, &object, cardinality))
            }
            RootVerb::SelectByPk => {
                let rows = self.reader.row_by_key(source, &field.arguments, path)?;
                let object = self.reader.object(row, &field.selection)?;
                Ok(self
                    .lowerer(path)?
                    .root_rows(&rows, &object, Cardinality::OneOrNull))
            }
            RootVerb::SelectAggregate => {
                let rows = self.list(source, field)?;
                let aggregate = self.reader.aggregate(rows, &field.selection)?;
                Ok(self.lowerer(path)?.root_aggregate(&aggregate))
            }
            RootVerb::SelectStream => Err(unsupported(path, "streaming subscriptions")),
            _ => Err(lost(path, "query")),
        }
    }

    /// A field of the mutation root: writes to a table, or a function that does.
    fn mutation(
        &mut self,
        verb: RootVerb,
        target: RootTarget,
        source: SourceId,
        name: &Name,
        field: &Field<T::Id, Meaning>,
    ) -> Result<RootContent, Error> {
        let mut mutation = Mutation {
            source,
            statements: Vec::new(),
            at_once: Vec::new(),
            answer: Vec::new(),
            many: false,
            bounded: true,
            repeatable: true,
        };
        match target {
            RootTarget::Function(function) => {
                let (select, shape) = self.function(verb, function, field)?;
                mutation.bounded = false;
                mutation.repeatable = false;
                mutation.answer.push(AnswerPart::Statement);
                mutation.statements.push(MutationStatement {
                    statement: self.printed(name, &Text::Reading(Box::new(select)), shape)?,
                    answers: true,
                    path: Path::root(),
                    rows: None,
                    several: Several::No,
                    missing: None,
                });
            }
            RootTarget::Table(table) => {
                let written = self.reader.mutation(verb, table, field)?;
                mutation.many = written.many;
                mutation.bounded =
                    !matches!(verb, RootVerb::Update | RootVerb::UpdateMany | RootVerb::Delete);
                for part in written.parts {
                    self.mutation_part(name, part, field, &mut mutation)?;
                }
            }
        }
        Ok(RootContent::Mutation(mutation))
    }

    fn mutation_part(
        &mut self,
        name: &Name,
        part: Part<'m>,
        field: &Field<T::Id, Meaning>,
        mutation: &mut Mutation,
    ) -> Result<(), Error> {
        let planned = match part {
            Part::Nothing(json) => {
                mutation.answer.push(AnswerPart::Constant(json.into()));
                return Ok(());
            }
            Part::Mutation(planned) => planned,
        };
        mutation.answer.push(AnswerPart::Statement);
        mutation.repeatable &= lower::is_repeatable(&planned);
        let comments = self.comments(name)?;
        let statements = self.lowerer(&field.path)?.mutation(&planned);
        mutation
            .statements
            .extend(mutation_statements(statements, &planned, &comments));
        if let Some(statements) = self.lowerer(&field.path)?.chained(&planned) {
            mutation.at_once = mutation_statements(statements, &planned, &comments);
        }
        Ok(())
    }

    fn list(&mut self, source: RowSource<'m>, field: &Field<T::Id, Meaning>) -> Result<Rows<'m>, Error> {
        self.reader.rows(Wanted {
            source,
            link: Vec::new(),
            arguments: &field.arguments,
            path: &field.path,
        })
    }

    fn lowerer(&self, path: &Path) -> Result<Lowerer<'m>, Error> {
        let source = self.reader.source(path)?;
        Ok(Lowerer::new(
            self.view.model.options.stringify_numeric_types,
            &source.extensions_schema,
        ))
    }

    fn statement(
        &self,
        id: SourceId,
        field: &Name,
        select: &Select,
        shape: Shape,
    ) -> Result<RootContent, Error> {
        let (before, after) = self.comments(field)?;
        Ok(RootContent::Statement {
            source: id,
            statement: Statement::of(select, shape, &before, &after).into(),
        })
    }

    fn printed(&self, field: &Name, text: &Text, shape: Shape) -> Result<Arc<Statement>, Error> {
        Ok(printed(text, shape, &self.comments(field)?))
    }

    fn comments(&self, field: &Name) -> Result<(String, String), Error> {
        let source = self.reader.source(&Path::root())?;
        let tags = tag::Tags {
            field,
            hash: self.hash,
            operation_name: self.operation_name.as_deref(),
            request_id: None,
        };
        Ok(tag::comments(&source.query_tags, &tags))
    }
}

/// What a mutation runs; the comments stand before and after each text.
pub(crate) fn mutation_statements(
    lowered: Vec<Lowered>,
    planned: &ir::Mutation<'_>,
    comments: &(String, String),
) -> Vec<MutationStatement> {
    lowered
        .into_iter()
        .map(|lowered| {
            let write = lowered.write.and_then(|number| planned.writes.get(number));
            MutationStatement {
                statement: printed(&lowered.text, lowered.shape, comments),
                answers: lowered.answers,
                path: write.map_or_else(Path::root, |write| write.path.clone()),
                rows: write.and_then(|write| write.rows.clone()),
                several: write.map_or(Several::No, |write| write.several.clone()),
                missing: write
                    .and_then(|write| write.wanted.as_ref())
                    .map(|wanted| (wanted.message.clone(), wanted.path.clone())),
            }
        })
        .collect()
}

fn printed(text: &Text, shape: Shape, (before, after): &(String, String)) -> Arc<Statement> {
    Arc::new(match text {
        Text::Reading(select) => Statement::of(select, shape, before, after),
        Text::Writing(writing) => Statement::of_writing(writing, shape, before, after),
    })
}

fn constant(json: Vec<u8>) -> RootContent {
    RootContent::Constant(json.into())
}

fn unsupported(path: &Path, what: &str) -> Error {
    Error {
        code: Code::NotSupported,
        path: path.clone(),
        message: format!("{what} are not supported yet"),
    }
}
