//! A role's types and those of introspection as one type system, each type derived once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::introspect::meta::{self, Meta, MetaType};
use crate::type_system::{
    EnumValue, InputField, Name, OperationKind, OutputField, TypeDefinition, TypeKind, TypeReference,
    TypeSystem,
};

/// A type of the role or of introspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Any<I> {
    Role(I),
    Meta(MetaType),
}

pub(crate) type AnyDefinition<I> = TypeDefinition<Any<I>, ()>;

/// How many derived types are kept at a time: all of a schema of a hundred tables. Those of thousands of tables together
/// would take hundreds of megabytes for the one answer, and are derived twice instead.
pub(crate) const KEPT: usize = 2048;

/// All types, derived when they are asked for. The last of them are kept, and the kind of each that was derived.
pub(crate) struct Whole<'t, T: TypeSystem> {
    types: &'t T,
    derived: FxHashMap<Any<T::Id>, Arc<AnyDefinition<T::Id>>>,
    kinds: FxHashMap<Any<T::Id>, &'static str>,
    kept: usize,
}

impl<'t, T: TypeSystem> Whole<'t, T> {
    /// With `kept` derived types at a time.
    pub(crate) fn keeping(types: &'t T, kept: usize) -> Self {
        Self {
            types,
            derived: FxHashMap::default(),
            kinds: FxHashMap::default(),
            kept,
        }
    }

    pub(crate) fn root(&self, kind: OperationKind) -> Option<Any<T::Id>> {
        self.types.root(kind).map(Any::Role)
    }

    pub(crate) fn name(&self, id: Any<T::Id>) -> Name {
        match id {
            Any::Role(id) => self.types.type_name(id),
            Any::Meta(id) => Meta.type_name(id),
        }
    }

    /// What an interface or union may turn out to be.
    pub(crate) fn possible_types(&self, id: Any<T::Id>) -> Option<Vec<Any<T::Id>>> {
        match id {
            Any::Role(id) => Some(
                self.types
                    .possible_types(id)?
                    .into_iter()
                    .map(Any::Role)
                    .collect(),
            ),
            Any::Meta(_) => None,
        }
    }

    /// What an object implements.
    pub(crate) fn interfaces(&self, id: Any<T::Id>) -> Vec<Any<T::Id>> {
        match id {
            Any::Role(id) => self.types.interfaces(id).into_iter().map(Any::Role).collect(),
            Any::Meta(_) => Vec::new(),
        }
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<Any<T::Id>> {
        self.types
            .type_by_name(name)
            .map(Any::Role)
            .or_else(|| Meta.type_by_name(name).map(Any::Meta))
    }

    pub(crate) fn definition(&mut self, id: Any<T::Id>) -> Arc<AnyDefinition<T::Id>> {
        if let Some(definition) = self.derived.get(&id) {
            return definition.clone();
        }
        let definition = Arc::new(match id {
            Any::Role(id) => convert(&self.types.definition(id), &Any::Role),
            Any::Meta(id) => convert(&Meta.definition(id), &Any::Meta),
        });
        if self.derived.len() >= self.kept {
            self.derived.clear();
        }
        self.derived.insert(id, definition.clone());
        self.kinds.insert(id, kind(&definition.kind));
        definition
    }

    /// The `__TypeKind` of a named type. Fields and arguments ask it of the types they lead to.
    pub(crate) fn kind(&mut self, id: Any<T::Id>) -> &'static str {
        match self.kinds.get(&id) {
            Some(kind) => kind,
            None => kind(&self.definition(id).kind),
        }
    }

    /// Every type that roots, `extra_types`, introspection and directives lead to, by name.
    pub(crate) fn all(&mut self) -> Vec<(Name, Any<T::Id>)> {
        let kinds = [
            OperationKind::Query,
            OperationKind::Mutation,
            OperationKind::Subscription,
        ];
        let mut open: Vec<Any<T::Id>> = MetaType::SHOWN.into_iter().map(Any::Meta).collect();
        open.extend(self.types.extra_types().into_iter().rev().map(Any::Role));
        open.extend(kinds.into_iter().rev().filter_map(|kind| self.root(kind)));
        // Types of one name are one type to a client; the role's own is shown, and it is found first.
        let mut found: FxHashMap<Name, Any<T::Id>> = FxHashMap::default();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let definition = self.definition(id);
            let place = found.entry(definition.name.clone()).or_insert(id);
            if matches!((&place, id), (Any::Meta(_), Any::Role(_))) {
                *place = id;
            }
            open.extend(self.possible_types(id).unwrap_or_default());
            open.extend(self.interfaces(id));
            match &definition.kind {
                TypeKind::Scalar(_) | TypeKind::Enum(_) | TypeKind::Union => {}
                TypeKind::Object(fields) | TypeKind::Interface(fields) => {
                    for field in fields {
                        open.push(innermost(&field.type_));
                        open.extend(field.arguments.iter().map(|argument| innermost(&argument.type_)));
                    }
                }
                TypeKind::InputObject(fields) => {
                    open.extend(fields.iter().map(|field| innermost(&field.type_)));
                }
            }
        }
        let mut all: Vec<_> = found.into_iter().collect();
        all.sort_by(|(left, _), (right, _)| left.cmp(right));
        all
    }
}

