//! Databases that a command is going to read are read before it takes the writer's lock: nobody else's change waits for
//! them. What cannot be known before (because a command in front of it changes databases) is read in its turn.

use metadata::Source;
use metadata::source::SourceConfiguration;
use serde_json::Value;

use super::arguments::Arguments;
use super::bulk;
use super::command::{Command, Effect, Endpoint};
use crate::generation::Generation;
use crate::state::State;
use crate::state::reading::{Read, Wanted};

/// Reads what this command, or what it holds, is going to ask for.
pub(super) async fn read(state: &State, command: &Command<'_>, endpoint: Endpoint) -> Vec<Read> {
    let is_refused =
        !state.is_writable() || state.settings.maintenance_mode || state.settings.graphql.read_only;
    if is_refused {
        return Vec::new();
    }
    let mut wanted = Vec::new();
    collect(&state.current(), command, endpoint, &mut wanted);
    if wanted.is_empty() {
        return Vec::new();
    }
    state.read_ahead(wanted).await
}

/// Adds what a command is going to read; whether more can be known of what comes after it. What is wrong with its arguments
/// is for later.
fn collect(
    present: &Generation,
    command: &Command<'_>,
    endpoint: Endpoint,
    wanted: &mut Vec<Wanted>,
) -> bool {
    match command.effect {
        Effect::RunsSql | Effect::Data => return false,
        Effect::Reads => return true,
        Effect::Holds => {
            return bulk::items(command.arguments).is_ok_and(|items| {
                items.iter().all(|item| {
                    Command::read(item, endpoint).is_ok_and(|held| collect(present, &held, endpoint, wanted))
                })
            });
        }
        Effect::Changes => {}
    }
    let Ok(arguments) = Arguments::new(command.arguments) else {
        return false;
    };
    match command.name {
        "add_source" | "update_source" => wanted.extend(changed(present, arguments)),
        "reload_metadata" => {
            let names = arguments.raw("reload_sources").and_then(Value::as_array);
            let is_named = |name: &str| names.is_some_and(|names| names.iter().any(|named| named == name));
            wanted.extend(
                all(present)
                    .map(|of| Wanted {
                        is_named: is_named(&of.name),
                        ..of
                    })
                    .filter(|of| of.is_named || names.is_none()),
            );
        }
        "replace_metadata" => {
            let document = arguments.raw("metadata").unwrap_or(command.arguments);
            match document.get("sources").and_then(Value::as_array) {
                Some(sources) => wanted.extend(sources.iter().filter_map(|source| replaced(present, source))),
                None => wanted.extend(all(present)),
            }
        }
        "clear_metadata" => wanted.extend(all(present).filter(|of| of.name == "default")),
        _ => {}
    }
    true
}

/// The sources as they are.
fn all(present: &Generation) -> impl Iterator<Item = Wanted> {
    present.document.sources.iter().map(|(name, source)| Wanted {
        name: name.clone(),
        definition: source.clone(),
        is_named: false,
    })
}

/// A source that is added or reached in another way, whose database is what the command is about.
fn changed(present: &Generation, arguments: Arguments<'_>) -> Option<Wanted> {
    let name = arguments.name("name").ok()?;
    let configuration = arguments.required("configuration").ok()?;
    Some(Wanted {
        is_named: true,
        ..with(present, name, configuration)
    })
}

/// A source of a document that is put in place of the present one.
fn replaced(present: &Generation, source: &Value) -> Option<Wanted> {
    let source = Arguments::new(source).ok()?;
    Some(with(
        present,
        source.name("name").ok()?,
        source.required("configuration").ok()?,
    ))
}

/// A source that is reached like this, with its present tables: only those that are enums count.
fn with(present: &Generation, name: String, configuration: SourceConfiguration) -> Wanted {
    let known = present.document.sources.get(&name).cloned();
    Wanted {
        definition: Source {
            configuration,
            ..known.unwrap_or_default()
        },
        name,
        is_named: false,
    }
}
