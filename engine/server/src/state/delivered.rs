//! The origin `configmap`: sets that the operator publishes are taken as they come, and the last one is kept on disk.

mod taking;

use std::path::Path;
use std::sync::{Arc, Mutex};

use delivery::{Mark, RefusedSet, Set};
use kubernetes::{Connection, Keep, SetNews, follow_sets};
use metadata::Document;
use metadata::document::Known;
use tokio::sync::watch;

use super::{StartError, State, parse};
use crate::generation::Provenance;
use crate::generation::aside::{Urgency, aside};
use crate::generation::source_state::describe;
use taking::take;

/// What was accepted before this process began; nothing if there is none, or none that can be read. The second is
/// what is wrong with it.
pub(super) fn kept(
    folder: Option<&Path>,
    known: &Mutex<Known>,
) -> (Option<(Document, Provenance)>, Option<String>) {
    let Some(folder) = folder else {
        return (None, None);
    };
    let read = Keep::new(folder).and_then(|keep| keep.read());
    let taken = match read {
        Ok(None) => return (None, None),
        Ok(Some(set)) => {
            let mark = set.mark();
            document(&set, mark, 0, known).map_err(|error| describe(&error))
        }
        Err(error) => Err(describe(&error)),
    };
    match taken {
        Ok(taken) => (Some(taken), None),
        Err(message) => (None, Some(format!("the kept metadata cannot be used: {message}"))),
    }
}

fn document(
    set: &Set,
    mark: Mark,
    arrival: u64,
    known: &Mutex<Known>,
) -> Result<(Document, Provenance), StartError> {
    let urgency = Urgency::of_text(set.metadata.len() + set.objects.len());
    aside(urgency, || {
        let provenance = Provenance::of_set(set, mark, arrival);
        let mut document = parse(&set.metadata, known)?;
        document.seniority = provenance.seniority();
        Ok((document, provenance))
    })
}

/// Follows the ConfigMap until `stop`.
pub(super) async fn follow(
    state: Arc<State>,
    connection: Connection,
    name: String,
    mut stop: watch::Receiver<bool>,
) {
    let (latest, sets) = watch::channel(None);
    let accepted = mark(&state);
    // They go on where an earlier following of this process ended.
    let mut arrivals = state.latest_arrival();
    let mut accepted_at = state.current().provenance.arrival;
    let watching = follow_sets(&connection, &name, accepted, |news| match news {
        // Sets that come while one is made are passed over but for the last.
        SetNews::Set(set, mark) => {
            arrivals += 1;
            accepted_at = arrivals;
            latest.send_replace(Some(Arrived {
                set: Arc::new(set),
                mark,
                arrival: arrivals,
            }));
        }
        SetNews::Refused { counter, message } => {
            arrivals += 1;
            state.complain(format!("the ConfigMap {name} is not taken: {message}"));
            state.refuse(RefusedSet { counter, message }, arrivals);
        }
        SetNews::Same => state.forgive_after(accepted_at),
        SetNews::Missing => state.complain(format!("the ConfigMap {name} is not there")),
        SetNews::Unreachable(message) => {
            state.complain(format!("the ConfigMap {name} cannot be watched: {message}"));
        }
    });
    tokio::select! {
        () = watching => {}
        () = take(&state, &*state, sets) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// A set, and the how manieth it was that came to this process.
#[derive(Debug, Clone)]
struct Arrived {
    set: Arc<Set>,
    mark: Mark,
    arrival: u64,
}

/// What is served, to tell later sets from others.
fn mark(state: &State) -> Option<Mark> {
    let generation = state.current();
    let provenance = &generation.provenance;
    Some(Mark {
        counter: provenance.counter?,
        generation: generation.hash().to_owned(),
        objects: provenance.objects_hash.clone(),
    })
}
