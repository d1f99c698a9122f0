//! Directives: which exist, where they may stand, what they say.

use crate::coerce::{Given, mismatch};
use crate::error::Error;
use crate::introspect::meta::{self, Meta};
use crate::normalize::value::Fields;
use crate::normalize::{Normalizer, Shared};
use crate::operation::{Cached, Entry, Input, Leaf};
use crate::path::Path;
use crate::syntax::{Directive, OperationDefinition};
use crate::type_system::{Name, OperationKind};

/// Where a directive may stand in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Query,
    Mutation,
    Subscription,
    Field,
    FragmentSpread,
    InlineFragment,
}

impl Location {
    /// As printed in messages.
    fn described(self) -> &'static str {
        match self {
            Self::Query => "a query",
            Self::Mutation => "a mutation",
            Self::Subscription => "a subscription",
            Self::Field => "a field",
            Self::FragmentSpread => "a fragment spread",
            Self::InlineFragment => "an inline fragment",
        }
    }

    /// As introspection prints it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Query => "QUERY",
            Self::Mutation => "MUTATION",
            Self::Subscription => "SUBSCRIPTION",
            Self::Field => "FIELD",
            Self::FragmentSpread => "FRAGMENT_SPREAD",
            Self::InlineFragment => "INLINE_FRAGMENT",
        }
    }
}

/// What the directives of an operation say.
#[derive(Debug, Default)]
pub(super) struct OfOperation {
    pub(super) cached: Option<Cached>,
    pub(super) multiple_top_level_fields: bool,
}

pub(super) fn of_operation(
    shared: &mut Shared<'_>,
    definition: &OperationDefinition,
) -> Result<OfOperation, Error> {
    let location = match definition.kind {
        OperationKind::Query => Location::Query,
        OperationKind::Mutation => Location::Mutation,
        OperationKind::Subscription => Location::Subscription,
    };
    let mut said = OfOperation::default();
    for (name, arguments) in read(shared, &definition.directives, location, &Path::root())? {
        match &*name {
            "cached" => {
                let ttl = match argument(&arguments, "ttl") {
                    None => 60,
                    // A string is only for Postgres to read.
                    Some(leaf) if leaf.value.is_string() => {
                        return Err(mismatch(
                            "a 32-bit integer",
                            "Int",
                            Given::Json(&leaf.value),
                            &leaf.path,
                        ));
                    }
                    Some(leaf) => leaf
                        .value
                        .as_i64()
                        .and_then(|ttl| u32::try_from(ttl).ok())
                        .unwrap_or(0),
                };
                said.cached = Some(Cached {
                    ttl,
                    refresh: argument(&arguments, "refresh").is_some_and(|leaf| leaf.value == true),
                });
            }
            "_multiple_top_level_fields" => said.multiple_top_level_fields = true,
            _ => {}
        }
    }
    Ok(said)
}

/// Whether `@skip` and `@include` let a selection stand.
pub(super) fn is_included(
    shared: &mut Shared<'_>,
    directives: &[Directive],
    location: Location,
    path: &Path,
) -> Result<bool, Error> {
    if directives.is_empty() {
        return Ok(true);
    }
    let mut included = true;
    for (name, arguments) in read(shared, directives, location, path)? {
        let condition = argument(&arguments, "if").is_some_and(|leaf| leaf.value == true);
        match &*name {
            "skip" => included &= !condition,
            "include" => included &= condition,
            _ => {}
        }
    }
    Ok(included)
}

type Arguments = Vec<Entry<()>>;

fn argument<'e>(arguments: &'e Arguments, name: &str) -> Option<&'e Leaf> {
    arguments
        .iter()
        .filter(|entry| &*entry.name == name)
        .find_map(|entry| match &entry.value {
            Input::Leaf(leaf) => Some(leaf),
            _ => None,
        })
}

/// Checks directives and reads their arguments. A value that came from a variable is guarded as it is.
fn read<'a>(
    shared: &mut Shared<'a>,
    directives: &[Directive],
    location: Location,
    path: &Path,
) -> Result<Vec<(Name, Arguments)>, Error> {
    let mut said: Vec<(Name, Arguments)> = Vec::new();
    let mut twice: Vec<&str> = Vec::new();
    for directive in directives {
        let name = &directive.name;
        let refused = |message: String| Err(Error::validation(path, message));
        let Some(definition) = meta::directive(name) else {
            return refused(format!("directive '{name}' is not defined in the schema"));
        };
        if !definition.locations.contains(&location) {
            return refused(format!(
                "directive '{name}' is not allowed on {}",
                location.described()
            ));
        }
        if said.iter().any(|(before, _)| before == name) && !twice.contains(&&**name) {
            twice.push(name);
        }
        let mut normalizer: Normalizer<'_, 'a, Meta> = Normalizer::new(shared, &Meta);
        let arguments = normalizer.arguments(
            name,
            &definition.arguments,
            Fields::Written(&directive.arguments),
            &path.key(name.clone()),
        )?;
        guard_exactly(shared, &arguments);
        said.push((name.clone(), arguments));
    }
    if twice.is_empty() {
        return Ok(said);
    }
    let names: Vec<String> = twice.iter().map(|name| format!("'{name}'")).collect();
    let message = format!(
        "the following directives are used more than once: [{}]",
        names.join(", ")
    );
    Err(Error::validation(path, message))
}

/// Guards the very values of scalars that came from variables, since the shape of the operation depends on them.
pub(super) fn guard_exactly(shared: &mut Shared<'_>, arguments: &[Entry<()>]) {
    for entry in arguments {
        if let Input::Leaf(leaf) = &entry.value {
            shared.guard_leaf(leaf);
        }
    }
}
