//! As much of a type system over the world as the requests of these tests need. Names follow Hasura; nothing
//! here is about visibility.

use std::sync::Arc;

use graphql::InputClass;
use graphql::type_system::{
    EnumValue, InputField, Name, OperationKind, OutputField, TypeDefinition, TypeKind, TypeReference,
    TypeSystem,
};
use schema::meaning::{AggregateOperation, ArgumentRole, Meaning, OrderDirection};
use schema::model::*;
use schema::operator::Operator;
use schema::scalar::ScalarClass;

pub(crate) struct Types<'m>(pub(crate) &'m Model);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Id {
    Query,
    Row(u32),
    BoolExp(u32),
    OrderBy(u32),
    AggregateOrderBy(u32),
    OperationOrderBy(u32, AggregateOperation),
    AggregateBoolExp(u32),
    CountBoolExp(u32),
    Aggregate(u32),
    AggregateFields(u32),
    OperationFields(u32, AggregateOperation),
    SelectColumn(u32),
    Comparison(u32, u16),
    Count,
    OrderDirection,
    Scalar(&'static str, InputClass),
    ColumnScalar(u32, u16),
    Arguments(u32, u16),
    FunctionArguments,
}

type Input = InputField<Id, Meaning>;
type Output = Arc<OutputField<Id, Meaning>>;

fn named(id: Id) -> TypeReference<Id> {
    TypeReference::Named { id, nullable: true }
}

fn list(id: Id) -> TypeReference<Id> {
    TypeReference::List {
        item: Box::new(TypeReference::Named { id, nullable: false }),
        nullable: true,
    }
}

fn input(name: &str, type_: TypeReference<Id>, meaning: Meaning) -> Input {
    Input {
        name: name.into(),
        description: None,
        type_,
        default: None,
        refuses_null: false,
        meaning,
    }
}

fn output(
    name: &str,
    type_: TypeReference<Id>,
    meaning: Meaning,
    arguments: Vec<Input>,
    composite: bool,
) -> Output {
    Arc::new(OutputField {
        name: name.into(),
        description: None,
        arguments,
        type_,
        composite,
        meaning,
        deprecated: None,
    })
}

fn list_arguments(table: u32) -> Vec<Input> {
    use ArgumentRole as Role;
    let role = Meaning::Argument;
    vec![
        input("where", named(Id::BoolExp(table)), role(Role::Where)),
        input("order_by", list(Id::OrderBy(table)), role(Role::OrderBy)),
        input(
            "limit",
            named(Id::Scalar("Int", InputClass::NonNegativeInt)),
            role(Role::Limit),
        ),
        input(
            "offset",
            named(Id::Scalar("Int", InputClass::NonNegativeBigInt)),
            role(Role::Offset),
        ),
        input(
            "distinct_on",
            list(Id::SelectColumn(table)),
            role(Role::DistinctOn),
        ),
    ]
}

const OPERATIONS: &[(&str, AggregateOperation)] = &[
    ("sum", AggregateOperation::Sum),
    ("avg", AggregateOperation::Avg),
    ("max", AggregateOperation::Max),
];

const DIRECTIONS: &[(&str, bool, bool)] = &[
    ("asc", false, false),
    ("desc", true, true),
    ("asc_nulls_first", false, true),
    ("desc_nulls_last", true, false),
];

impl Types<'_> {
    fn tables(&self) -> &[Table] {
        &self.0.sources[0].tables
    }

    fn table(&self, number: u32) -> &Table {
        &self.tables()[number as usize]
    }

