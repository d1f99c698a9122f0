//! The origin `configmap`: sets that the operator publishes are taken as they come, and the last one is kept on disk.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use delivery::{Mark, RefusedSet, Set};
use kubernetes::{Connection, Keep, KeepError, Prepared, SetNews, follow_sets};
use metadata::Document;
use metadata::document::Known;
use tokio::sync::watch;

use super::{StartError, State, parse};
use crate::generation::Provenance;
use crate::generation::aside::{Urgency, aside};
use crate::generation::source_state::describe;

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
    let (mut arrivals, mut accepted_at) = (0, 0);
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
        () = take(&state, sets) => {}
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

/// Pods hear of a set at the same moment. Those that share a core would all make it at once, and a request would wait for
/// all of them; spread over so long, it waits for one.
const SPREAD: Duration = Duration::from_millis(25);

/// A part of this time, another one each time.
fn by_chance(most: Duration) -> Duration {
    let chance = u32::try_from(RandomState::new().hash_one(()) % 1000).unwrap_or(0);
    most * chance / 1000
}

/// Serves the sets as they come, one at a time, unless the pod is held.
async fn take(state: &Arc<State>, mut sets: watch::Receiver<Option<Arrived>>) {
    let keep = state.settings.state_dir.as_deref().map(Keep::new).transpose();
    let keep = match keep {
        Ok(keep) => keep,
        Err(error) => {
            state.complain(format!("sets are not kept for a restart: {}", describe(&error)));
            None
        }
    };
    while sets.changed().await.is_ok() {
        tokio::time::sleep(by_chance(SPREAD)).await;
        let mut changes = state.changes();
        while state.is_held() {
            if changes.changed().await.is_err() {
                return;
            }
        }
        let Some(Arrived { set, mark, arrival }) = sets.borrow_and_update().clone() else {
            continue;
        };
        let counter = set.counter;
        match document(&set, mark.clone(), arrival, &state.known) {
            Ok((document, provenance)) => {
                {
                    let _writer = state.lock().await;
                    let (nothing, provenance) = (BTreeSet::new(), Arc::new(provenance));
                    let (next, prepared) = tokio::join!(
                        state.next(document, 0, &nothing, provenance),
                        prepare(keep.clone(), set, mark)
                    );
                    // Kept when it is made and before it is served: who was answered from it is never answered from
                    // an earlier one, and a set that ends the process in the making does so once.
                    let kept = match prepared {
                        Ok(Some(prepared)) => written(move || prepared.keep()).await.map(|_| ()),
                        Ok(None) => Ok(()),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = kept {
                        state.complain(format!("the set is not kept for a restart: {}", describe(&error)));
                    }
                    state.swap(next);
                }
                state.look_soon();
            }
            Err(error) => {
                let message = describe(&error);
                state.complain(format!("a published set is not taken: {message}"));
                let counter = Some(counter);
                state.refuse(RefusedSet { counter, message }, arrival);
            }
        }
    }
}

/// Writes a set where it can be kept at once; nothing where sets are not kept.
async fn prepare(keep: Option<Keep>, set: Arc<Set>, mark: Mark) -> Result<Option<Prepared>, KeepError> {
    let Some(keep) = keep else {
        return Ok(None);
    };
    written(move || keep.prepare(&set, &mark)).await
}

/// What comes of writing to the disk, away from what answers; nothing where the runtime ends, which alone does not wait
/// for it.
async fn written<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, KeepError> + Send + 'static,
) -> Result<Option<T>, KeepError> {
    let written = tokio::task::spawn_blocking(write).await;
    written.map_or(Ok(None), |written| written.map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_do_not_begin_at_the_same_moment() {
        let begins: BTreeSet<Duration> = (0..100).map(|_| by_chance(SPREAD)).collect();
        assert!(
            begins.len() > 50 && begins.iter().all(|begin| *begin < SPREAD),
            "{begins:?}"
        );
    }
}
