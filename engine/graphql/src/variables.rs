//! The variables of an operation: what was declared, what was given, what must be said against it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::path::Path;
use crate::syntax::{Literal, OperationDefinition};
use crate::type_system::{Name, TypeReference, TypeSystem};

/// What must be checked of a request's variables as a whole, also when a cached plan serves it: missing ones,
/// nulls, unexpected ones. Costs one look-up per declared and one per given variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableCheck {
    declared: Vec<Declared>,
    /// Positions in `declared`.
    index: HashMap<Name, usize>,
    nulls_allowed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Declared {
    name: Name,
    /// As printed in messages: `[Int!]!`.
    type_: String,
    nullable: bool,
    defaulted: bool,
    /// Whether it stands anywhere in the operation. Hasura refuses values for variables that do not.
    used: bool,
}

impl VariableCheck {
    /// Checks the variables of a request.
    ///
    /// # Errors
    /// `validation-failed` at `$`: `expecting a value for non-nullable variable: "v"`,
    /// `null value found for non-nullable type: "T!"`, `unexpected variables in variableValues: a, b`.
    pub fn check(&self, variables: &Map<String, Value>) -> Result<(), Error> {
        self.check_declared(variables)?;
        self.check_given(variables)
    }

    pub(crate) fn new(definition: &OperationDefinition, nulls_allowed: bool) -> Self {
        let declared: Vec<Declared> = definition
            .variables
            .iter()
            .map(|variable| Declared {
                name: variable.name.clone(),
                type_: variable.type_.to_string(),
                nullable: is_nullable(&variable.type_),
                defaulted: variable.default.is_some(),
                used: false,
            })
            .collect();
        let index = declared
            .iter()
            .enumerate()
            .map(|(at, declared)| (declared.name.clone(), at))
            .collect();
        Self {
            declared,
            index,
            nulls_allowed,
        }
    }

    /// Marks a variable as used. `false` if it was not declared.
    pub(crate) fn mark(&mut self, name: &str) -> bool {
        match self.index.get(name).and_then(|at| self.declared.get_mut(*at)) {
            Some(declared) => {
                declared.used = true;
                true
            }
            None => false,
        }
    }

    pub(crate) fn check_declared(&self, variables: &Map<String, Value>) -> Result<(), Error> {
        let refused = |message: String| Err(Error::validation(&Path::root(), message));
        for declared in self.declared.iter().filter(|declared| !declared.nullable) {
            match variables.get(&*declared.name) {
                Some(Value::Null) if !self.nulls_allowed => {
                    return refused(format!(
                        "null value found for non-nullable type: \"{}\"",
                        declared.type_
                    ));
                }
                None if !declared.defaulted => {
                    return refused(format!(
                        "expecting a value for non-nullable variable: \"{}\"",
                        declared.name
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn check_given(&self, variables: &Map<String, Value>) -> Result<(), Error> {
        let used = |name: &&str| {
            let declared = self.index.get(*name).and_then(|at| self.declared.get(*at));
            declared.is_some_and(|declared| declared.used)
        };
        let unexpected: Vec<&str> = variables
            .keys()
            .map(String::as_str)
            .filter(|name| !used(name))
            .collect();
        if unexpected.is_empty() {
            return Ok(());
        }
        let message = format!(
            "unexpected variables in variableValues: {}",
            unexpected.join(", ")
        );
        Err(Error::validation(&Path::root(), message))
    }
}

/// A variable with the value it has in this request.
#[derive(Debug)]
pub(crate) struct Variable<'a> {
    pub(crate) name: Name,
    pub(crate) type_: &'a TypeReference<Name>,
    pub(crate) default: Option<&'a Literal>,
    pub(crate) value: Option<&'a Value>,
}

/// The variables of this request by name.
pub(crate) type Variables<'a> = HashMap<Name, Variable<'a>>;

pub(crate) fn is_nullable<I>(type_: &TypeReference<I>) -> bool {
    match type_ {
        TypeReference::Named { nullable, .. } | TypeReference::List { nullable, .. } => *nullable,
    }
}

/// A type of the schema as printed in messages.
pub(crate) fn printed<T: TypeSystem>(types: &T, type_: &TypeReference<T::Id>) -> TypeReference<Name> {
    match type_ {
        TypeReference::Named { id, nullable } => TypeReference::Named {
            id: types.type_name(*id),
            nullable: *nullable,
        },
        TypeReference::List { item, nullable } => TypeReference::List {
            item: Box::new(printed(types, item)),
            nullable: *nullable,
        },
    }
}

impl Variable<'_> {
    /// Checks that it may stand where a value of type `location` is expected. As in Hasura, only the outermost
    /// nullability counts: a `[Int]` may stand where `[Int!]` is expected.
    ///
    /// # Errors
    /// `variable 'v' is declared as 'A', but used where 'B' is expected`
    pub(crate) fn check_type<T: TypeSystem>(
        &self,
        types: &T,
        location: &TypeReference<T::Id>,
        location_has_default: bool,
        path: &Path,
    ) -> Result<(), Error> {
        let defaulted = self.default.is_some_and(|default| *default != Literal::Null);
        let null_fits =
            is_nullable(location) || !is_nullable(self.type_) || location_has_default || defaulted;
        if null_fits && same_shape(types, location, self.type_) {
            return Ok(());
        }
        let message = format!(
            "variable '{}' is declared as '{}', but used where '{}' is expected",
            self.name,
            self.type_,
            printed(types, location)
        );
        Err(Error::validation(path, message))
    }
}

fn same_shape<T: TypeSystem>(
    types: &T,
    location: &TypeReference<T::Id>,
    variable: &TypeReference<Name>,
) -> bool {
    let (mut location, mut variable) = (location, variable);
    loop {
        match (location, variable) {
            (TypeReference::Named { id, .. }, TypeReference::Named { id: name, .. }) => {
                return types.type_name(*id) == *name;
            }
            (TypeReference::List { item, .. }, TypeReference::List { item: declared, .. }) => {
                (location, variable) = (item, declared);
            }
            _ => return false,
        }
    }
}