    fn fields(&self, number: u32) -> Vec<Output> {
        let table = self.table(number);
        table
            .fields
            .iter()
            .map(|(name, field)| match *field {
                TableField::Column(id) => {
                    let column = &table.columns[usize::from(id.0)];
                    let mut arguments = Vec::new();
                    if column.scalar.class == ScalarClass::Jsonb {
                        let text = named(Id::Scalar("String", InputClass::String));
                        arguments.push(input("path", text, Meaning::Argument(ArgumentRole::JsonPath)));
                    }
                    output(
                        name,
                        named(Id::ColumnScalar(number, id.0)),
                        Meaning::Column(id),
                        arguments,
                        false,
                    )
                }
                TableField::Relationship(id) => {
                    let relationship = &table.relationships[usize::from(id.0)];
                    let target = relationship.target.index() as u32;
                    match relationship.kind {
                        RelationshipKind::Object => output(
                            name,
                            named(Id::Row(target)),
                            Meaning::Relationship(id),
                            Vec::new(),
                            true,
                        ),
                        RelationshipKind::Array => {
                            let arguments = list_arguments(target);
                            output(
                                name,
                                list(Id::Row(target)),
                                Meaning::Relationship(id),
                                arguments,
                                true,
                            )
                        }
                    }
                }
                TableField::RelationshipAggregate(id) => {
                    let target = table.relationships[usize::from(id.0)].target.index() as u32;
                    let type_ = named(Id::Aggregate(target));
                    output(
                        name,
                        type_,
                        Meaning::RelationshipAggregate(id),
                        list_arguments(target),
                        true,
                    )
                }
                TableField::ComputedField(id) => {
                    let known = &table.computed_fields[usize::from(id.0)];
                    let given = named(Id::Arguments(number, id.0));
                    let mut arguments =
                        vec![input("args", given, Meaning::Argument(ArgumentRole::Arguments))];
                    match &known.returns {
                        Returns::Table(target) => {
                            let target = target.index() as u32;
                            arguments.extend(list_arguments(target));
                            output(
                                name,
                                list(Id::Row(target)),
                                Meaning::ComputedField(id),
                                arguments,
                                true,
                            )
                        }
                        _ => {
                            let type_ = named(Id::Scalar("String", InputClass::String));
                            output(name, type_, Meaning::ComputedField(id), arguments, false)
                        }
                    }
                }
            })
            .collect()
    }

    fn roots(&self) -> Vec<Output> {
        let mut fields = Vec::new();
        let root = |verb, target| Meaning::Root(RootField { verb, target });
        for table in self.tables() {
            let name = &*table.identifier;
            let number = table.id.index() as u32;
            let target = RootTarget::Table(table.id);
            let arguments = list_arguments(number);
            fields.push(output(
                name,
                list(Id::Row(number)),
                root(RootVerb::Select, target),
                arguments,
                true,
            ));
            let keys = table
                .primary_key
                .iter()
                .map(|id| {
                    let column = &table.columns[usize::from(id.0)];
                    input(
                        &column.field,
                        named(Id::ColumnScalar(number, id.0)),
                        Meaning::Column(*id),
                    )
                })
                .collect();
            let by_pk = format!("{name}_by_pk");
            fields.push(output(
                &by_pk,
                named(Id::Row(number)),
                root(RootVerb::SelectByPk, target),
                keys,
                true,
            ));
            let aggregate = format!("{name}_aggregate");
            let verb = root(RootVerb::SelectAggregate, target);
            fields.push(output(
                &aggregate,
                named(Id::Aggregate(number)),
                verb,
                list_arguments(number),
                true,
            ));
        }
        let target = RootTarget::Function(FunctionId::new(0, 0));
        let mut arguments = list_arguments(3);
        let given = named(Id::FunctionArguments);
        arguments.push(input("args", given, Meaning::Argument(ArgumentRole::Arguments)));
        let verb = root(RootVerb::Select, target);
        fields.push(output(
            "find_tracks",
            list(Id::Row(3)),
            verb,
            arguments.clone(),
            true,
        ));
        let verb = root(RootVerb::SelectAggregate, target);
        fields.push(output(
            "find_tracks_aggregate",
            named(Id::Aggregate(3)),
            verb,
            arguments,
            true,
        ));
        fields
    }

    fn comparison(&self, number: u32, column: u16) -> Vec<Input> {
        let known = &self.table(number).columns[usize::from(column)];
        let scalar = Id::ColumnScalar(number, column);
        let array = known.type_.name.starts_with('_');
        let same = || if array { list(scalar) } else { named(scalar) };
        let operator = |name: &str, type_, operator| input(name, type_, Meaning::Operator(operator));
        let lists = || {
            if array {
                TypeReference::List {
                    item: Box::new(list(scalar)),
                    nullable: true,
                }
            } else {
                list(scalar)
            }
        };
        let text = || Id::Scalar("String", InputClass::String);
        let mut all = vec![
            operator("_eq", same(), Operator::Equal),
            operator("_neq", same(), Operator::NotEqual),
            operator("_gt", same(), Operator::Greater),
            operator("_gte", same(), Operator::GreaterOrEqual),
            operator("_in", lists(), Operator::In),
            operator("_nin", lists(), Operator::NotIn),
            operator(
                "_is_null",
                named(Id::Scalar("Boolean", InputClass::Boolean)),
                Operator::IsNull,
            ),
        ];
        if array || known.scalar.class == ScalarClass::Jsonb {
            all.push(operator("_contains", same(), Operator::Contains));
        }
        match known.scalar.class {
            ScalarClass::Text if !array => all.push(operator("_ilike", named(text()), Operator::ILike)),
            ScalarClass::Jsonb => {
                all.push(operator("_has_key", named(text()), Operator::HasKey));
                all.push(operator("_has_keys_any", list(text()), Operator::HasKeysAny));
            }
            ScalarClass::Geometry => all.push(operator("_st_within", same(), Operator::StWithin)),
            _ => {}
        }
        all
    }

