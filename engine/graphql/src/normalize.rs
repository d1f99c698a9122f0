//! From a document to a normalised operation: fragments merged, `@skip` and `@include` applied, fields and
//! arguments resolved against a role's types, values coerced, all with Hasura's order of checks and its messages.
//!
//! Never decides what anything means in SQL. Records as guards what it assumed about the variables.

mod directive;
pub(crate) mod fragment;
mod selection;
mod value;

use std::collections::HashSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::document::Document;
use crate::error::{Code, Error};
use crate::guard::{Guard, Guards};
use crate::operation::{Field, FieldTarget, Operation};
use crate::path::Path;
use crate::syntax::OperationDefinition;
use crate::type_system::{Name, OperationKind, TypeDefinition, TypeKind, TypeSystem};
use crate::variables::{Variable, VariableCheck, Variables, is_nullable};

pub(crate) use directive::Location;

/// Settings that change how variables are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Experimental feature `no_null_unbound_variable_default`: a nullable variable without value and default
    /// takes the argument, field or item where it stands away, instead of being null.
    pub no_null_unbound_variable_default: bool,
    /// `HASURA_GRAPHQL_BACKWARDS_COMPAT_NULL_IN_NONNULLABLE_VARIABLES`: a null given for a variable of
    /// non-nullable type is refused only where it is used.
    pub null_in_nonnullable_variables: bool,
    /// Lists of rows are read row by row also where all look the same ([`crate::operation::Input::Uniform`]).
    pub rows_apart: bool,
}

/// What [`normalize`] gives.
#[derive(Debug, Clone)]
pub struct Normalized<I, M> {
    /// The operation.
    pub operation: Operation<I, M>,
    /// What it assumes about the structure of the variables.
    pub guards: Vec<Guard>,
    /// What is to be checked of the variables of later requests before the guards.
    pub variables: VariableCheck,
}

/// Normalises one operation of a document for one role.
///
/// # Errors
/// The first thing Hasura would say against the request.
pub fn normalize<T: TypeSystem>(
    document: &Document,
    operation_name: Option<&str>,
    variables: &Map<String, Value>,
    types: &T,
    options: &Options,
) -> Result<Normalized<T::Id, T::Meaning>, Error> {
    let definition = document.operation(operation_name)?;
    let used = fragment::check(document, definition)?;
    let root = types.root(definition.kind).ok_or_else(|| {
        let message = match definition.kind {
            OperationKind::Query => "no queries exist",
            OperationKind::Mutation => "no mutations exist",
            OperationKind::Subscription => "no subscriptions exist",
        };
        Error::validation(&Path::root(), message)
    })?;
    let (check, bound) = bind(definition, variables, used, options)?;
    let mut shared = Shared {
        document,
        variables: bound,
        guards: Guards::default(),
        options: *options,
        selections_left: document.limits().selections,
    };
    let mut normalizer = Normalizer::new(&mut shared, types);
    let fields = normalizer.root(root, definition)?;
    let directives = directive::of_operation(&mut shared, definition)?;
    if definition.kind == OperationKind::Subscription {
        check_subscription(definition, &fields, directives.multiple_top_level_fields)?;
    }
    Ok(Normalized {
        operation: Operation {
            kind: definition.kind,
            name: definition.name.clone(),
            fields,
            cached: directives.cached,
            multiple_top_level_fields: directives.multiple_top_level_fields,
        },
        guards: shared.guards.into_vec(),
        variables: check,
    })
}

/// Hasura counts what is written at the top, not what is left after merging.
fn check_subscription<I, M>(
    definition: &OperationDefinition,
    fields: &[Field<I, M>],
    multiple_top_level_fields: bool,
) -> Result<(), Error> {
    if definition.selections.len() > 1 && !multiple_top_level_fields {
        return Err(Error::validation(
            &Path::root(),
            "subscriptions must select one top level field",
        ));
    }
    if fields
        .iter()
        .any(|field| matches!(field.target, FieldTarget::Typename(_)))
    {
        return Err(Error {
            code: Code::NotSupported,
            path: Path::root(),
            message: "Introspection at root field level is not supported over subscriptions".to_owned(),
        });
    }
    Ok(())
}

