//! What is compared with what: the type on the left decides how the value on the right is bound.

use graphql::operation::{Input, Leaf, Origin};
use graphql::{Code, Error, InputClass, Name, Path};
use schema::catalog::{Type, TypeKind};
use schema::meaning::Meaning;
use schema::predicate::Operand;
use schema::scalar::{Scalar, ScalarClass};
use serde_json::Value;
use sql::Parameter;
use sql::ast::Expression;
use sql::name::{QualifiedName, TypeName};

use crate::prepared::Encoding;
use crate::read::Reader;
use crate::value::constant;

/// The left-hand side of a comparison, as far as its type goes.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Its type.
    pub(crate) type_: TypeName,
    /// For an array, its element type.
    pub(crate) element: Option<TypeName>,
    /// Its class (of the element, for arrays).
    pub(crate) class: ScalarClass,
    /// Schema of the type, where an extension's operators live.
    pub(crate) schema: String,
    /// GraphQL name, for messages.
    pub(crate) name: Name,
    /// Name of the GraphQL enum, if the column refers to an enum table.
    pub(crate) enum_name: Option<Name>,
}

impl Subject {
    /// A column, argument or result of that type.
    pub(crate) fn of(type_: &Type, scalar: &Scalar) -> Self {
        Self {
            type_: TypeName::new(&type_.schema, &type_.name),
            element: match &type_.kind {
                TypeKind::Array(element) => Some(TypeName::new(&element.schema, &element.name)),
                _ => None,
            },
            class: scalar.class,
            schema: type_.schema.clone(),
            name: scalar.name.clone(),
            enum_name: None,
        }
    }

    /// One of Postgres's own types.
    pub(crate) fn builtin(type_: &'static str, class: ScalarClass, name: &'static str) -> Self {
        Self {
            type_: TypeName::builtin(type_),
            element: None,
            class,
            schema: "pg_catalog".to_owned(),
            name: name.into(),
            enum_name: None,
        }
    }

    /// A type of an extension.
    pub(crate) fn extension(schema: &str, type_: &str, class: ScalarClass) -> Self {
        Self {
            type_: TypeName::new(schema, type_),
            element: None,
            class,
            schema: schema.to_owned(),
            name: type_.into(),
            enum_name: None,
        }
    }

    fn is_json(&self) -> bool {
        matches!(self.class, ScalarClass::Json | ScalarClass::Jsonb)
    }

    /// How a value becomes text.
    pub(crate) fn encoding(&self) -> Encoding {
        match (self.element.is_some(), self.class) {
            (true, ScalarClass::Json | ScalarClass::Jsonb) => Encoding::JsonArray,
            (true, _) => Encoding::ArrayOrText,
            (
                false,
                ScalarClass::Json | ScalarClass::Jsonb | ScalarClass::Geometry | ScalarClass::Geography,
            ) => Encoding::Json,
            (false, _) if &*self.name == "money" => Encoding::Decimal,
            (false, _) => Encoding::Plain,
        }
    }
}

/// The right-hand side as it was given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given<'a> {
    /// By a client.
    Client(&'a Input<Meaning>),
    /// By a permission.
    Stored(&'a Operand),
}

/// A list on the right-hand side.
pub(crate) enum ListValue {
    /// One array.
    Array(Expression),
    /// Its items one by one; there may be none.
    Each(Vec<Expression>),
}

impl<'a> Given<'a> {
    pub(crate) fn is_null(self) -> bool {
        matches!(
            self,
            Given::Client(Input::Null) | Given::Stored(Operand::Literal(Value::Null))
        )
    }

    /// A named part of an operand object, unless absent or null.
    pub(crate) fn part(self, name: &str) -> Option<Given<'a>> {
        match self {
            Given::Client(Input::Object(entries)) => entries
                .iter()
                .find(|entry| &*entry.name == name || part_name(&entry.meaning) == Some(name))
                .map(|entry| Given::Client(&entry.value)),
            Given::Stored(Operand::Object(parts)) => parts
                .iter()
                .find(|(other, _)| &**other == name)
                .map(|(_, operand)| Given::Stored(operand)),
            _ => None,
        }
        .filter(|part| !part.is_null())
    }
}

fn part_name(meaning: &Meaning) -> Option<&'static str> {
    match meaning {
        Meaning::Argument(schema::meaning::ArgumentRole::OperandPart(name)) => Some(name),
        _ => None,
    }
}

