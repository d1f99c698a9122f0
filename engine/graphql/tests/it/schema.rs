//! A small hand-made schema in Hasura's style, for the tests of this crate.

use std::collections::HashMap;
use std::sync::Arc;

use graphql::type_system::{
    EnumValue, InputField, OutputField, TypeDefinition, TypeKind, TypeReference, TypeSystem,
};
use graphql::{Document, Error, InputClass, Limits, Name, Normalized, OperationKind, Options, normalize};
use serde_json::{Map, Value};

/// Types by position; a meaning is `type.field`.
pub(crate) struct TestSchema {
    types: Vec<Arc<TypeDefinition<usize, String>>>,
    names: HashMap<String, usize>,
    /// Whether there is a subscription root.
    pub(crate) subscriptions: bool,
}

const SCALARS: [(&str, &str, InputClass); 15] = [
    ("Int", "Int", InputClass::Int),
    ("limit", "Int", InputClass::NonNegativeInt),
    ("offset", "Int", InputClass::NonNegativeBigInt),
    ("Float", "Float", InputClass::Float),
    ("String", "String", InputClass::String),
    ("Boolean", "Boolean", InputClass::Boolean),
    ("ID", "ID", InputClass::Id),
    ("smallint", "smallint", InputClass::SmallInt),
    ("bigint", "bigint", InputClass::BigInt),
    ("numeric", "numeric", InputClass::Number),
    ("uuid", "uuid", InputClass::Text),
    ("jsonb", "jsonb", InputClass::Json),
    ("geometry", "geometry", InputClass::GeoJson),
    ("raster", "raster", InputClass::Raster),
    ("ltree", "ltree", InputClass::Ltree),
];

const ENUMS: [(&str, &[&str]); 4] = [
    ("order_by", &["asc", "asc_nulls_first", "desc"]),
    ("author_select_column", &["id", "name"]),
    ("colors_enum", &["blue", "green", "nullable"]),
    ("author_constraint", &["author_pkey"]),
];

const INPUTS: [(&str, &[&str]); 7] = [
    (
        "author_bool_exp",
        &[
            "_and: [author_bool_exp!]",
            "_not: author_bool_exp",
            "_or: [author_bool_exp!]",
            "color: colors_enum_comparison_exp",
            "details: jsonb_comparison_exp",
            "id: Int_comparison_exp",
            "name: String_comparison_exp",
        ],
    ),
    (
        "Int_comparison_exp",
        &["_eq: Int", "_in: [Int!]", "_is_null: Boolean"],
    ),
    ("String_comparison_exp", &["_eq: String", "_in: [String!]"]),
    (
        "colors_enum_comparison_exp",
        &["_eq: colors_enum", "_in: [colors_enum!]"],
    ),
    ("jsonb_comparison_exp", &["_contains: jsonb", "_in: [jsonb!]"]),
    ("author_order_by", &["id: order_by", "name: order_by"]),
    (
        "author_insert_input",
        &[
            "area: geometry",
            "big: bigint",
            "code: uuid",
            "color: colors_enum",
            "details: jsonb",
            "id: Int!",
            "matrix: [[Int!]!]",
            "money: numeric",
            "name: String",
            "ok: Boolean",
            "path: ltree",
            "ratio: Float",
            "rid: ID",
            "scan: raster",
            "small: smallint",
            "tags: [String!] = []",
            "title: String?",
        ],
    ),
];

const SELECT: &str = "distinct_on: [author_select_column!], limit: limit, offset: offset, order_by: [author_order_by!], where: author_bool_exp";

impl Default for TestSchema {
    fn default() -> Self {
        Self::new()
    }
}

impl TestSchema {
    /// Builds it.
    pub(crate) fn new() -> Self {
        let objects: [(&str, Vec<String>); 7] = [
            (
                "author",
                vec![
                    format!("articles({SELECT}): [author!]!"),
                    "details(path: String): jsonb".to_owned(),
                    "friend: author".to_owned(),
                    "id: Int!".to_owned(),
                    "name: String".to_owned(),
                    "old: String".to_owned(),
                ],
            ),
            (
                "cat",
                vec!["id: Int!".to_owned(), "lives: Int".to_owned(), "owner: author".to_owned()],
            ),
            (
                "dog",
                vec!["id: Int!".to_owned(), "barks: Boolean".to_owned()],
            ),
            ("Animal", vec!["id: Int!".to_owned()]),
            (
                "query_root",
                vec![
                    format!("author({SELECT}): [author!]!"),
                    "author_by_pk(id: Int!): author".to_owned(),
                    "search(ids: [Int], words: [String!]!, floor: Int! = 3, mode: order_by! = asc): [author!]!".to_owned(),
                    "animal: Animal".to_owned(),
                    "pets: [Pet!]".to_owned(),
                ],
            ),
            (
                "mutation_root",
                vec![
                    "insert_author(objects: [author_insert_input!]!, constraint: author_constraint): author"
                        .to_owned(),
                    "update_author(where: author_bool_exp!, _set: author_insert_input): author".to_owned(),
                ],
            ),
            ("subscription_root", vec![format!("author({SELECT}): [author!]!")]),
        ];
        let mut names: HashMap<String, usize> = HashMap::new();
        let keys = SCALARS.iter().map(|scalar| scalar.0);
        let keys = keys
            .chain(ENUMS.iter().map(|entry| entry.0))
            .chain(INPUTS.iter().map(|entry| entry.0));
        for key in keys.chain(objects.iter().map(|object| object.0).chain(["Pet"])) {
            let at = names.len();
            names.insert(key.to_owned(), at);
        }
        let mut types = Vec::new();
        for (_, name, class) in SCALARS {
            types.push(definition(name, None, TypeKind::Scalar(class)));
        }
        for (name, values) in ENUMS {
            let values = values.iter().map(|value| EnumValue {
                name: (*value).into(),
                description: None,
                meaning: format!("{name}.{value}"),
            });
            types.push(definition(name, None, TypeKind::Enum(values.collect())));
        }
        for (name, fields) in INPUTS {
            let fields = fields.iter().map(|field| input(&names, name, field)).collect();
            types.push(definition(name, None, TypeKind::InputObject(fields)));
        }
        for (name, fields) in &objects {
            let description =
                (*name == "author").then(|| "columns and relationships of \"author\"".to_owned());
            let fields = fields
                .iter()
                .map(|field| Arc::new(output(&names, name, field)))
                .collect();
            let kind = if *name == "Animal" {
                TypeKind::Interface(fields)
            } else {
                TypeKind::Object(fields)
            };
            types.push(definition(name, description, kind));
        }
        types.push(definition("Pet", None, TypeKind::Union));
        Self {
            types,
            names,
            subscriptions: true,
        }
    }
}

