//! A set that has come becomes what is served. One that makes the engine panic is refused like one that cannot be read,
//! and the next one is taken.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use delivery::{Mark, RefusedSet, Set};
use kubernetes::{Keep, KeepError, Prepared};
use metadata::Document;
use tokio::sync::watch;

use super::{Arrived, document};
use crate::generation::source_state::describe;
use crate::generation::{Generation, Provenance};
use crate::observe::Event;
use crate::observe::defect::{Panicked, survived};
use crate::state::{StartError, State};

/// Pods hear of a set at the same moment. Those that share a core would all make it at once, and a request would wait for
/// all of them; spread over so long, it waits for one.
const SPREAD: Duration = Duration::from_millis(25);

/// A part of this time, another one each time.
fn by_chance(most: Duration) -> Duration {
    let chance = u32::try_from(RandomState::new().hash_one(()) % 1000).unwrap_or(0);
    most * chance / 1000
}

/// What a generation is made of a set by, in two steps.
pub(super) trait Making: Sync {
    /// Reads a set.
    ///
    /// # Errors
    /// Where and why it cannot be read.
    fn read(&self, arrived: &Arrived) -> Result<(Document, Provenance), StartError>;

    /// Makes a generation of it, with all that is told of it. For one who holds the writer's lock.
    fn generation(
        &self,
        document: Document,
        provenance: Provenance,
    ) -> impl Future<Output = Generation> + Send;
}

impl Making for State {
    fn read(&self, arrived: &Arrived) -> Result<(Document, Provenance), StartError> {
        let Arrived { set, mark, arrival } = arrived;
        document(set, mark.clone(), *arrival, &self.known)
    }

    async fn generation(&self, document: Document, provenance: Provenance) -> Generation {
        let (nothing, provenance) = (BTreeSet::new(), Arc::new(provenance));
        let next = self.next(document, 0, &nothing, provenance).await;
        self.complete(&next);
        next
    }
}

/// Why a set is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] StartError),
    /// The engine panicked over it.
    #[error("a defect of the engine: {0}")]
    Defect(#[from] Panicked),
}

/// Serves the sets as they come, one at a time, unless the pod is held.
pub(super) async fn take(state: &State, maker: &impl Making, mut sets: watch::Receiver<Option<Arrived>>) {
    let keep = state.settings.state_dir.as_deref().map(Keep::new).transpose();
    let keep = match keep {
        Ok(keep) => keep,
        Err(error) => {
            let message = describe(&error);
            state.complain(format!("sets are not kept for a restart: {message}"));
            state.set_unkept(Some(message));
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
        let Some(arrived) = sets.borrow_and_update().clone() else {
            continue;
        };
        let (counter, arrival) = (arrived.set.counter, arrived.arrival);
        if let Err(refusal) = serve(state, maker, keep.as_ref(), arrived).await {
            let message = describe(&refusal);
            match refusal {
                Refusal::Unreadable(_) => {
                    state.complain(format!("a published set is not taken: {message}"));
                }
                Refusal::Defect(panicked) => {
                    let message = format!("the published set {counter} is not taken: {panicked}");
                    state.observer.emit(Event::Defect(message));
                }
            }
            let counter = Some(counter);
            state.refuse(RefusedSet { counter, message }, arrival);
        }
    }
}

/// Makes a set what is served.
async fn serve(
    state: &State,
    maker: &impl Making,
    keep: Option<&Keep>,
    arrived: Arrived,
) -> Result<(), Refusal> {
    let (document, provenance) = survived(async { maker.read(&arrived) }).await??;
    {
        let Arrived { set, mark, .. } = arrived;
        let _writer = state.lock().await;
        // Both to their end: what is written must not go on when the next set is.
        let (next, prepared) = tokio::join!(
            survived(maker.generation(document, provenance)),
            prepare(keep.cloned(), set, mark)
        );
        let next = next?;
        // Kept when it is made and before it is served: who was answered from it is never answered from
        // an earlier one, and a set that ends the process in the making does so once.
        let kept = match prepared {
            Ok(Some(prepared)) => written(move || prepared.keep()).await,
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match kept {
            Ok(Some(())) => state.set_unkept(None),
            Ok(None) => {}
            // A change goes on: pods that served different sets for a full disk would be worse than one that is behind
            // for a moment after a restart. The report tells.
            Err(error) => {
                let message = describe(&error);
                state.complain(format!("the set is not kept for a restart: {message}"));
                state.set_unkept(Some(message));
            }
        }
        survived(async { state.swap(next) }).await?;
    }
    state.look_soon();
    Ok(())
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
mod tests;
