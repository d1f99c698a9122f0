//! The GraphQL types of one role, derived when asked for: the model seen through the role's overlay.
//!
//! A [`RoleView`] holds two pointers and no types. What a role may not see is not there: not as a field, not in
//! a filter, not in an order. Fields, arguments, keys and values come in the order of their names, as upstream
//! introspection prints them.

mod access;
mod aggregate;
mod bool_exp;
mod comparison;
mod delete;
mod function;
mod insert;
mod mutation;
mod object;
mod order_by;
mod root;
mod select;
mod shared;
mod stream;
mod type_key;
mod type_name;
mod update;

use std::collections::VecDeque;
use std::sync::Arc;

use graphql::type_system::{InputField, OutputField, TypeDefinition, TypeKind, TypeReference};
use graphql::{InputClass, Name, OperationKind, TypeSystem};
use rustc_hash::FxHashSet;

pub use type_key::TypeKey;

use crate::meaning::Meaning;
use crate::model::{Model, Role};
use crate::scalar::ScalarId;

/// A field of a role's schema.
pub type Field = OutputField<TypeKey, Meaning>;
/// An argument or input key of a role's schema.
pub type Input = InputField<TypeKey, Meaning>;
/// A type of a role's schema.
pub type Definition = TypeDefinition<TypeKey, Meaning>;
/// A reference to a type of a role's schema.
pub type Reference = TypeReference<TypeKey>;

/// The schema of one role.
#[derive(Debug, Clone)]
pub struct RoleView {
    model: Arc<Model>,
    role: Arc<Role>,
    backend: bool,
}

impl RoleView {
    /// The schema of a role. A role that the model does not know sees nothing. `backend` says that the request
    /// has backend privileges, so that `backend_only` permissions count.
    pub fn new(model: Arc<Model>, role: &str, backend: bool) -> Self {
        let role = model.roles.get(role).cloned().unwrap_or_else(|| {
            Arc::new(Role {
                name: Name::from(role),
                ..Role::default()
            })
        });
        Self { model, role, backend }
    }

    /// The model behind it.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The overlay.
    pub fn role(&self) -> &Arc<Role> {
        &self.role
    }

    /// The request has backend privileges.
    pub fn has_backend_privileges(&self) -> bool {
        self.backend
    }

    /// The role may introspect.
    pub fn may_introspect(&self) -> bool {
        !self.model.introspection_disabled.contains(&self.role.name)
    }

    fn scalar_class(&self, id: ScalarId) -> InputClass {
        self.model
            .scalars
            .get(id)
            .map_or(InputClass::Text, |scalar| scalar.input)
    }
}

impl TypeSystem for RoleView {
    type Id = TypeKey;
    type Meaning = Meaning;

    fn takes_rows(&self, meaning: &Meaning) -> bool {
        *meaning == Meaning::Argument(crate::meaning::ArgumentRole::Objects)
    }

    fn root(&self, kind: OperationKind) -> Option<TypeKey> {
        match kind {
            OperationKind::Query => Some(TypeKey::Root(kind)),
            OperationKind::Mutation | OperationKind::Subscription => {
                self.has_root_fields(kind).then_some(TypeKey::Root(kind))
            }
        }
    }

    fn type_name(&self, id: TypeKey) -> Name {
        self.name_of(id)
    }

    fn object_field(&self, object: TypeKey, name: &str) -> Option<Arc<Field>> {
        let field = match object {
            TypeKey::Root(kind) => self.root_field(kind, name),
            TypeKey::Namespace(source, kind) => self.namespace_field(source, kind, name),
            TypeKey::Table(table) => self.table_field(table, name),
            TypeKey::Aggregate(table) => pick(self.aggregate_fields(table), name),
            TypeKey::AggregateFields(table) => pick(self.aggregate_fields_fields(table), name),
            TypeKey::AggregateOperation(table, operation) => {
                pick(self.operation_fields(table, operation), name)
            }
            TypeKey::MutationResponse(table) => pick(self.mutation_response(table), name),
            TypeKey::FunctionRow(function) => pick(self.function_row_fields(function), name),
            TypeKey::ComputedRow(table, field) => pick(self.computed_row_fields(table, field), name),
            _ => None,
        };
        field.map(Arc::new)
    }