/// Arguments with types of the whole.
pub(crate) type Inputs<I> = Vec<InputField<Any<I>, ()>>;

/// The directives that introspection shows, with their arguments as types of the whole.
pub(crate) fn directives<I: Copy>() -> Vec<(&'static meta::DirectiveDefinition, Inputs<I>)> {
    meta::directives()
        .iter()
        .filter(|directive| directive.shown)
        .map(|directive| {
            (
                directive,
                directive
                    .arguments
                    .iter()
                    .map(|argument| convert_input(argument, &Any::Meta))
                    .collect(),
            )
        })
        .collect()
}

/// The named type within lists.
pub(crate) fn innermost<I: Copy>(type_: &TypeReference<I>) -> I {
    let mut at = type_;
    loop {
        match at {
            TypeReference::Named { id, .. } => return *id,
            TypeReference::List { item, .. } => at = item,
        }
    }
}

fn kind<I, M>(kind: &TypeKind<I, M>) -> &'static str {
    match kind {
        TypeKind::Scalar(_) => "SCALAR",
        TypeKind::Enum(_) => "ENUM",
        TypeKind::Object(_) => "OBJECT",
        TypeKind::InputObject(_) => "INPUT_OBJECT",
        TypeKind::Interface(_) => "INTERFACE",
        TypeKind::Union => "UNION",
    }
}

fn convert<I, J: Copy, M>(definition: &TypeDefinition<J, M>, id: &impl Fn(J) -> Any<I>) -> AnyDefinition<I> {
    TypeDefinition {
        name: definition.name.clone(),
        description: definition.description.clone(),
        kind: match &definition.kind {
            TypeKind::Scalar(class) => TypeKind::Scalar(*class),
            TypeKind::Enum(values) => TypeKind::Enum(
                values
                    .iter()
                    .map(|value| EnumValue {
                        name: value.name.clone(),
                        description: value.description.clone(),
                        meaning: (),
                    })
                    .collect(),
            ),
            TypeKind::Object(fields) => TypeKind::Object(convert_fields(fields, id)),
            TypeKind::Interface(fields) => TypeKind::Interface(convert_fields(fields, id)),
            TypeKind::Union => TypeKind::Union,
            TypeKind::InputObject(fields) => {
                TypeKind::InputObject(fields.iter().map(|field| convert_input(field, id)).collect())
            }
        },
    }
}

fn convert_fields<I, J: Copy, M>(
    fields: &[Arc<OutputField<J, M>>],
    id: &impl Fn(J) -> Any<I>,
) -> Vec<Arc<OutputField<Any<I>, ()>>> {
    let each = fields.iter().map(|field| {
        Arc::new(OutputField {
            name: field.name.clone(),
            description: field.description.clone(),
            arguments: field
                .arguments
                .iter()
                .map(|argument| convert_input(argument, id))
                .collect(),
            type_: convert_reference(&field.type_, id),
            composite: field.composite,
            meaning: (),
            deprecated: field.deprecated.clone(),
        })
    });
    each.collect()
}

fn convert_input<I, J: Copy, M>(
    field: &InputField<J, M>,
    id: &impl Fn(J) -> Any<I>,
) -> InputField<Any<I>, ()> {
    InputField {
        name: field.name.clone(),
        description: field.description.clone(),
        type_: convert_reference(&field.type_, id),
        default: field.default.clone(),
        refuses_null: field.refuses_null,
        meaning: (),
    }
}

fn convert_reference<I, J: Copy>(
    type_: &TypeReference<J>,
    id: &impl Fn(J) -> Any<I>,
) -> TypeReference<Any<I>> {
    match type_ {
        TypeReference::Named { id: inner, nullable } => TypeReference::Named {
            id: id(*inner),
            nullable: *nullable,
        },
        TypeReference::List { item, nullable } => TypeReference::List {
            item: Box::new(convert_reference(item, id)),
            nullable: *nullable,
        },
    }
}
