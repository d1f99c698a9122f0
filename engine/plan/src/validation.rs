//! Input of mutations that webhooks judge before anything is written (`validate_input`).
//!
//! A plan keeps the form of what a webhook is told; the values are those of each request. What permissions set by
//! themselves is not the client's input and not told.

use std::sync::Arc;

use graphql::operation::{Input, Leaf, VariablePath};
use graphql::uniform::{self, UniformKey, UniformValue};
use graphql::{Error, Name};
use schema::access::ValidateInput;
use serde_json::{Map, Value};

use crate::rows::Rows;

/// A webhook that is asked, and about what.
#[derive(Debug, Clone)]
pub struct Validation {
    /// The webhook.
    pub webhook: Arc<ValidateInput>,
    parts: Vec<Part>,
}

/// Items of what the webhook is told.
#[derive(Debug, Clone)]
enum Part {
    Item(Shape),
    /// An item for each object.
    Rows(Rows, Vec<Key>),
}

/// The form of a value.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// Always the same.
    Constant(Value),
    /// A value of a variable.
    Variable(Box<Leaf>),
    /// A list.
    List(Vec<Shape>),
    /// An object.
    Object(Vec<(Name, Shape)>),
    /// A list of objects in a variable.
    Rows(VariablePath, Vec<Key>),
}

/// A key of objects in a variable, and how the webhook knows it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) given: Name,
    pub(crate) told: Name,
    /// Of the object, or of the objects of the list, that the key holds.
    pub(crate) below: Option<Vec<Key>>,
}

impl Validation {
    /// Of nothing yet.
    pub(crate) fn new(webhook: &Arc<ValidateInput>) -> Self {
        Self {
            webhook: Arc::clone(webhook),
            parts: Vec::new(),
        }
    }

    /// One more item.
    pub(crate) fn item(&mut self, shape: Shape) {
        self.parts.push(Part::Item(shape));
    }

    /// All objects of rows in a variable.
    pub(crate) fn rows(&mut self, rows: Rows, keys: Vec<Key>) {
        self.parts.push(Part::Rows(rows, keys));
    }

    /// `data.input` for a request.
    ///
    /// # Errors
    /// A variable that is not what the plan was made for.
    pub fn input(&self, variables: &Map<String, Value>) -> Result<Value, Error> {
        let mut items = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            match part {
                Part::Item(shape) => items.push(shape.value(variables)?),
                Part::Rows(rows, keys) => {
                    let list = rows.place.find(variables).unwrap_or(&Value::Null);
                    let objects = uniform::objects(list, &rows.steps);
                    items.extend(objects.iter().map(|found| told(found.fields, keys)));
                }
            }
        }
        Ok(Value::Array(items))
    }

    /// Roughly how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(Part::bytes).sum();
        size_of::<Self>() + parts
    }
}

impl Part {
    fn bytes(&self) -> usize {
        match self {
            Self::Item(shape) => shape.bytes(),
            Self::Rows(_, keys) => keys_bytes(keys),
        }
    }
}

impl Shape {
    /// A value under the names that the client used.
    pub(crate) fn of<M>(input: &Input<M>) -> Self {
        match input {
            Input::Null => Self::Constant(Value::Null),
            Input::Leaf(leaf) | Input::LeafList(leaf) => Self::leaf(leaf),
            Input::Enum { name, .. } => Self::Constant(Value::from(&**name)),
            Input::List(items) => Self::List(items.iter().map(Self::of).collect()),
            Input::Object(entries) => Self::Object(
                entries
                    .iter()
                    .map(|entry| (entry.name.clone(), Self::of(&entry.value)))
                    .collect(),
            ),
            Input::Uniform(uniform) => {
                let keys = keys(&uniform.keys, &|key| key.name.clone());
                Self::Rows(uniform.place.clone(), keys)
            }
        }
    }

    fn leaf(leaf: &Leaf) -> Self {
        match leaf.origin {
            graphql::operation::Origin::Literal => Self::Constant(leaf.value.clone()),
            graphql::operation::Origin::Variable(_) => Self::Variable(Box::new(leaf.clone())),
        }
    }

    fn value(&self, variables: &Map<String, Value>) -> Result<Value, Error> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Variable(leaf) => {
                let value = leaf.coerce_again(variables)?;
                value.map_or_else(|| leaf.value.clone(), |value| value.into_owned())
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.value(variables));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Object(fields) => {
                let mut object = Map::with_capacity(fields.len());
                for (name, shape) in fields {
                    object.insert(name.to_string(), shape.value(variables)?);
                }
                Value::Object(object)
            }
            Self::Rows(place, keys) => told_below(place.find(variables).unwrap_or(&Value::Null), Some(keys)),
        })
    }

    fn bytes(&self) -> usize {
        const LEAF: usize = 400;
        size_of::<Self>()
            + match self {
                Self::Constant(_) | Self::Variable(_) => LEAF,
                Self::List(items) => items.iter().map(Self::bytes).sum(),
                Self::Object(fields) => fields
                    .iter()
                    .map(|(name, shape)| name.len() + shape.bytes())
                    .sum(),
                Self::Rows(_, keys) => keys_bytes(keys),
            }
    }
}

/// Keys under the names that a webhook knows. As deep as the form of the rows.
pub(crate) fn keys<M>(keys_given: &[UniformKey<M>], name: &dyn Fn(&UniformKey<M>) -> Name) -> Vec<Key> {
    keys_given
        .iter()
        .map(|key| Key {
            given: key.name.clone(),
            told: name(key),
            below: match &key.value {
                UniformValue::Leaf(_) => None,
                UniformValue::Object(inner) | UniformValue::List(inner) => Some(keys(inner, name)),
            },
        })
        .collect()
}

fn keys_bytes(keys: &[Key]) -> usize {
    keys.iter()
        .map(|key| size_of::<Key>() + key.told.len() + key.below.as_deref().map_or(0, keys_bytes))
        .sum()
}

fn told(fields: &Map<String, Value>, keys: &[Key]) -> Value {
    let known = keys.iter().filter_map(|key| {
        let value = fields.get(&*key.given)?;
        Some((key.told.to_string(), told_below(value, key.below.as_deref())))
    });
    Value::Object(known.collect())
}

fn told_below(value: &Value, keys: Option<&[Key]>) -> Value {
    match (keys, value) {
        (Some(keys), Value::Object(fields)) => told(fields, keys),
        (Some(keys), Value::Array(items)) => {
            Value::Array(items.iter().map(|item| told_below(item, Some(keys))).collect())
        }
        _ => value.clone(),
    }
}
