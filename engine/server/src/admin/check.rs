//! Whether a document fits the databases as they are now. Nothing is switched.

use std::sync::Arc;
use std::time::Duration;

use delivery::{CheckAnswer, hash, secret};
use metadata::Document;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::report::{is_flawless, problems, sources};
use crate::generation::aside::{Urgency, aside};
use crate::generation::provenance::{Blame, seniority};
use crate::generation::source_state::describe;
use crate::generation::{Generation, SourceState};
use crate::state::{self, State};

/// How long a new database that answers may take to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long variables that were just written may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(3);

/// A [`CheckRequest`](delivery::CheckRequest), whose table is read as a whole only where something is wrong.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    metadata: String,
    objects: Box<RawValue>,
}

/// Builds the document against the databases and throws it away.
///
/// # Errors
/// Why it is no document.
pub(super) async fn check(state: &State, request: &Asked) -> Result<CheckAnswer, String> {
    let bytes = request.metadata.len() + request.objects.get().len();
    let read = || {
        let mut document = state.parse(&request.metadata).map_err(|error| describe(&error))?;
        document.seniority = seniority(request.objects.get());
        Ok::<_, String>((document, hash(request.metadata.as_bytes())))
    };
    let (document, hash) = aside(Urgency::of_text(bytes), read)?;
    wait_for_variables(state, &request.metadata).await;
    let document = Arc::new(document);
    let _alone = state.check_alone().await;
    let before = state.current().number;
    let mut generation = build(state, &document).await;
    // Something that was made in the database a moment ago is not a fault.
    if state::has_outdated(&generation) && state.read_catalogs_again(before).await {
        generation = build(state, &document).await;
    }
    let problems = if is_flawless(&generation) {
        Vec::new()
    } else {
        aside(Urgency::Gentle, || {
            let objects: Vec<Value> = serde_json::from_str(request.objects.get())
                .map_err(|error| format!("the objects cannot be read: {error}"))?;
            Ok::<_, String>(problems(&generation, &Blame::of(&objects)))
        })?
    };
    Ok(CheckAnswer {
        generation: hash,
        problems,
        sources: sources(&generation.sources, |name| state.trouble_of(name)),
    })
}

async fn build(state: &State, document: &Arc<Document>) -> Generation {
    let current = state.current();
    let environment = state.environment();
    let mut sources = state::open_sources(document, &state.settings, &environment, Some(&current.sources));
    let is_new = |_: &str, source: &SourceState| source.catalog.is_none();
    state
        .introspect_what_answers(document, &mut sources, is_new, PATIENCE)
        .await;
    state.refresh_enum_values(document, &mut sources).await;
    let version = current.resource_version;
    state::build(
        Arc::clone(document),
        sources,
        &state.settings,
        Some(current),
        version,
    )
    .await
}

/// The Secret is written just before a check is asked for.
async fn wait_for_variables(state: &State, metadata: &str) {
    let wanted: Vec<&str> = metadata
        .split('"')
        .filter(|text| secret::is_reference(text))
        .collect();
    let mut changes = state.changes();
    let arrived = async {
        loop {
            changes.borrow_and_update();
            let environment = state.environment();
            if wanted.iter().all(|name| environment.get(name).is_some()) || changes.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(ARRIVAL, arrived).await;
}
