//! Arguments and input values, with variables in their places.

mod uniform;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::coerce::{self, Given, mismatch};
use crate::error::Error;
use crate::guard::Expected;
use crate::normalize::{Known, Normalizer, Shared};
use crate::operation::{Entry, Input, Leaf, Origin, Segment, VariablePath};
use crate::path::Path;
use crate::syntax::{Literal, Named};
use crate::type_system::{InputClass, InputField, Name, TypeKind, TypeReference, TypeSystem};
use crate::variables::is_nullable;

/// The arguments of a field or the fields of an input object.
#[derive(Clone, Copy)]
pub(super) enum Fields<'v> {
    /// Written in the document.
    Written(&'v Named),
    /// A JSON object within a variable.
    Given(&'v Map<String, Value>),
}

/// A place within a variable, as a chain back to the variable.
#[derive(Clone, Copy)]
pub(super) enum Place<'p> {
    Variable(&'p Name),
    Key(&'p Place<'p>, &'p Name),
    Index(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn path(self) -> VariablePath {
        let mut segments = Vec::new();
        let mut at = self;
        let variable = loop {
            at = match at {
                Self::Variable(name) => break name.clone(),
                Self::Key(parent, key) => {
                    segments.push(Segment::Key(key.clone()));
                    *parent
                }
                Self::Index(parent, index) => {
                    segments.push(Segment::Index(index));
                    *parent
                }
            };
        };
        segments.reverse();
        VariablePath {
            variable,
            segments: segments.into(),
        }
    }
}

/// A value to be coerced and where it stands.
#[derive(Clone, Copy)]
struct Subject<'v> {
    given: Given<'v>,
    /// Its place if it is part of a variable.
    place: Option<Place<'v>>,
    path: &'v Path,
    depth: usize,
}

static NULL: Literal = Literal::Null;

impl Shared<'_> {
    fn expect(&mut self, place: Option<Place<'_>>, expected: impl FnOnce() -> Expected) {
        if let Some(place) = place {
            self.guards.expect(place.path(), expected());
        }
    }

    fn expect_whole(&mut self, variable: &Name, expected: Expected) {
        let place = VariablePath {
            variable: variable.clone(),
            segments: Arc::from([]),
        };
        self.guards.expect(place, expected);
    }

    /// Guards the very value of a leaf that came from a variable.
    pub(super) fn guard_leaf(&mut self, leaf: &Leaf) {
        let Origin::Variable(place) = &leaf.origin else {
            return;
        };
        let given = self
            .variables
            .get(&place.variable)
            .and_then(|variable| variable.value);
        // Leaves that are guarded so are whole variables.
        if let Some(value) = given.filter(|_| place.segments.is_empty()) {
            self.guards
                .expect(place.clone(), Expected::Exactly(value.clone()));
        }
    }

    /// A literal with its variables replaced by their values, which are guarded; `None` if it is an unbound
    /// variable. Recursion is bounded by the limit on brackets.
    fn resolve(&mut self, literal: &Literal) -> Option<Value> {
        match literal {
            Literal::Variable(name) => {
                if self.is_unbound(name) {
                    self.expect_whole(name, Expected::Absent);
                    return None;
                }
                let variable = self.variables.get(name)?;
                let (value, default) = (variable.value, variable.default);
                match (value, default) {
                    (Some(value), _) => {
                        self.expect_whole(name, Expected::Exactly(value.clone()));
                        Some(value.clone())
                    }
                    (None, default) => {
                        self.expect_whole(name, Expected::Absent);
                        Some(coerce::literal_to_json(default.unwrap_or(&NULL)))
                    }
                }
            }
            Literal::List(items) => Some(items.iter().filter_map(|item| self.resolve(item)).collect()),
            Literal::Object(fields) => Some(Value::Object(
                fields
                    .iter()
                    .filter_map(|(name, value)| Some((name.to_string(), self.resolve(value)?)))
                    .collect(),
            )),
            constant => Some(coerce::literal_to_json(constant)),
        }
    }
}

impl<'a, T: TypeSystem> Normalizer<'_, 'a, T> {
    /// The arguments of a field or directive at `path`.
    pub(super) fn arguments(
        &mut self,
        name: &str,
        definitions: &[InputField<T::Id, T::Meaning>],
        given: Fields<'_>,
        path: &Path,
    ) -> Result<Vec<Entry<T::Meaning>>, Error> {
        let position = |argument: &str| {
            definitions
                .iter()
                .position(|definition| &*definition.name == argument)
        };
        let mut wanted: Vec<usize> = Vec::new();
        for (argument, _) in self.present(given) {
            match position(&argument) {
                Some(at) => wanted.push(at),
                None => {
                    return Err(Error::validation(
                        path,
                        format!("'{name}' has no argument named '{argument}'"),
                    ));
                }
            }
        }
        let required = definitions
            .iter()
            .enumerate()
            .filter(|(_, definition)| is_required(definition));
        wanted.extend(required.map(|(at, _)| at));
        let subject = Subject {
            given: Given::Literal(&NULL),
            place: None,
            path: &path.key("args"),
            depth: 0,
        };
        self.entries(definitions, wanted, given, subject)
    }

    /// The names that are given and their values, without unbound variables.
    fn present<'v>(&mut self, given: Fields<'v>) -> Vec<(Name, Given<'v>)> {
        match given {
            Fields::Given(fields) => fields
                .iter()
                .map(|(name, value)| (Name::from(name.as_str()), Given::Json(value)))
                .collect(),
            Fields::Written(fields) => {
                let mut present = Vec::with_capacity(fields.len());
                for (name, literal) in fields {
                    match literal {
                        Literal::Variable(variable) if self.shared.is_unbound(variable) => {
                            self.shared.expect_whole(variable, Expected::Absent);
                        }
                        literal => present.push((name.clone(), Given::Literal(literal))),
                    }
                }
                present
            }
        }
    }

    /// Coerces the wanted fields in the order of their definitions, as Hasura does, and gives them in the order
    /// in which they were given. `within` says where they stand; its value does not matter.
    fn entries(
        &mut self,
        definitions: &[InputField<T::Id, T::Meaning>],
        mut wanted: Vec<usize>,
        given: Fields<'_>,
        within: Subject<'_>,
    ) -> Result<Vec<Entry<T::Meaning>>, Error> {
        wanted.sort_unstable();
        wanted.dedup();
        let present = self.present(given);
        let mut order: Vec<(usize, Entry<T::Meaning>)> = Vec::with_capacity(wanted.len());
        let positions: HashMap<&str, usize> = present
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (&**name, at))
            .collect();
        for definition in wanted.into_iter().filter_map(|at| definitions.get(at)) {
            let path = within.path.key(definition.name.clone());
            let Some((at, (_, value))) = positions
                .get(&*definition.name)
                .and_then(|at| Some((*at, present.get(*at)?)))
            else {
                return Err(Error::validation(
                    &path,
                    format!("missing required field '{}'", definition.name),
                ));
            };
            let key = within
                .place
                .as_ref()
                .map(|place| Place::Key(place, &definition.name));
            let subject = Subject {
                given: *value,
                place: key,
                path: &path,
                depth: within.depth,
            };
            let has_default = definition.default.is_some();
            let Peeled { given, variable } = self.peel(&definition.type_, has_default, subject)?;
            let place = match &variable {
                Some(name) => Some(Place::Variable(name)),
                None => subject.place.filter(|_| matches!(given, Given::Json(_))),
            };
            let subject = Subject {
                given,
                place,
                ..subject
            };
            if definition.refuses_null && given.is_null() {
                self.shared.expect(place, || Expected::Null);
                return Err(self.null_error(&definition.type_, &path));
            }
            let rows = if !self.shared.options.rows_apart && self.types.takes_rows(&definition.meaning) {
                self.uniform(&definition.type_, subject)
            } else {
                None
            };
            let value = match rows {
                Some(rows) => Input::Uniform(rows),
                None => self.value(&definition.type_, subject)?,
            };
            order.push((
                at,
                Entry {
                    name: definition.name.clone(),
                    meaning: definition.meaning.clone(),
                    value,
                    path,
                },
            ));
        }
        order.sort_by_key(|(at, _)| *at);
        Ok(order.into_iter().map(|(_, entry)| entry).collect())
    }

    /// If the value is a variable, checks its type and takes what it stands for.
    fn peel<'v>(
        &mut self,
        type_: &TypeReference<T::Id>,
        has_default: bool,
        subject: Subject<'v>,
    ) -> Result<Peeled<'v>, Error>
    where
        'a: 'v,
    {
        let Given::Literal(Literal::Variable(name)) = subject.given else {
            return Ok(Peeled {
                given: subject.given,
                variable: None,
            });
        };
        let Some(variable) = self.shared.variables.get(name) else {
            return Err(Error::validation(
                &Path::root(),
                format!("unbound variable \"{name}\""),
            ));
        };
        variable.check_type(self.types, type_, has_default, subject.path)?;
        let (value, default) = (variable.value, variable.default);
        Ok(match value {
            Some(value) => Peeled {
                given: Given::Json(value),
                variable: Some(name.clone()),
            },
            None => {
                self.shared.expect_whole(name, Expected::Absent);
                Peeled {
                    given: Given::Literal(default.unwrap_or(&NULL)),
                    variable: None,
                }
            }
        })
    }

    /// Coerces a value that is not a variable.
    fn value(
        &mut self,
        type_: &TypeReference<T::Id>,
        subject: Subject<'_>,
    ) -> Result<Input<T::Meaning>, Error> {
        if subject.given.is_null() {
            self.shared.expect(subject.place, || Expected::Null);
            return if is_nullable(type_) {
                Ok(Input::Null)
            } else {
                Err(self.null_error(type_, subject.path))
            };
        }
        let id = match type_ {
            TypeReference::Named { id, .. } => *id,
            TypeReference::List { item, .. } => return self.list(item, subject),
        };
        let known = self.known(id);
        match &known.definition.kind {
            TypeKind::Scalar(class) => self
                .leaf(*class, &known.definition.name, subject)
                .map(Input::Leaf),
            TypeKind::Enum(_) => self.enum_value(&known, subject),
            TypeKind::InputObject(fields) => self.input_object(&known, fields, subject),
            TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union => Err(mismatch(
                "an input type",
                &known.definition.name,
                subject.given,
                subject.path,
            )),
        }
    }

    fn null_error(&mut self, type_: &TypeReference<T::Id>, path: &Path) -> Error {
        let TypeReference::Named { id, .. } = type_ else {
            return Error::validation(path, "expected a list, but found null");
        };
        let known = self.known(*id);
        let name = &known.definition.name;
        match &known.definition.kind {
            TypeKind::Scalar(class) => coerce::unexpected_null(*class, name, path),
            TypeKind::Enum(_) => mismatch("an enum value", name, Given::Literal(&NULL), path),
            _ => mismatch("an object", name, Given::Literal(&NULL), path),
        }
    }

    fn leaf(&mut self, class: InputClass, type_name: &Name, subject: Subject<'_>) -> Result<Leaf, Error> {
        let Subject {
            given, place, path, ..
        } = subject;
        self.shared.expect(place, || Expected::NotNull);
        let value = match given {
            Given::Literal(literal) if takes_json(class) && literal.has_variables() => {
                let value = self.shared.resolve(literal).unwrap_or(Value::Null);
                coerce::scalar(class, type_name, path, Given::Json(&value))?.into_owned()
            }
            given => coerce::scalar(class, type_name, path, given)?.into_owned(),
        };
        Ok(Leaf {
            value,
            origin: origin(place),
            class,
            list: false,
            items_nullable: false,
            type_name: type_name.clone(),
            path: path.clone(),
        })
    }

    fn list(
        &mut self,
        item: &TypeReference<T::Id>,
        subject: Subject<'_>,
    ) -> Result<Input<T::Meaning>, Error> {
        if let TypeReference::Named { id, nullable } = item {
            let known = self.known(*id);
            if let TypeKind::Scalar(class) = &known.definition.kind
                && let Some(json) = whole(subject.given)
            {
                self.shared.expect(subject.place, || Expected::NotNull);
                // A literal's items are checked one by one, since messages call literals by other names.
                if let Given::Literal(literal) = subject.given {
                    self.check_literals(*class, *nullable, &known.definition.name, literal, subject.path)?;
                }
                let name = &known.definition.name;
                let value = coerce::scalars(*class, *nullable, name, subject.path, &json)?.into_owned();
                return Ok(Input::LeafList(Leaf {
                    value,
                    origin: origin(subject.place),
                    class: *class,
                    list: true,
                    items_nullable: *nullable,
                    type_name: name.clone(),
                    path: subject.path.clone(),
                }));
            }
        }
        let depth = self.depth(subject.depth, subject.path)?;
        let items: Vec<Given<'_>> = match subject.given {
            Given::Json(Value::Array(items)) => items.iter().map(Given::Json).collect(),
            Given::Literal(Literal::List(items)) => {
                let mut bound = Vec::with_capacity(items.len());
                for item in items {
                    match item {
                        Literal::Variable(name) if self.shared.is_unbound(name) => {
                            self.shared.expect_whole(name, Expected::Absent);
                        }
                        item => bound.push(Given::Literal(item)),
                    }
                }
                bound
            }
            single => vec![single],
        };
        self.shared
            .expect(subject.place, || Expected::Length(items.len()));
        let mut inputs = Vec::with_capacity(items.len());
        for (index, given) in items.into_iter().enumerate() {
            let path = subject.path.index(index);
            let within = subject.place.as_ref().map(|place| Place::Index(place, index));
            let inner = Subject {
                given,
                place: within,
                path: &path,
                depth,
            };
            let Peeled { given, variable } = self.peel(item, false, inner)?;
            let place = match &variable {
                Some(name) => Some(Place::Variable(name)),
                None => within.filter(|_| matches!(given, Given::Json(_))),
            };
            inputs.push(self.value(
                item,
                Subject {
                    given,
                    place,
                    ..inner
                },
            )?);
        }
        Ok(Input::List(inputs))
    }

    /// Checks the items of a list of literals without variables.
    fn check_literals(
        &mut self,
        class: InputClass,
        items_nullable: bool,
        type_name: &str,
        literal: &Literal,
        path: &Path,
    ) -> Result<(), Error> {
        let items = match literal {
            Literal::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        for (index, item) in items.iter().enumerate() {
            if *item != Literal::Null {
                coerce::scalar(class, type_name, &path.index(index), Given::Literal(item))?;
            } else if !items_nullable {
                return Err(coerce::unexpected_null(class, type_name, &path.index(index)));
            }
        }
        Ok(())
    }

    fn enum_value(&mut self, known: &Known<T>, subject: Subject<'_>) -> Result<Input<T::Meaning>, Error> {
        let type_name = &known.definition.name;
        let TypeKind::Enum(values) = &known.definition.kind else {
            return Err(mismatch("an enum value", type_name, subject.given, subject.path));
        };
        let name: &str = match subject.given {
            Given::Literal(Literal::Enum(name)) => name,
            Given::Json(Value::String(name)) if is_legal_name(name) => name,
            other => return Err(mismatch("an enum value", type_name, other, subject.path)),
        };
        let Some(value) = known.index.get(name).and_then(|at| values.get(*at)) else {
            let names: Vec<String> = values.iter().map(|value| format!("'{}'", value.name)).collect();
            let message = format!(
                "expected one of the values [{}] for type '{type_name}', but found '{name}'",
                names.join(", ")
            );
            return Err(Error::validation(subject.path, message));
        };
        self.shared
            .expect(subject.place, || Expected::Exactly(Value::from(name)));
        Ok(Input::Enum {
            name: value.name.clone(),
            meaning: value.meaning.clone(),
        })
    }

    fn input_object(
        &mut self,
        known: &Known<T>,
        definitions: &[InputField<T::Id, T::Meaning>],
        subject: Subject<'_>,
    ) -> Result<Input<T::Meaning>, Error> {
        let type_name = &known.definition.name;
        let depth = self.depth(subject.depth, subject.path)?;
        let given = match subject.given {
            Given::Literal(Literal::Object(fields)) => Fields::Written(fields),
            Given::Json(Value::Object(fields)) => Fields::Given(fields),
            other => return Err(mismatch("an object", type_name, other, subject.path)),
        };
        if let Fields::Given(fields) = given {
            if let Some(key) = fields.keys().find(|key| !is_legal_name(key)) {
                let message = format!(
                    "variable value contains object with key \"{key}\", which is not a legal GraphQL name"
                );
                return Err(Error::validation(subject.path, message));
            }
            self.shared.expect(subject.place, || {
                Expected::Keys(fields.keys().map(|key| Name::from(key.as_str())).collect())
            });
        }
        let mut wanted = known.required.clone();
        for (field, _) in self.present(given) {
            match known.index.get(&*field) {
                Some(at) => wanted.push(*at),
                None => {
                    let message = format!("field '{field}' not found in type: '{type_name}'");
                    return Err(Error::validation(&subject.path.key(field), message));
                }
            }
        }
        self.entries(definitions, wanted, given, Subject { depth, ..subject })
            .map(Input::Object)
    }
}

/// What a value is once variables are peeled off.
struct Peeled<'v> {
    given: Given<'v>,
    /// The variable whose value it is.
    variable: Option<Name>,
}

/// The value as JSON if no variable stands within it.
fn whole(given: Given<'_>) -> Option<Cow<'_, Value>> {
    match given {
        Given::Json(value) => Some(Cow::Borrowed(value)),
        Given::Literal(literal) if literal.has_variables() => None,
        Given::Literal(literal) => Some(Cow::Owned(coerce::literal_to_json(literal))),
    }
}

fn origin(place: Option<Place<'_>>) -> Origin {
    place.map_or(Origin::Literal, |place| Origin::Variable(place.path()))
}

/// Whether objects and lists may be given, so that variables may stand within a literal.
fn takes_json(class: InputClass) -> bool {
    matches!(class, InputClass::Json | InputClass::GeoJson)
}

fn is_required<I, M>(definition: &InputField<I, M>) -> bool {
    !is_nullable(&definition.type_) && definition.default.is_none()
}

fn is_legal_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte == b'_' || byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}
