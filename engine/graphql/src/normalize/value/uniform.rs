//! Lists of rows of one form, which are planned once for any number of rows.

use serde_json::Value;

use super::Subject;
use crate::coerce::Given;
use crate::guard::Expected;
use crate::normalize::{Known, Normalizer};
use crate::path::Path;
use crate::type_system::{InputField, TypeKind, TypeReference, TypeSystem};
use crate::uniform::{Uniform, UniformKey, UniformLeaf, UniformValue};
use crate::variables::is_nullable;

impl<T: TypeSystem> Normalizer<'_, '_, T> {
    /// A list of rows that all look the same; `None` if it is anything else, or holds what depends on its values: enum
    /// values and nulls in place of objects.
    pub(super) fn uniform(
        &mut self,
        type_: &TypeReference<T::Id>,
        subject: Subject<'_>,
    ) -> Option<Uniform<T::Meaning>> {
        let (TypeReference::List { item, .. }, Given::Json(value), Some(place)) =
            (type_, subject.given, subject.place)
        else {
            return None;
        };
        let (TypeReference::Named { id, .. }, Value::Array(items)) = (&**item, value) else {
            return None;
        };
        let keys = self.uniform_keys(*id, items.first()?, subject.depth)?;
        let form = Uniform::form(&keys);
        if !form.is_of_list(value) {
            return None;
        }
        let place = place.path();
        self.shared.guards.expect(place.clone(), Expected::Rows(form));
        Some(Uniform {
            place,
            keys,
            length: items.len(),
            path: subject.path.clone(),
        })
    }

    fn uniform_keys(
        &mut self,
        id: T::Id,
        example: &Value,
        depth: usize,
    ) -> Option<Vec<UniformKey<T::Meaning>>> {
        let depth = self.depth(depth, &Path::root()).ok()?;
        let known = self.known(id);
        let (TypeKind::InputObject(definitions), Value::Object(fields)) = (&known.definition.kind, example)
        else {
            return None;
        };
        if known
            .required
            .iter()
            .filter_map(|at| definitions.get(*at))
            .any(|definition| !fields.contains_key(&*definition.name))
        {
            return None;
        }
        let mut keys = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let definition = known.index.get(&**name).and_then(|at| definitions.get(*at))?;
            keys.push(UniformKey {
                name: definition.name.clone(),
                meaning: definition.meaning.clone(),
                value: self.uniform_value(definition, value, depth)?,
            });
        }
        Some(keys)
    }

    fn uniform_value(
        &mut self,
        definition: &InputField<T::Id, T::Meaning>,
        example: &Value,
        depth: usize,
    ) -> Option<UniformValue<T::Meaning>> {
        let nullable = is_nullable(&definition.type_) && !definition.refuses_null;
        let leaf = |known: &Known<T>, list, items_nullable| match &known.definition.kind {
            TypeKind::Scalar(class) => Some(UniformValue::Leaf(UniformLeaf {
                class: *class,
                list,
                items_nullable,
                nullable,
                type_name: known.definition.name.clone(),
            })),
            _ => None,
        };
        match &definition.type_ {
            TypeReference::Named { id, .. } => {
                let known = self.known(*id);
                match &known.definition.kind {
                    TypeKind::InputObject(_) => {
                        self.uniform_keys(*id, example, depth).map(UniformValue::Object)
                    }
                    _ => leaf(&known, false, false),
                }
            }
            TypeReference::List { item, .. } => {
                let TypeReference::Named { id, nullable } = &**item else {
                    return None;
                };
                let known = self.known(*id);
                match (&known.definition.kind, example) {
                    // An empty list is no example of its objects.
                    (TypeKind::InputObject(_), Value::Array(items)) => self
                        .uniform_keys(*id, items.first()?, depth)
                        .map(UniformValue::List),
                    (TypeKind::InputObject(_), _) => None,
                    _ => leaf(&known, true, *nullable),
                }
            }
        }
    }
}