impl Reader<'_> {
    /// A value of the subject's type: `($1)::type`, `st_geomfromgeojson(($1)::text)`, …
    pub(crate) fn value(
        &mut self,
        given: Given<'_>,
        subject: &Subject,
        path: &Path,
    ) -> Result<Expression, Error> {
        let encoding = subject.encoding();
        match given {
            Given::Client(Input::Leaf(leaf) | Input::LeafList(leaf)) => {
                let parameter = self.slots.leaf(leaf, encoding);
                Ok(self.bound(parameter, subject))
            }
            Given::Client(Input::Enum { name, meaning }) => {
                let parameter = Parameter::Constant(Some(self.enum_value(name, meaning)));
                Ok(self.bound(parameter, subject))
            }
            Given::Client(Input::List(items)) if subject.element.is_some() => {
                self.array_value(items, subject, path)
            }
            Given::Client(Input::List(items)) => match items.as_slice() {
                [item] => self.value(Given::Client(item), subject, path),
                _ => Err(unexpected_list(subject, path)),
            },
            Given::Client(Input::Null) => Err(null_error(&subject.name, path)),
            Given::Client(Input::Object(_) | Input::Uniform(_)) => Err(unexpected_object(subject, path)),
            Given::Stored(Operand::Literal(value)) => {
                let class = if subject.is_json() {
                    InputClass::Json
                } else {
                    InputClass::Text
                };
                Ok(self.bound(constant(value, encoding, class), subject))
            }
            // A session variable holds GeoJSON for PostGIS types, else whatever the type's input function reads.
            Given::Stored(Operand::Session(name)) => {
                let value = self.slots.session(name);
                Ok(match subject.class {
                    ScalarClass::Geometry | ScalarClass::Geography => self.bound(value, subject),
                    _ => Expression::Parameter {
                        value,
                        type_: subject.type_.clone(),
                    },
                })
            }
            Given::Stored(Operand::List(items)) if subject.element.is_some() => {
                let element = subject.element_subject();
                let items = items
                    .iter()
                    .map(|item| self.value(Given::Stored(item), &element, path))
                    .collect::<Result<_, _>>()?;
                Ok(Expression::ArrayOf(items).cast(subject.type_.clone()))
            }
            Given::Stored(_) => Err(unexpected_object(subject, path)),
        }
    }

    /// A list of values of the subject's type.
    pub(crate) fn list_value(
        &mut self,
        given: Given<'_>,
        subject: &Subject,
        path: &Path,
    ) -> Result<ListValue, Error> {
        let simple = subject.element.is_none()
            && !matches!(
                subject.class,
                ScalarClass::Geometry | ScalarClass::Geography | ScalarClass::Raster
            );
        let encoding = if subject.is_json() {
            Encoding::JsonArray
        } else {
            Encoding::Array
        };
        let array = |value| {
            ListValue::Array(Expression::Parameter {
                value,
                type_: subject.type_.clone().array_of(),
            })
        };
        match given {
            Given::Client(Input::LeafList(leaf)) if simple => match &leaf.origin {
                Origin::Literal if leaf.value.as_array().is_some_and(Vec::is_empty) => {
                    Ok(ListValue::Each(Vec::new()))
                }
                _ => Ok(array(self.slots.leaf(leaf, encoding))),
            },
            Given::Client(Input::LeafList(leaf)) => {
                // Items that Postgres cannot take as an array of parameters: one by one, so their number is fixed.
                self.fixed(leaf);
                let items = match &leaf.value {
                    Value::Array(items) => items.as_slice(),
                    single => std::slice::from_ref(single),
                };
                Ok(ListValue::Each(
                    items
                        .iter()
                        .map(|item| self.bound(constant(item, subject.encoding(), leaf.class), subject))
                        .collect(),
                ))
            }
            Given::Client(Input::List(items)) => match self.literal_items(items) {
                Some((values, _)) if values.is_empty() => Ok(ListValue::Each(Vec::new())),
                Some((values, class)) if simple => {
                    Ok(array(constant(&Value::Array(values), encoding, class)))
                }
                _ => self.each(items.iter().map(Given::Client), subject, path),
            },
            Given::Client(Input::Null) => Err(null_list_error(path)),
            Given::Client(_) => self.each([given], subject, path),
            Given::Stored(Operand::Literal(Value::Array(items))) => {
                if items.is_empty() {
                    return Ok(ListValue::Each(Vec::new()));
                }
                if simple {
                    let value = Value::Array(items.clone());
                    return Ok(array(constant(&value, encoding, InputClass::Text)));
                }
                let items: Vec<Operand> = items.iter().cloned().map(Operand::Literal).collect();
                self.each(items.iter().map(Given::Stored), subject, path)
            }
            Given::Stored(Operand::Session(name)) => Ok(array(self.slots.session(name))),
            Given::Stored(Operand::List(items)) => self.each(items.iter().map(Given::Stored), subject, path),
            Given::Stored(_) => self.each([given], subject, path),
        }
    }

    fn each<'a>(
        &mut self,
        items: impl IntoIterator<Item = Given<'a>>,
        subject: &Subject,
        path: &Path,
    ) -> Result<ListValue, Error> {
        items
            .into_iter()
            .map(|item| self.value(item, subject, path))
            .collect::<Result<_, _>>()
            .map(ListValue::Each)
    }

    /// An array of known length for a column of array type.
    fn array_value(
        &mut self,
        items: &[Input<Meaning>],
        subject: &Subject,
        path: &Path,
    ) -> Result<Expression, Error> {
        if let Some((values, class)) = self.literal_items(items) {
            let parameter = constant(&Value::Array(values), subject.encoding(), class);
            return Ok(self.bound(parameter, subject));
        }
        let element = subject.element_subject();
        let items = items
            .iter()
            .map(|item| match item {
                Input::Null => Ok(Expression::Null),
                item => self.value(Given::Client(item), &element, path),
            })
            .collect::<Result<_, _>>()?;
        Ok(Expression::ArrayOf(items).cast(subject.type_.clone()))
    }

    /// The values of a list that stands wholly in the text.
    fn literal_items(&self, items: &[Input<Meaning>]) -> Option<(Vec<Value>, InputClass)> {
        let mut class = InputClass::Text;
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(match item {
                Input::Leaf(
                    leaf @ Leaf {
                        origin: Origin::Literal,
                        ..
                    },
                ) => {
                    class = leaf.class;
                    leaf.value.clone()
                }
                Input::Enum { name, meaning } => Value::String(self.enum_value(name, meaning).to_string()),
                _ => return None,
            });
        }
        Some((values, class))
    }

    /// The row of an enum table that a GraphQL value stands for: a naming convention may have recased it.
    fn enum_value(&self, name: &Name, meaning: &Meaning) -> Name {
        let Meaning::EnumTableValue(table) = meaning else {
            return name.clone();
        };
        let Some(values) = self
            .model
            .table(*table)
            .and_then(|table| table.enum_values.as_ref())
        else {
            return name.clone();
        };
        let naming = self.naming();
        values
            .iter()
            .map(|(value, _)| value)
            .find(|value| naming.enum_value(value) == *name)
            .unwrap_or(name)
            .clone()
    }

    /// A parameter as a value of the subject's type.
    pub(crate) fn bound(&self, value: Parameter, subject: &Subject) -> Expression {
        let extensions = self.extensions();
        let text = |value| Expression::Parameter {
            value,
            type_: TypeName::builtin("text"),
        };
        match (subject.class, subject.element.is_some()) {
            (ScalarClass::Geometry, false) => Expression::call(
                QualifiedName::new(extensions, "st_geomfromgeojson"),
                vec![text(value)],
            ),
            (ScalarClass::Geography, false) => Expression::call(
                QualifiedName::new(extensions, "st_geomfromgeojson"),
                vec![text(value)],
            )
            .cast(subject.type_.clone()),
            (ScalarClass::Raster, false) => Expression::call(
                QualifiedName::new(extensions, "st_rastfromhexwkb"),
                vec![text(value)],
            ),
            _ => Expression::Parameter {
                value,
                type_: subject.type_.clone(),
            },
        }
    }
}

impl Subject {
    fn element_subject(&self) -> Self {
        let mut element = self.clone();
        if let Some(type_) = element.element.take() {
            element.type_ = type_;
        }
        element
    }
}

/// Hasura's refusal of a null operand.
pub(crate) fn null_error(type_name: &str, path: &Path) -> Error {
    Error::validation(path, format!("unexpected null value for type '{type_name}'"))
}

/// Hasura's refusal of a null list.
pub(crate) fn null_list_error(path: &Path) -> Error {
    Error::validation(path, "expected a list, but found null")
}

fn unexpected_list(subject: &Subject, path: &Path) -> Error {
    Error::validation(
        path,
        format!(
            "expected a single value for type '{}', but found a list",
            subject.name
        ),
    )
}

fn unexpected_object(subject: &Subject, path: &Path) -> Error {
    Error {
        code: Code::ParseFailed,
        path: path.clone(),
        message: format!(
            "expected a value for type '{}', but found an object",
            subject.name
        ),
    }
}