    fn bool_exp(&self, number: u32) -> Vec<Input> {
        let table = self.table(number);
        let mut all = vec![
            input("_and", list(Id::BoolExp(number)), Meaning::And),
            input("_or", list(Id::BoolExp(number)), Meaning::Or),
            input("_not", named(Id::BoolExp(number)), Meaning::Not),
        ];
        for (name, field) in &table.fields {
            let (type_, meaning) = match *field {
                TableField::Column(id) => (Id::Comparison(number, id.0), Meaning::Column(id)),
                TableField::Relationship(id) => {
                    let target = table.relationships[usize::from(id.0)].target.index() as u32;
                    (Id::BoolExp(target), Meaning::Relationship(id))
                }
                TableField::RelationshipAggregate(id) => {
                    let target = table.relationships[usize::from(id.0)].target.index() as u32;
                    (Id::AggregateBoolExp(target), Meaning::RelationshipAggregate(id))
                }
                TableField::ComputedField(id) => match &table.computed_fields[usize::from(id.0)].returns {
                    Returns::Table(target) => {
                        (Id::BoolExp(target.index() as u32), Meaning::ComputedField(id))
                    }
                    _ => (Id::Comparison(0, 1), Meaning::ComputedField(id)),
                },
            };
            all.push(input(name, named(type_), meaning));
        }
        all
    }

    fn order_by(&self, number: u32) -> Vec<Input> {
        let table = self.table(number);
        table
            .fields
            .iter()
            .map(|(name, field)| match *field {
                TableField::Column(id) => input(name, named(Id::OrderDirection), Meaning::Column(id)),
                TableField::Relationship(id) => {
                    let target = table.relationships[usize::from(id.0)].target.index() as u32;
                    input(name, named(Id::OrderBy(target)), Meaning::Relationship(id))
                }
                TableField::RelationshipAggregate(id) => {
                    let target = table.relationships[usize::from(id.0)].target.index() as u32;
                    let type_ = named(Id::AggregateOrderBy(target));
                    input(name, type_, Meaning::RelationshipAggregate(id))
                }
                TableField::ComputedField(id) => {
                    input(name, named(Id::OrderDirection), Meaning::ComputedField(id))
                }
            })
            .collect()
    }

    fn columns<T>(&self, number: u32, make: impl Fn(&Column, ColumnId) -> T) -> Vec<T> {
        let columns = self.table(number).columns.iter().enumerate();
        columns
            .map(|(at, column)| make(column, ColumnId(at as u16)))
            .collect()
    }

    fn arguments(&self, arguments: &[Argument]) -> TypeKind<Id, Meaning> {
        TypeKind::InputObject(
            arguments
                .iter()
                .enumerate()
                .map(|(at, argument)| {
                    let class = argument.scalar.input;
                    let name = if class == InputClass::Int { "Int" } else { "String" };
                    let type_ = named(Id::Scalar(name, class));
                    input(&argument.field, type_, Meaning::FunctionArgument(at as u16))
                })
                .collect(),
        )
    }
}

