//! The types of introspection itself, and the directives, as a type system of their own.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::normalize::Location;
use crate::type_system::{
    EnumValue, InputClass, InputField, Name, OperationKind, OutputField, TypeDefinition, TypeKind,
    TypeReference, TypeSystem,
};

/// The type system of introspection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meta;

/// A type of introspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum MetaType {
    /// Holds `__schema` and `__type`; never shown.
    Query,
    Schema,
    Type,
    Field,
    InputValue,
    EnumValue,
    Directive,
    TypeKind,
    DirectiveLocation,
    String,
    Boolean,
    Int,
}

impl MetaType {
    /// Those that introspection shows.
    pub(crate) const SHOWN: [Self; 11] = [
        Self::Schema,
        Self::Type,
        Self::Field,
        Self::InputValue,
        Self::EnumValue,
        Self::Directive,
        Self::TypeKind,
        Self::DirectiveLocation,
        Self::String,
        Self::Boolean,
        Self::Int,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Query => "query_root",
            Self::Schema => "__Schema",
            Self::Type => "__Type",
            Self::Field => "__Field",
            Self::InputValue => "__InputValue",
            Self::EnumValue => "__EnumValue",
            Self::Directive => "__Directive",
            Self::TypeKind => "__TypeKind",
            Self::DirectiveLocation => "__DirectiveLocation",
            Self::String => "String",
            Self::Boolean => "Boolean",
            Self::Int => "Int",
        }
    }
}

type Definition = TypeDefinition<MetaType, ()>;
type Reference = TypeReference<MetaType>;

/// A directive.
#[derive(Debug)]
pub(crate) struct DirectiveDefinition {
    pub(crate) name: Name,
    pub(crate) description: &'static str,
    pub(crate) arguments: Vec<InputField<MetaType, ()>>,
    pub(crate) locations: Vec<Location>,
    /// Whether introspection shows it.
    pub(crate) shown: bool,
}

/// The directive of that name.
pub(crate) fn directive(name: &str) -> Option<&'static DirectiveDefinition> {
    DIRECTIVES.iter().find(|directive| &*directive.name == name)
}

/// All directives, in the order in which introspection shows them.
pub(crate) fn directives() -> &'static [DirectiveDefinition] {
    &DIRECTIVES
}

static DIRECTIVES: LazyLock<Vec<DirectiveDefinition>> = LazyLock::new(|| {
    let selections = || {
        vec![
            Location::Field,
            Location::FragmentSpread,
            Location::InlineFragment,
        ]
    };
    let condition = || vec![input("if", required(MetaType::Boolean), None, None)];
    vec![
        DirectiveDefinition {
            name: "include".into(),
            description: "whether this query should be included",
            arguments: condition(),
            locations: selections(),
            shown: true,
        },
        DirectiveDefinition {
            name: "skip".into(),
            description: "whether this query should be skipped",
            arguments: condition(),
            locations: selections(),
            shown: true,
        },
        DirectiveDefinition {
            name: "cached".into(),
            description: "whether this query should be cached (Hasura Cloud only)",
            arguments: vec![
                input(
                    "ttl",
                    required(MetaType::Int),
                    Some("60"),
                    Some("measured in seconds"),
                ),
                input(
                    "refresh",
                    required(MetaType::Boolean),
                    Some("false"),
                    Some("refresh the cache entry"),
                ),
            ],
            locations: vec![Location::Query],
            shown: true,
        },
        DirectiveDefinition {
            name: "_multiple_top_level_fields".into(),
            description: "INTERNAL TESTING TOOL DO NOT USE",
            arguments: Vec::new(),
            locations: vec![Location::Subscription],
            shown: false,
        },
    ]
});

static DEFINITIONS: LazyLock<HashMap<MetaType, Arc<Definition>>> = LazyLock::new(|| {
    let mut definitions = HashMap::new();
    for type_ in MetaType::SHOWN.into_iter().chain([MetaType::Query]) {
        let definition = Definition {
            name: type_.name().into(),
            description: None,
            kind: kind(type_),
        };
        definitions.insert(type_, Arc::new(definition));
    }
    definitions
});

fn named(id: MetaType) -> Reference {
    TypeReference::Named { id, nullable: true }
}

fn required(id: MetaType) -> Reference {
    TypeReference::Named { id, nullable: false }
}

/// A list of items that are never null.
fn list(id: MetaType, nullable: bool) -> Reference {
    TypeReference::List {
        item: Box::new(required(id)),
        nullable,
    }
}

fn input(
    name: &str,
    type_: Reference,
    default: Option<&str>,
    description: Option<&str>,
) -> InputField<MetaType, ()> {
    InputField {
        name: name.into(),
        description: description.map(str::to_owned),
        type_,
        default: default.map(str::to_owned),
        refuses_null: false,
        meaning: (),
    }
}

fn field(name: &str, type_: Reference) -> Arc<OutputField<MetaType, ()>> {
    field_with(name, type_, Vec::new())
}

/// A field with `includeDeprecated`.
fn deprecable(name: &str, type_: Reference) -> Arc<OutputField<MetaType, ()>> {
    field_with(
        name,
        type_,
        vec![input(
            "includeDeprecated",
            named(MetaType::Boolean),
            Some("false"),
            None,
        )],
    )
}