    fn definition(&self, id: TypeKey) -> Arc<Definition> {
        let (description, kind) = match id {
            TypeKey::Root(kind) => {
                let description = (kind == OperationKind::Mutation).then(|| "mutation root".to_owned());
                (description, objects(self.root_fields(kind)))
            }
            TypeKey::Namespace(source, kind) => (None, objects(self.namespace_fields(source, kind))),
            TypeKey::Scalar(scalar) => (None, TypeKind::Scalar(self.scalar_class(scalar))),
            TypeKey::NonNegativeInt => (None, TypeKind::Scalar(InputClass::NonNegativeInt)),
            TypeKey::NonNegativeBigInt => (None, TypeKind::Scalar(InputClass::NonNegativeBigInt)),
            TypeKey::Table(table) => (self.table_description(table), objects(self.table_fields(table))),
            TypeKey::BoolExp(table) => (self.bool_exp_description(table), inputs(self.bool_exp(table))),
            TypeKey::OrderBy(table) => (self.order_by_description(table), inputs(self.order_by(table))),
            TypeKey::SelectColumn(table) => (
                self.select_column_description(table),
                values(self.select_columns(table)),
            ),
            TypeKey::Aggregate(table) => (
                self.quoted(table, "aggregated selection of"),
                objects(self.aggregate_fields(table)),
            ),
            TypeKey::AggregateFields(table) => (
                self.quoted(table, "aggregate fields of"),
                objects(self.aggregate_fields_fields(table)),
            ),
            TypeKey::AggregateOperation(table, operation) => (
                Some(format!("aggregate {} on columns", operation.name())),
                objects(self.operation_fields(table, operation)),
            ),
            TypeKey::AggregateOrderBy(table) => (
                self.quoted(table, "order by aggregate values of table"),
                inputs(self.aggregate_order_by(table)),
            ),
            TypeKey::AggregateOperationOrderBy(table, operation) => (
                self.quoted(
                    table,
                    &format!("order by {}() on columns of table", operation.name()),
                ),
                inputs(self.operation_order_by(table, operation)),
            ),
            TypeKey::AggregateBoolExp(table) => (None, inputs(self.aggregate_bool_exp(table))),
            TypeKey::AggregateBoolExpFunction(table, function) => {
                (None, inputs(self.aggregate_bool_exp_function(table, function)))
            }
            TypeKey::AggregateBoolExpArguments(table, function) => {
                (None, inputs(self.aggregate_bool_exp_arguments(table, function)))
            }
            TypeKey::AggregateBoolExpColumns(table, function) => (
                self.aggregate_bool_exp_columns_description(table, function),
                values(self.aggregate_bool_exp_columns(table, function)),
            ),
            TypeKey::InsertInput(table) => (
                self.quoted(table, "input type for inserting data into table"),
                inputs(self.insert_input(table)),
            ),
            TypeKey::ObjectInsertInput(table) => (
                self.quoted(table, "input type for inserting object relation for remote table"),
                inputs(self.nested_insert_input(table, false)),
            ),
            TypeKey::ArrayInsertInput(table) => (
                self.quoted(table, "input type for inserting array relation for remote table"),
                inputs(self.nested_insert_input(table, true)),
            ),
            TypeKey::OnConflict(table) => (
                self.quoted(table, "on_conflict condition type for table"),
                inputs(self.on_conflict(table)),
            ),
            TypeKey::Constraint(table) => (
                self.quoted(table, "unique or primary key constraints on table"),
                values(self.constraints(table)),
            ),
            TypeKey::UpdateColumn(table) => (
                self.update_column_description(table),
                values(self.update_column_values(table)),
            ),
            TypeKey::UpdateInput(table, operator) => (
                self.update_input_description(table, operator),
                inputs(self.update_input(table, operator)),
            ),
            TypeKey::KeyColumns(table) => (
                self.key_columns_description(table),
                inputs(self.key_columns(table)),
            ),
            TypeKey::Updates(table) => (None, inputs(self.updates(table))),
            TypeKey::MutationResponse(table) => (
                self.quoted(table, "response of any mutation on the table"),
                objects(self.mutation_response(table)),
            ),
            TypeKey::StreamCursor(table) => (
                self.stream_cursor_description(table),
                inputs(self.stream_cursor(table)),
            ),
            TypeKey::StreamCursorValue(table) => (
                Some("Initial value of the column from where the streaming should start".to_owned()),
                inputs(self.stream_cursor_value(table)),
            ),
            TypeKey::CursorOrdering(_) => (
                Some("ordering argument of a cursor".to_owned()),
                values(shared::cursor_ordering()),
            ),
            TypeKey::OrderDirection(naming) => (
                Some("column ordering options".to_owned()),
                values(shared::order_directions(naming)),
            ),
            TypeKey::Comparison(scalar, array, naming) => (
                self.comparison_description(scalar),
                inputs(self.comparison(scalar, array, naming)),
            ),
            TypeKey::EnumTable(table) => (None, values(self.enum_values(table))),
            TypeKey::EnumComparison(table) => (
                self.enum_comparison_description(table),
                inputs(self.enum_comparison(table)),
            ),
            TypeKey::Cast(scalar, naming) => (None, inputs(shared::cast(scalar, naming))),
            TypeKey::DWithin { geography } => (None, inputs(shared::d_within(geography))),
            TypeKey::RasterIntersects { band_first } => (None, inputs(shared::raster_intersects(band_first))),
            TypeKey::FunctionArguments(function) => (None, inputs(self.function_arguments(function))),
            TypeKey::ComputedArguments(table, field) => (None, inputs(self.computed_arguments(table, field))),
            TypeKey::FunctionRow(function) => (
                self.function_row_description(function),
                objects(self.function_row_fields(function)),
            ),
            TypeKey::ComputedRow(table, field) => (
                self.computed_row_description(table, field),
                objects(self.computed_row_fields(table, field)),
            ),
        };
        Arc::new(TypeDefinition {
            name: self.name_of(id),
            description,
            kind,
        })
    }

