//! Databases that a command is going to read are read before it takes the writer's lock: nobody else's change waits for
//! them. What cannot be known before (because a command in front of it changes databases) is read in its turn.

use metadata::{Document, Source};
use serde_json::Value;

use super::arguments::Arguments;
use super::bulk;
use super::command::{Command, Effect, Endpoint};
use super::document;
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
        "add_source" => {
            let is_known = arguments
                .name("name")
                .is_ok_and(|name| present.document.sources.contains_key(&name));
            if !is_known
                || arguments
                    .flag("replace_configuration")
                    .is_ok_and(|replace| replace)
            {
                wanted.extend(changed(present, arguments));
            }
        }
        "update_source" => {
            let of = changed(present, arguments);
            wanted.extend(of.filter(|of| present.document.sources.contains_key(&of.name)));
        }
        "reload_metadata" => {
            let names = arguments.raw("reload_sources").and_then(Value::as_array);
            let is_unknown = |name: &Value| {
                let name = name.as_str();
                name.is_some_and(|name| !present.document.sources.contains_key(name))
            };
            if names.is_some_and(|names| names.iter().any(is_unknown)) {
                return false;
            }
            let is_named = |name: &str| names.is_some_and(|names| names.iter().any(|named| named == name));
            wanted.extend(
                all(&present.document)
                    .map(|of| Wanted {
                        is_named: is_named(&of.name),
                        ..of
                    })
                    .filter(|of| of.is_named || names.is_none()),
            );
        }
        "replace_metadata" => {
            let document = arguments.raw("metadata").unwrap_or(command.arguments);
            let Ok((document, _)) = document::read(document, &present.document) else {
                return false;
            };
            wanted.extend(all(&document));
        }
        "clear_metadata" => wanted.extend(all(&present.document).filter(|of| of.name == "default")),
        _ => {}
    }
    true
}

/// The sources of a document, with the tables that it has: the rows of enums are read too.
fn all(document: &Document) -> impl Iterator<Item = Wanted> {
    document.sources.iter().map(|(name, source)| Wanted {
        name: name.clone(),
        definition: source.clone(),
        is_named: false,
        only_new: false,
    })
}

/// A source that is added or reached in another way, whose database is what the command is about, with its present tables.
fn changed(present: &Generation, arguments: Arguments<'_>) -> Option<Wanted> {
    let name = arguments.name("name").ok()?;
    let configuration = arguments.required("configuration").ok()?;
    let known = present.document.sources.get(&name).cloned();
    Some(Wanted {
        definition: Source {
            configuration,
            ..known.unwrap_or_default()
        },
        name,
        is_named: true,
        only_new: true,
    })
}