fn field_with(
    name: &str,
    type_: Reference,
    arguments: Vec<InputField<MetaType, ()>>,
) -> Arc<OutputField<MetaType, ()>> {
    Arc::new(OutputField {
        name: name.into(),
        description: None,
        arguments,
        composite: is_composite(&type_),
        type_,
        meaning: (),
        deprecated: None,
    })
}

fn is_composite(type_: &Reference) -> bool {
    match type_ {
        TypeReference::Named { id, .. } => *id <= MetaType::Directive,
        TypeReference::List { item, .. } => is_composite(item),
    }
}

fn values(names: &[&str]) -> TypeKind<MetaType, ()> {
    TypeKind::Enum(
        names
            .iter()
            .map(|name| EnumValue {
                name: (*name).into(),
                description: None,
                meaning: (),
            })
            .collect(),
    )
}

fn kind(type_: MetaType) -> TypeKind<MetaType, ()> {
    use MetaType as M;
    let text = || named(M::String);
    let fields = match type_ {
        M::Query => vec![
            field("__schema", required(M::Schema)),
            field_with(
                "__type",
                named(M::Type),
                vec![input("name", required(M::String), None, None)],
            ),
        ],
        M::Schema => vec![
            field("description", text()),
            field("directives", list(M::Directive, false)),
            field("mutationType", named(M::Type)),
            field("queryType", required(M::Type)),
            field("subscriptionType", named(M::Type)),
            field("types", list(M::Type, false)),
        ],
        M::Type => vec![
            field("description", text()),
            deprecable("enumValues", list(M::EnumValue, true)),
            deprecable("fields", list(M::Field, true)),
            deprecable("inputFields", list(M::InputValue, true)),
            field("interfaces", list(M::Type, true)),
            field("isOneOf", named(M::Boolean)),
            field("kind", required(M::TypeKind)),
            field("name", text()),
            field("ofType", named(M::Type)),
            field("possibleTypes", list(M::Type, true)),
            field("specifiedByURL", text()),
        ],
        M::Field => vec![
            deprecable("args", list(M::InputValue, false)),
            field("deprecationReason", text()),
            field("description", text()),
            field("isDeprecated", required(M::Boolean)),
            field("name", required(M::String)),
            field("type", required(M::Type)),
        ],
        M::InputValue => vec![
            field("defaultValue", text()),
            field("deprecationReason", text()),
            field("description", text()),
            field("isDeprecated", required(M::Boolean)),
            field("name", required(M::String)),
            field("type", required(M::Type)),
        ],
        M::EnumValue => vec![
            field("deprecationReason", text()),
            field("description", text()),
            field("isDeprecated", required(M::Boolean)),
            field("name", required(M::String)),
        ],
        M::Directive => vec![
            deprecable("args", list(M::InputValue, false)),
            field("description", text()),
            field("isRepeatable", required(M::Boolean)),
            field("locations", list(M::DirectiveLocation, false)),
            field("name", required(M::String)),
        ],
        M::TypeKind => {
            return values(&[
                "ENUM",
                "INPUT_OBJECT",
                "INTERFACE",
                "LIST",
                "NON_NULL",
                "OBJECT",
                "SCALAR",
                "UNION",
            ]);
        }
        M::DirectiveLocation => {
            return values(&[
                "ARGUMENT_DEFINITION",
                "ENUM",
                "ENUM_VALUE",
                "FIELD",
                "FIELD_DEFINITION",
                "FRAGMENT_DEFINITION",
                "FRAGMENT_SPREAD",
                "INLINE_FRAGMENT",
                "INPUT_FIELD_DEFINITION",
                "INPUT_OBJECT",
                "INTERFACE",
                "MUTATION",
                "OBJECT",
                "QUERY",
                "SCALAR",
                "SCHEMA",
                "SUBSCRIPTION",
                "UNION",
                "VARIABLE_DEFINITION",
            ]);
        }
        M::String => return TypeKind::Scalar(InputClass::String),
        M::Boolean => return TypeKind::Scalar(InputClass::Boolean),
        M::Int => return TypeKind::Scalar(InputClass::Int),
    };
    TypeKind::Object(fields)
}

impl TypeSystem for Meta {
    type Id = MetaType;
    type Meaning = ();

    fn root(&self, kind: OperationKind) -> Option<MetaType> {
        (kind == OperationKind::Query).then_some(MetaType::Query)
    }

    fn type_name(&self, id: MetaType) -> Name {
        self.definition(id).name.clone()
    }

    fn object_field(&self, object: MetaType, name: &str) -> Option<Arc<OutputField<MetaType, ()>>> {
        match &self.definition(object).kind {
            TypeKind::Object(fields) => fields.iter().find(|field| &*field.name == name).cloned(),
            _ => None,
        }
    }

    fn definition(&self, id: MetaType) -> Arc<Definition> {
        DEFINITIONS.get(&id).cloned().unwrap_or_else(|| {
            // Every type is in the table; this only spares a panic.
            Arc::new(Definition {
                name: id.name().into(),
                description: None,
                kind: kind(id),
            })
        })
    }

    fn type_by_name(&self, name: &str) -> Option<MetaType> {
        MetaType::SHOWN.into_iter().find(|type_| type_.name() == name)
    }

    fn extra_types(&self) -> Vec<MetaType> {
        MetaType::SHOWN.to_vec()
    }
}
