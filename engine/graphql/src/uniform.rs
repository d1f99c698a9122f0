//! Lists of objects in a variable that all look the same: rows to be inserted. They are described once, whatever their
//! number, and their values are read column by column when a request is executed.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::coerce::{self, Given};
use crate::error::Error;
use crate::operation::VariablePath;
use crate::path::Path;
use crate::type_system::{InputClass, Name};

/// A list, not empty, of objects with the same keys, each with values of the same form.
#[derive(Debug, Clone)]
pub struct Uniform<M> {
    /// Where the list is.
    pub place: VariablePath,
    /// The keys of its objects.
    pub keys: Vec<UniformKey<M>>,
    /// How many objects the present list has; not guarded.
    pub length: usize,
    /// Where it stands in the request.
    pub path: Path,
}

/// A key of the objects.
#[derive(Debug, Clone)]
pub struct UniformKey<M> {
    /// Its name.
    pub name: Name,
    /// Its meaning.
    pub meaning: M,
    /// What it holds.
    pub value: UniformValue<M>,
}

/// What a key holds in every object.
#[derive(Debug, Clone)]
pub enum UniformValue<M> {
    /// A scalar, or a whole list of scalars.
    Leaf(UniformLeaf),
    /// An object.
    Object(Vec<UniformKey<M>>),
    /// A list, perhaps empty, of objects.
    List(Vec<UniformKey<M>>),
}

/// How a scalar is checked.
#[derive(Debug, Clone)]
pub struct UniformLeaf {
    /// Its class.
    pub class: InputClass,
    /// It is a whole list of such scalars.
    pub list: bool,
    /// Items of the list may be null.
    pub items_nullable: bool,
    /// It may be null itself.
    pub nullable: bool,
    /// Name of its type, for messages.
    pub type_name: Name,
}

/// The form of a list as far as a plan depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form(pub(crate) Arc<[(Name, FormValue)]>);

/// The form of one key's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FormValue {
    /// Anything.
    Leaf,
    /// An object.
    Object(Form),
    /// A list of objects.
    List(Form),
}

impl Form {
    /// Whether the value is a list, not empty, of objects of this form.
    pub(crate) fn is_of_list(&self, value: &Value) -> bool {
        matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(|item| self.is_of(item)))
    }

    /// Recursion is as deep as the form, which is as deep as the types of one plan.
    fn is_of(&self, value: &Value) -> bool {
        let Value::Object(fields) = value else {
            return false;
        };
        fields.len() == self.0.len()
            && fields.iter().zip(self.0.iter()).all(|((key, value), (name, form))| {
                **key == **name
                    && match form {
                        FormValue::Leaf => true,
                        FormValue::Object(form) => form.is_of(value),
                        FormValue::List(form) => {
                            matches!(value, Value::Array(items) if items.iter().all(|item| form.is_of(item)))
                        }
                    }
            })
    }
}

impl<M> Uniform<M> {
    /// Its form, for a guard.
    pub(crate) fn form(keys: &[UniformKey<M>]) -> Form {
        Form(
            keys.iter()
                .map(|key| {
                    let form = match &key.value {
                        UniformValue::Leaf(_) => FormValue::Leaf,
                        UniformValue::Object(keys) => FormValue::Object(Self::form(keys)),
                        UniformValue::List(keys) => FormValue::List(Self::form(keys)),
                    };
                    (key.name.clone(), form)
                })
                .collect(),
        )
    }
}

impl UniformLeaf {
    /// Checks a value, as all values of a request are; `None` is null.
    ///
    /// # Errors
    /// What the normaliser says of such a value at that path.
    pub fn check<'v>(
        &self,
        value: &'v Value,
        path: impl FnOnce() -> Path,
    ) -> Result<Option<Cow<'v, Value>>, Error> {
        if value.is_null() {
            if self.nullable {
                return Ok(None);
            }
            let path = path();
            return Err(if self.list {
                Error::validation(&path, "expected a list, but found null")
            } else {
                coerce::unexpected_null(self.class, &self.type_name, &path)
            });
        }
        let check = |path: &Path| {
            if self.list {
                coerce::scalars(self.class, self.items_nullable, &self.type_name, path, value)
            } else {
                coerce::scalar(self.class, &self.type_name, path, Given::Json(value))
            }
        };
        // The path is made only for an error.
        match check(&Path::root()) {
            Ok(value) => Ok(Some(value)),
            Err(error) => match check(&path()) {
                Err(error) => Err(error),
                Ok(_) => Err(error),
            },
        }
    }
}

/// One step from an object to the objects below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The object at these keys.
    Object(Vec<Name>),
    /// Each object of the list at these keys.
    List(Vec<Name>),
}

/// An object on the way of some steps.
#[derive(Debug, Clone, Copy)]
pub struct Found<'v> {
    /// It.
    pub fields: &'v Map<String, Value>,
    /// The number, from 0, of the object one step before it, among all objects there.
    pub owner: usize,
}

