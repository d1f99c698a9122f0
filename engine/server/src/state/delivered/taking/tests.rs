//! Sets that come to a pod without databases.

use super::*;
use crate::observe::Observer;
use crate::observe::log::Logger;
use crate::settings::{Environment, command_line, reader};

#[test]
fn pods_do_not_begin_at_the_same_moment() {
    let begins: BTreeSet<Duration> = (0..100).map(|_| by_chance(SPREAD)).collect();
    assert!(
        begins.len() > 50 && begins.iter().all(|begin| *begin < SPREAD),
        "{begins:?}"
    );
}

/// Makes what the state makes, but for two sets.
struct Panicking(Arc<State>);

const UNREADABLE: u64 = 6;
const UNMAKEABLE: u64 = 7;

impl Making for Panicking {
    fn read(&self, arrived: &Arrived) -> Result<(Document, Provenance), StartError> {
        assert_ne!(arrived.set.counter, UNREADABLE, "cannot be read");
        self.0.read(arrived)
    }

    async fn generation(&self, document: Document, provenance: Provenance) -> Generation {
        tokio::task::yield_now().await;
        assert_ne!(provenance.counter, Some(UNMAKEABLE), "cannot be made");
        self.0.generation(document, provenance).await
    }
}

async fn pod(folder: &std::path::Path) -> Arc<State> {
    let kept = format!("--state-dir={}", folder.display());
    let line = [
        "rowlock",
        "serve",
        "--origin=configmap:shop-metadata",
        "--admin-secret=s",
        &kept,
    ];
    let matches = command_line::command().try_get_matches_from(line).unwrap();
    let settings = reader::read(&matches, &Environment::default()).unwrap();
    let logger = Logger::to(&settings.log, std::io::sink());
    let observer = Observer::with_logger(&settings, logger).unwrap();
    State::start(Arc::new(settings), observer).await.unwrap()
}

fn arrived(counter: u64, arrival: u64) -> Arrived {
    let set = Set {
        counter,
        metadata: Document::default().to_text(),
        objects: "[]".to_owned(),
    };
    let mark = set.mark();
    let set = Arc::new(set);
    Arrived { set, mark, arrival }
}

/// Counters of the set that is served, and of one that came after it and was refused.
fn told(state: &State) -> (Option<u64>, Option<u64>) {
    let current = state.current();
    let refused = state.refused_after(&current);
    (
        current.provenance.counter,
        refused.and_then(|refused| refused.counter),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_panics_is_refused_and_the_next_is_served() {
    let folder = std::env::temp_dir().join(format!("rowlock-{}", uuid::Uuid::new_v4()));
    let state = pod(&folder).await;
    let kept = || Keep::new(&folder).unwrap().read().unwrap();
    let (latest, sets) = watch::channel(None);
    let taking = tokio::spawn({
        let state = Arc::clone(&state);
        async move { take(&state, &Panicking(Arc::clone(&state)), sets).await }
    });
    let mut changes = state.changes();
    let cases = [
        (5, (Some(5), None)),
        (UNREADABLE, (Some(5), Some(UNREADABLE))),
        (UNMAKEABLE, (Some(5), Some(UNMAKEABLE))),
        (8, (Some(8), None)),
    ];
    for (arrival, (counter, wanted)) in (1..).zip(cases) {
        latest.send_replace(Some(arrived(counter, arrival)));
        let known = async {
            while told(&state) != wanted {
                changes.changed().await.unwrap();
            }
        };
        let known = tokio::time::timeout(Duration::from_secs(60), known).await;
        assert!(known.is_ok(), "{:?} is not {wanted:?}", told(&state));
        assert_eq!(state.latest_arrival(), arrival);
        assert_eq!(kept().map(|set| set.counter), wanted.0, "what is served is kept");
    }
    drop(latest);
    taking.await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