    fn type_by_name(&self, name: &str) -> Option<TypeKey> {
        let kinds = [
            OperationKind::Query,
            OperationKind::Mutation,
            OperationKind::Subscription,
        ];
        let mut open: VecDeque<TypeKey> = kinds.into_iter().filter_map(|kind| self.root(kind)).collect();
        open.extend(self.extra_types());
        let mut seen: FxHashSet<TypeKey> = open.iter().copied().collect();
        while let Some(id) = open.pop_front() {
            if *self.name_of(id) == *name {
                return Some(id);
            }
            let definition = self.definition(id);
            let mut visit = |reference: &Reference| {
                let next = named_type(reference);
                if seen.insert(next) {
                    open.push_back(next);
                }
            };
            match &definition.kind {
                TypeKind::Scalar(_) | TypeKind::Enum(_) | TypeKind::Union => {}
                TypeKind::Object(fields) | TypeKind::Interface(fields) => {
                    for field in fields {
                        visit(&field.type_);
                        field.arguments.iter().for_each(|argument| visit(&argument.type_));
                    }
                }
                TypeKind::InputObject(fields) => fields.iter().for_each(|field| visit(&field.type_)),
            }
        }
        None
    }

    fn extra_types(&self) -> Vec<TypeKey> {
        vec![
            TypeKey::Scalar(ScalarId::STRING),
            TypeKey::Scalar(ScalarId::BOOLEAN),
        ]
    }
}

/// The named type within lists.
fn named_type(reference: &Reference) -> TypeKey {
    let mut at = reference;
    loop {
        match at {
            TypeReference::Named { id, .. } => return *id,
            TypeReference::List { item, .. } => at = item,
        }
    }
}

fn pick(fields: Vec<Field>, name: &str) -> Option<Field> {
    fields.into_iter().find(|field| *field.name == *name)
}

fn objects(mut fields: Vec<Field>) -> TypeKind<TypeKey, Meaning> {
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    TypeKind::Object(fields.into_iter().map(Arc::new).collect())
}

fn inputs(fields: Vec<Input>) -> TypeKind<TypeKey, Meaning> {
    TypeKind::InputObject(sorted(fields))
}

fn values(mut values: Vec<graphql::type_system::EnumValue<Meaning>>) -> TypeKind<TypeKey, Meaning> {
    values.sort_by(|one, other| one.name.cmp(&other.name));
    TypeKind::Enum(values)
}

/// Arguments and keys in the order of their names.
fn sorted(mut fields: Vec<Input>) -> Vec<Input> {
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields
}

/// `T` or `T!`
fn named(id: TypeKey, nullable: bool) -> Reference {
    TypeReference::Named { id, nullable }
}

/// `[T!]` or `[T!]!`
fn list(id: TypeKey, nullable: bool) -> Reference {
    TypeReference::List {
        item: Box::new(named(id, false)),
        nullable,
    }
}

/// An optional key without a default.
fn input(name: Name, type_: Reference, meaning: Meaning) -> Input {
    InputField {
        name,
        description: None,
        type_,
        default: None,
        refuses_null: false,
        meaning,
    }
}

/// The same with a description.
fn described(name: Name, description: &str, type_: Reference, meaning: Meaning) -> Input {
    InputField {
        description: Some(description.to_owned()),
        ..input(name, type_, meaning)
    }
}

/// An optional key that may be left out but not be null.
fn not_null(input: Input) -> Input {
    Input {
        refuses_null: true,
        ..input
    }
}

/// A field without arguments.
fn field(
    name: Name,
    description: Option<String>,
    type_: Reference,
    composite: bool,
    meaning: Meaning,
) -> Field {
    OutputField {
        name,
        description,
        arguments: Vec::new(),
        type_,
        composite,
        meaning,
        deprecated: None,
    }
}