/// All objects at the end of the steps, in order. Objects that do not fit the form are left out; a plan's guards see
/// to it that there are none.
pub fn objects<'v>(list: &'v Value, steps: &[Step]) -> Vec<Found<'v>> {
    let mut found: Vec<Found<'v>> = match list {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(owner, item)| item.as_object().map(|fields| Found { fields, owner }))
            .collect(),
        _ => Vec::new(),
    };
    for step in steps {
        let mut next = Vec::with_capacity(found.len());
        for (owner, one) in found.iter().enumerate() {
            match step {
                Step::Object(keys) => {
                    if let Some(Value::Object(fields)) = below(one.fields, keys) {
                        next.push(Found { fields, owner });
                    }
                }
                Step::List(keys) => {
                    if let Some(Value::Array(items)) = below(one.fields, keys) {
                        let items = items.iter().filter_map(Value::as_object);
                        next.extend(items.map(|fields| Found { fields, owner }));
                    }
                }
            }
        }
        found = next;
    }
    found
}

/// Whether there is just one object at the end of the steps.
pub fn is_one(list: &Value, steps: &[Step]) -> bool {
    let Value::Array(items) = list else {
        return false;
    };
    let mut count = 0;
    for item in items {
        count += item.as_object().map_or(0, |fields| up_to_two(fields, steps));
        if count > 1 {
            return false;
        }
    }
    count == 1
}

/// How many objects there are at the end of the steps, of which there are as few as levels of an input; two is many.
fn up_to_two(fields: &Map<String, Value>, steps: &[Step]) -> usize {
    let Some((step, rest)) = steps.split_first() else {
        return 1;
    };
    match step {
        Step::Object(keys) => match below(fields, keys) {
            Some(Value::Object(fields)) => up_to_two(fields, rest),
            _ => 0,
        },
        Step::List(keys) => {
            let Some(Value::Array(items)) = below(fields, keys) else {
                return 0;
            };
            let mut count = 0;
            for fields in items.iter().filter_map(Value::as_object) {
                count += up_to_two(fields, rest);
                if count > 1 {
                    break;
                }
            }
            count
        }
    }
}

fn below<'v>(fields: &'v Map<String, Value>, keys: &[Name]) -> Option<&'v Value> {
    let (first, rest) = keys.split_first()?;
    let mut value = fields.get(&**first)?;
    for key in rest {
        value = value.get(&**key)?;
    }
    Some(value)
}

/// The path of the object of that number at the end of the steps.
pub fn path_of(list: &Value, steps: &[Step], number: usize, path: &Path) -> Path {
    let Some((last, before)) = steps.split_last() else {
        return path.index(number);
    };
    let all = objects(list, steps);
    let owner = all.get(number).map_or(0, |found| found.owner);
    let mut at = path_of(list, before, owner, path);
    match last {
        Step::Object(keys) => {
            for key in keys {
                at = at.key(key.clone());
            }
            at
        }
        Step::List(keys) => {
            for key in keys {
                at = at.key(key.clone());
            }
            let first = all
                .iter()
                .position(|found| found.owner == owner)
                .unwrap_or(number);
            at.index(number - first)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Form {
        let inner = Form(Arc::from([("t".into(), FormValue::Leaf)]));
        let data = Form(Arc::from([("data".into(), FormValue::List(inner))]));
        Form(Arc::from([
            ("a".into(), FormValue::Leaf),
            ("b".into(), FormValue::Object(data)),
        ]))
    }

    #[test]
    fn a_form_is_of_any_number_of_objects() {
        for (value, fits) in [
            (json!([{"a": 1, "b": {"data": []}}]), true),
            (
                json!([{"a": 1, "b": {"data": [{"t": 1}]}}, {"a": null, "b": {"data": [{"t": []}, {"t": 1}]}}]),
                true,
            ),
            (json!([]), false),
            (json!([{"a": 1}]), false),
            (json!([{"b": {"data": []}, "a": 1}]), false),
            (json!([{"a": 1, "b": null}]), false),
            (json!([{"a": 1, "b": {"data": [{"u": 1}]}}]), false),
            (json!([{"a": 1, "b": {"data": []}}, 1]), false),
        ] {
            assert_eq!(form().is_of_list(&value), fits, "{value}");
        }
    }

    #[test]
    fn objects_know_their_owner_and_place() {
        let list = json!([
            {"a": 1, "b": {"data": [{"t": 1}]}},
            {"a": 2, "b": {"data": []}},
            {"a": 3, "b": {"data": [{"t": 2}, {"t": 3}]}}
        ]);
        let steps = [Step::List(vec!["b".into(), "data".into()])];
        let owners: Vec<usize> = objects(&list, &steps).iter().map(|found| found.owner).collect();
        assert_eq!(owners, [0, 2, 2]);
        assert!(!is_one(&list, &steps) && !is_one(&list, &[]));
        let list_of = |count: usize| json!([{"b": {"data": []}}, {"b": {"data": vec![json!({}); count]}}]);
        assert!(is_one(&list_of(1), &steps) && !is_one(&list_of(0), &steps) && !is_one(&list_of(2), &steps));
        assert!(is_one(&json!([{}]), &[]) && !is_one(&json!([]), &[]));
        assert_eq!(
            path_of(&list, &steps, 2, &Path::root()).to_string(),
            "$[2].b.data[1]"
        );
    }
}
