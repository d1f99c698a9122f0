//! Selection sets: fragments put in their places, fields merged by response key and resolved.

use indexmap::IndexMap;
use indexmap::map::Entry;

use crate::error::Error;
use crate::introspect::Introspection;
use crate::introspect::meta::{Meta, MetaType};
use crate::normalize::directive::{self, Location};
use crate::normalize::value::Fields;
use crate::normalize::{Normalizer, Seen};
use crate::operation::{Field, FieldTarget, Possible};
use crate::path::Path;
use crate::syntax::{OperationDefinition, SelectedField, Selection};
use crate::type_system::{Name, OperationKind, TypeReference, TypeSystem};

/// The selections of one response key.
struct Merged<'a> {
    /// The first of them.
    field: &'a SelectedField,
    /// The selection sets of all of them.
    sets: Vec<&'a [Selection]>,
}

type FieldOf<T> = Field<<T as TypeSystem>::Id, <T as TypeSystem>::Meaning>;

type PossibleOf<T> = Possible<<T as TypeSystem>::Id, <T as TypeSystem>::Meaning>;

type Collected<'a> = IndexMap<Name, Merged<'a>>;

impl<'a, T: TypeSystem> Normalizer<'_, 'a, T> {
    /// The fields of a root type. Only a query has introspection.
    pub(super) fn root(
        &mut self,
        root: T::Id,
        definition: &'a OperationDefinition,
    ) -> Result<Vec<FieldOf<T>>, Error> {
        let path = Path::root().key("selectionSet");
        let names = self.names(root);
        let name = self.types.type_name(root);
        let mut fields = Vec::new();
        for (key, merged) in self.collect(&[&definition.selections], &names, &path, 0)? {
            let field_path = path.key(merged.field.name.clone());
            let introspected = definition.kind == OperationKind::Query
                && matches!(&*merged.field.name, "__schema" | "__type");
            fields.push(if introspected {
                self.introspection(key, &merged, field_path)?
            } else {
                self.field(root, &name, key, &merged, field_path, 0)?
            });
        }
        Ok(fields)
    }

    fn introspection(&mut self, key: Name, merged: &Merged<'a>, path: Path) -> Result<FieldOf<T>, Error> {
        let mut inner: Normalizer<'_, 'a, Meta> = Normalizer::new(self.shared, &Meta);
        let name = Meta.type_name(MetaType::Query);
        let field = inner.field(MetaType::Query, &name, key.clone(), merged, path.clone(), 0)?;
        let mut open = vec![&field];
        while let Some(field) = open.pop() {
            directive::guard_exactly(self.shared, &field.arguments);
            open.extend(&field.selection);
        }
        let introspection = Introspection::new(field);
        Ok(Field {
            response_key: key,
            target: if &*merged.field.name == "__schema" {
                FieldTarget::Schema(introspection)
            } else {
                FieldTarget::Type(introspection)
            },
            arguments: Vec::new(),
            selection: Vec::new(),
            possible: Vec::new(),
            path,
        })
    }

    /// The names that a fragment may have to apply to this object.
    fn names(&self, object: T::Id) -> Vec<Name> {
        let mut names = vec![self.types.type_name(object)];
        names.extend(
            self.types
                .interfaces(object)
                .into_iter()
                .map(|id| self.types.type_name(id)),
        );
        names
    }

    /// As Hasura does it: every object that the interface or union may turn out to be is looked at by itself, so
    /// each of them must have the fields that are selected outside of fragments.
    fn possible(
        &mut self,
        possible: Vec<T::Id>,
        sets: &[&'a [Selection]],
        path: &Path,
        depth: usize,
    ) -> Result<Vec<PossibleOf<T>>, Error> {
        let each = possible.into_iter().map(|id| {
            Ok(Possible {
                type_: id,
                name: self.types.type_name(id),
                selection: self.object(id, sets, path, depth)?,
            })
        });
        each.collect()
    }

    fn object(
        &mut self,
        id: T::Id,
        sets: &[&'a [Selection]],
        path: &Path,
        depth: usize,
    ) -> Result<Vec<FieldOf<T>>, Error> {
        let path = path.key("selectionSet");
        let depth = self.depth(depth, &path)?;
        let name = self.types.type_name(id);
        if sets.iter().all(|set| set.is_empty()) {
            return Err(Error::validation(
                &path,
                format!("missing selection set for '{name}'"),
            ));
        }
        let mut fields = Vec::new();
        let names = self.names(id);
        for (key, merged) in self.collect(sets, &names, &path, depth)? {
            let field_path = path.key(merged.field.name.clone());
            fields.push(self.field(id, &name, key, &merged, field_path, depth)?);
        }
        Ok(fields)
    }

    fn field(
        &mut self,
        object: T::Id,
        object_name: &Name,
        key: Name,
        merged: &Merged<'a>,
        path: Path,
        depth: usize,
    ) -> Result<FieldOf<T>, Error> {
        let selected = merged.field;
        if &*selected.name == "__typename" {
            return Ok(Field {
                response_key: key,
                target: FieldTarget::Typename(object_name.clone()),
                arguments: Vec::new(),
                selection: Vec::new(),
                possible: Vec::new(),
                path,
            });
        }
        let Some(definition) = self.types.object_field(object, &selected.name) else {
            let message = format!("field '{}' not found in type: '{object_name}'", selected.name);
            return Err(Error::validation(&path, message));
        };
        if !definition.composite && merged.sets.iter().any(|set| !set.is_empty()) {
            return Err(Error::validation(
                &path,
                "unexpected subselection set for non-object field",
            ));
        }
        let arguments = self.arguments(
            &definition.name,
            &definition.arguments,
            Fields::Written(&selected.arguments),
            &path,
        )?;
        let mut result = &definition.type_;
        let type_ = loop {
            match result {
                TypeReference::Named { id, .. } => break *id,
                TypeReference::List { item, .. } => result = item,
            }
        };
        let (mut selection, mut possible) = (Vec::new(), Vec::new());
        if definition.composite {
            match self.types.possible_types(type_) {
                None => selection = self.object(type_, &merged.sets, &path, depth)?,
                Some(objects) => possible = self.possible(objects, &merged.sets, &path, depth)?,
            }
        }
        Ok(Field {
            response_key: key,
            target: FieldTarget::Field {
                name: definition.name.clone(),
                meaning: definition.meaning.clone(),
                type_,
            },
            arguments,
            selection,
            possible,
            path,
        })
    }

    fn collect(
        &mut self,
        sets: &[&'a [Selection]],
        type_names: &[Name],
        path: &Path,
        depth: usize,
    ) -> Result<Collected<'a>, Error> {
        let mut found = Vec::new();
        let mut seen = Seen::default();
        for set in sets {
            self.flatten(set, type_names, path, depth, &mut seen, &mut found)?;
        }
        let mut collected = Collected::default();
        for field in found {
            match collected.entry(field.response_key().clone()) {
                Entry::Vacant(place) => {
                    place.insert(Merged {
                        field,
                        sets: vec![&field.selections],
                    });
                }
                Entry::Occupied(mut place) => {
                    let first = place.get().field;
                    if first.name != field.name {
                        let message = format!(
                            "selection of both '{}' and '{}' specify the same response name, '{}'",
                            first.name,
                            field.name,
                            field.response_key()
                        );
                        return Err(Error::validation(path, message));
                    }
                    if first.arguments != field.arguments {
                        let message = format!(
                            "inconsistent arguments between multiple selections of field '{}'",
                            first.name
                        );
                        return Err(Error::validation(path, message));
                    }
                    place.get_mut().sets.push(&field.selections);
                }
            }
        }
        Ok(collected)
    }

    /// Puts the fields of a selection set and of the fragments that apply into one list.
    fn flatten(
        &mut self,
        selections: &'a [Selection],
        type_names: &[Name],
        path: &Path,
        depth: usize,
        seen: &mut Seen<'a>,
        found: &mut Vec<&'a SelectedField>,
    ) -> Result<(), Error> {
        for selection in selections {
            let Some(left) = self.shared.selections_left.checked_sub(1) else {
                let limit = self.shared.document.limits().selections;
                return Err(Error::validation(
                    path,
                    format!("the query selects more than {limit} fields"),
                ));
            };
            self.shared.selections_left = left;
            let (directives, location) = match selection {
                Selection::Field(field) => (&field.directives, Location::Field),
                Selection::Inline { directives, .. } | Selection::Spread { directives, .. } => {
                    (directives, Location::InlineFragment)
                }
            };
            if !directive::is_included(self.shared, directives, location, path)? {
                continue;
            }
            let (condition, selections) = match selection {
                Selection::Field(field) => {
                    found.push(field);
                    continue;
                }
                Selection::Inline {
                    condition,
                    selections,
                    ..
                } => (condition.as_ref(), selections),
                Selection::Spread { fragment: name, .. } => match self.shared.document.fragment(name) {
                    // A second spread of a fragment in one selection set adds nothing.
                    Some(fragment) if seen.insert(&fragment.name) => {
                        (Some(&fragment.condition), &fragment.selections)
                    }
                    _ => continue,
                },
            };
            // Hasura ignores fragments on other types without a word.
            if condition.is_none_or(|condition| type_names.contains(condition)) {
                let depth = self.depth(depth, path)?;
                self.flatten(selections, type_names, path, depth, seen, found)?;
            }
        }
        Ok(())
    }
}