/// Checks the variables as a whole and binds them to their values.
fn bind<'a>(
    definition: &'a OperationDefinition,
    variables: &'a Map<String, Value>,
    used: Vec<&'a Name>,
    options: &Options,
) -> Result<(VariableCheck, Variables<'a>), Error> {
    let root = Path::root();
    let mut check = VariableCheck::new(definition, options.null_in_nonnullable_variables);
    check.check_declared(variables)?;
    let mut bound = Variables::default();
    for variable in &definition.variables {
        let value = Variable {
            name: variable.name.clone(),
            type_: &variable.type_,
            default: variable.default.as_ref(),
            value: variables.get(&*variable.name),
        };
        if bound.insert(variable.name.clone(), value).is_some() {
            return Err(Error::parse(
                &root,
                format!("multiple definitions for variable \"{}\"", variable.name),
            ));
        }
    }
    for name in used {
        if !check.mark(name) {
            return Err(Error::validation(&root, format!("unbound variable \"{name}\"")));
        }
    }
    check.check_given(variables)?;
    Ok((check, bound))
}

/// What normalisation of the role's part and of introspection's part have in common.
struct Shared<'a> {
    document: &'a Document,
    variables: Variables<'a>,
    guards: Guards,
    options: Options,
    selections_left: usize,
}

impl Shared<'_> {
    /// Whether this variable takes the place where it stands away.
    fn is_unbound(&self, variable: &str) -> bool {
        self.options.no_null_unbound_variable_default
            && self.variables.get(variable).is_some_and(|variable| {
                variable.value.is_none() && variable.default.is_none() && is_nullable(variable.type_)
            })
    }
}

/// Normalises against one type system: a role's, or that of introspection.
struct Normalizer<'s, 'a, T: TypeSystem> {
    shared: &'s mut Shared<'a>,
    types: &'s T,
    known: FxHashMap<T::Id, Arc<Known<T>>>,
}

/// A type used in the operation's input, with its input fields findable by name.
struct Known<T: TypeSystem> {
    definition: Arc<TypeDefinition<T::Id, T::Meaning>>,
    index: FxHashMap<Name, usize>,
    /// Positions of the input fields that must be given.
    required: Vec<usize>,
}

impl<'s, 'a, T: TypeSystem> Normalizer<'s, 'a, T> {
    fn new(shared: &'s mut Shared<'a>, types: &'s T) -> Self {
        Self {
            shared,
            types,
            known: FxHashMap::default(),
        }
    }

    fn known(&mut self, id: T::Id) -> Arc<Known<T>> {
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let definition = self.types.definition(id);
        let (mut index, mut required) = (FxHashMap::default(), Vec::new());
        match &definition.kind {
            TypeKind::InputObject(fields) => {
                for (at, field) in fields.iter().enumerate() {
                    index.insert(field.name.clone(), at);
                    if !is_nullable(&field.type_) && field.default.is_none() {
                        required.push(at);
                    }
                }
            }
            TypeKind::Enum(values) => {
                index.extend(
                    values
                        .iter()
                        .enumerate()
                        .map(|(at, value)| (value.name.clone(), at)),
                );
            }
            TypeKind::Scalar(_) | TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union => {}
        }
        let known = Arc::new(Known {
            definition,
            index,
            required,
        });
        self.known.insert(id, known.clone());
        known
    }

    fn depth(&self, depth: usize, path: &Path) -> Result<usize, Error> {
        let limit = self.shared.document.limits().depth;
        if depth >= limit {
            return Err(Error::validation(
                path,
                format!("the query is nested deeper than {limit} levels"),
            ));
        }
        Ok(depth + 1)
    }
}

/// Names of fragments that a selection set already holds.
type Seen<'a> = HashSet<&'a str>;

#[cfg(test)]
mod tests;