type Definition = Arc<TypeDefinition<usize, String>>;

fn definition(name: &str, description: Option<String>, kind: TypeKind<usize, String>) -> Definition {
    Arc::new(TypeDefinition {
        name: name.into(),
        description,
        kind,
    })
}

fn reference(names: &HashMap<String, usize>, text: &str) -> TypeReference<usize> {
    let (text, nullable) = match text.strip_suffix('!') {
        Some(text) => (text, false),
        None => (text, true),
    };
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(item) => TypeReference::List {
            item: Box::new(reference(names, item)),
            nullable,
        },
        None => TypeReference::Named {
            id: *names.get(text).unwrap_or_else(|| panic!("no type {text}")),
            nullable,
        },
    }
}

fn input(names: &HashMap<String, usize>, parent: &str, text: &str) -> InputField<usize, String> {
    let (name, type_) = text.split_once(": ").expect("a name and a type");
    let (type_, default) = match type_.split_once(" = ") {
        Some((type_, default)) => (type_, Some(default.to_owned())),
        None => (type_, None),
    };
    // `T?` stands for a key that may be left out but not be null.
    let (type_, refuses_null) = match type_.strip_suffix('?') {
        Some(type_) => (type_, true),
        None => (type_, false),
    };
    InputField {
        name: name.into(),
        description: (name == "limit").then(|| "limit the number of rows returned".to_owned()),
        type_: reference(names, type_),
        default,
        refuses_null,
        meaning: format!("{parent}.{name}"),
    }
}

fn output(names: &HashMap<String, usize>, parent: &str, text: &str) -> OutputField<usize, String> {
    let (head, type_) = text.rsplit_once(": ").expect("a name and a type");
    let (name, arguments) = match head.split_once('(') {
        Some((name, arguments)) => (name, arguments.trim_end_matches(')')),
        None => (head, ""),
    };
    let arguments = arguments.split(", ").filter(|argument| !argument.is_empty());
    OutputField {
        name: name.into(),
        description: None,
        arguments: arguments.map(|argument| input(names, name, argument)).collect(),
        type_: reference(names, type_),
        composite: ["author", "Animal", "Pet"]
            .iter()
            .any(|name| type_.contains(name)),
        meaning: format!("{parent}.{name}"),
        deprecated: (name == "old").then(|| "a \"reason\"".to_owned()),
    }
}

impl TypeSystem for TestSchema {
    type Id = usize;
    type Meaning = String;

    fn root(&self, kind: OperationKind) -> Option<usize> {
        match kind {
            OperationKind::Query => self.names.get("query_root").copied(),
            OperationKind::Mutation => self.names.get("mutation_root").copied(),
            OperationKind::Subscription if self.subscriptions => self.names.get("subscription_root").copied(),
            OperationKind::Subscription => None,
        }
    }

    fn type_name(&self, id: usize) -> Name {
        self.types[id].name.clone()
    }

    fn object_field(&self, object: usize, name: &str) -> Option<Arc<OutputField<usize, String>>> {
        match &self.types[object].kind {
            TypeKind::Object(fields) => fields.iter().find(|field| &*field.name == name).cloned(),
            _ => None,
        }
    }

    fn definition(&self, id: usize) -> Definition {
        self.types[id].clone()
    }

    fn type_by_name(&self, name: &str) -> Option<usize> {
        self.names
            .get(name)
            .copied()
            .filter(|id| &*self.types[*id].name == name)
    }

    fn extra_types(&self) -> Vec<usize> {
        vec![self.names["ltree"]]
    }

    fn possible_types(&self, id: usize) -> Option<Vec<usize>> {
        matches!(&*self.types[id].name, "Animal" | "Pet").then(|| vec![self.names["cat"], self.names["dog"]])
    }

    fn interfaces(&self, object: usize) -> Vec<usize> {
        let animal = matches!(&*self.types[object].name, "cat" | "dog");
        if animal {
            vec![self.names["Animal"]]
        } else {
            Vec::new()
        }
    }
}

/// Parses and normalises a text with one operation.
pub(crate) fn normalized(
    schema: &TestSchema,
    text: &str,
    variables: Value,
) -> Result<Normalized<usize, String>, Error> {
    let variables = match variables {
        Value::Object(variables) => variables,
        _ => Map::new(),
    };
    let document = Document::parse(text, &Limits::default())?;
    normalize(&document, None, &variables, schema, &Options::default())
}