impl TypeSystem for Types<'_> {
    type Id = Id;
    type Meaning = Meaning;

    fn root(&self, kind: OperationKind) -> Option<Id> {
        (kind == OperationKind::Query).then_some(Id::Query)
    }

    fn type_name(&self, id: Id) -> Name {
        match id {
            Id::Query => "query_root".into(),
            Id::Row(table) => self.table(table).identifier.clone(),
            Id::BoolExp(table) => format!("{}_bool_exp", self.table(table).identifier).into(),
            Id::Scalar(name, _) => name.into(),
            Id::ColumnScalar(table, column) => {
                self.table(table).columns[usize::from(column)].scalar.name.clone()
            }
            Id::Comparison(table, column) => format!(
                "{}_comparison_exp",
                self.type_name(Id::ColumnScalar(table, column))
            )
            .into(),
            other => format!("{other:?}").into(),
        }
    }

    fn object_field(&self, object: Id, name: &str) -> Option<Output> {
        match &self.definition(object).kind {
            TypeKind::Object(fields) => fields.iter().find(|field| &*field.name == name).cloned(),
            _ => None,
        }
    }

    fn definition(&self, id: Id) -> Arc<TypeDefinition<Id, Meaning>> {
        let int = || named(Id::Scalar("Int", InputClass::Int));
        let kind = match id {
            Id::Query => TypeKind::Object(self.roots()),
            Id::Row(table) => TypeKind::Object(self.fields(table)),
            Id::BoolExp(table) => TypeKind::InputObject(self.bool_exp(table)),
            Id::OrderBy(table) => TypeKind::InputObject(self.order_by(table)),
            Id::AggregateOrderBy(table) => {
                let mut all = vec![input("count", named(Id::OrderDirection), Meaning::Count)];
                for (name, operation) in OPERATIONS {
                    let type_ = named(Id::OperationOrderBy(table, *operation));
                    all.push(input(name, type_, Meaning::AggregateOperation(*operation)));
                }
                TypeKind::InputObject(all)
            }
            Id::OperationOrderBy(table, _) => TypeKind::InputObject(self.columns(table, |column, id| {
                input(&column.field, named(Id::OrderDirection), Meaning::Column(id))
            })),
            Id::AggregateBoolExp(table) => TypeKind::InputObject(vec![input(
                "count",
                named(Id::CountBoolExp(table)),
                Meaning::AggregatePredicate("count"),
            )]),
            Id::CountBoolExp(table) => {
                let role = Meaning::Argument;
                let boolean = named(Id::Scalar("Boolean", InputClass::Boolean));
                TypeKind::InputObject(vec![
                    input("predicate", named(Id::Count), role(ArgumentRole::Predicate)),
                    input("filter", named(Id::BoolExp(table)), role(ArgumentRole::Filter)),
                    input("distinct", boolean, role(ArgumentRole::Distinct)),
                    input(
                        "arguments",
                        list(Id::SelectColumn(table)),
                        role(ArgumentRole::AggregateArguments),
                    ),
                ])
            }
            Id::Count => TypeKind::InputObject(vec![
                input("_eq", int(), Meaning::Operator(Operator::Equal)),
                input("_gt", int(), Meaning::Operator(Operator::Greater)),
            ]),
            Id::Aggregate(table) => TypeKind::Object(vec![
                output(
                    "aggregate",
                    named(Id::AggregateFields(table)),
                    Meaning::Aggregate,
                    Vec::new(),
                    true,
                ),
                output("nodes", list(Id::Row(table)), Meaning::Nodes, Vec::new(), true),
            ]),
            Id::AggregateFields(table) => {
                let boolean = named(Id::Scalar("Boolean", InputClass::Boolean));
                let arguments = vec![
                    input(
                        "columns",
                        list(Id::SelectColumn(table)),
                        Meaning::Argument(ArgumentRole::Columns),
                    ),
                    input("distinct", boolean, Meaning::Argument(ArgumentRole::Distinct)),
                ];
                let mut all = vec![output("count", int(), Meaning::Count, arguments, false)];
                for (name, operation) in OPERATIONS {
                    let type_ = named(Id::OperationFields(table, *operation));
                    all.push(output(
                        name,
                        type_,
                        Meaning::AggregateOperation(*operation),
                        Vec::new(),
                        true,
                    ));
                }
                TypeKind::Object(all)
            }
            Id::OperationFields(table, _) => TypeKind::Object(self.columns(table, |column, id| {
                let type_ = named(Id::ColumnScalar(table, id.0));
                output(&column.field, type_, Meaning::Column(id), Vec::new(), false)
            })),
            Id::SelectColumn(table) => TypeKind::Enum(self.columns(table, |column, id| EnumValue {
                name: column.field.clone(),
                description: None,
                meaning: Meaning::Column(id),
            })),
            Id::Comparison(table, column) => TypeKind::InputObject(self.comparison(table, column)),
            Id::OrderDirection => TypeKind::Enum(
                DIRECTIONS
                    .iter()
                    .map(|(name, descending, nulls_first)| EnumValue {
                        name: (*name).into(),
                        description: None,
                        meaning: Meaning::Order(OrderDirection {
                            descending: *descending,
                            nulls_first: *nulls_first,
                        }),
                    })
                    .collect(),
            ),
            Id::Scalar(_, class) => TypeKind::Scalar(class),
            Id::ColumnScalar(table, column) => {
                TypeKind::Scalar(self.table(table).columns[usize::from(column)].scalar.input)
            }
            Id::Arguments(table, field) => {
                self.arguments(&self.table(table).computed_fields[usize::from(field)].arguments)
            }
            Id::FunctionArguments => self.arguments(&self.0.sources[0].functions[0].arguments),
        };
        Arc::new(TypeDefinition {
            name: self.type_name(id),
            description: None,
            kind,
        })
    }

    fn type_by_name(&self, name: &str) -> Option<Id> {
        (name == "query_root").then_some(Id::Query)
    }

    fn extra_types(&self) -> Vec<Id> {
        Vec::new()
    }
}
