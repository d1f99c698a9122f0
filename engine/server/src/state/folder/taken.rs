//! What a folder comes to becomes what is served: without what the databases have against it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{State, has_outdated};
use crate::directory::{Contents, Held, Loaded};
use crate::generation::aside::{Urgency, aside};

/// How often it is looked for what is hidden behind a fault. Each time takes a generation; what is found the last time is told
/// and left out, though not in its last good form.
const ROUNDS: usize = 5;

impl State {
    /// Serves what a folder comes to. Objects that do not fit the databases are not in the document: they go on in their last
    /// good form, or are out with what belongs to them, as in a cluster.
    pub(in crate::state) async fn take_folder(&self, loaded: &Loaded) -> Contents {
        if let Some(contents) = self.take_if_fresh(loaded, false).await {
            return contents;
        }
        // Something that was made in the database a moment ago is not a fault.
        let before = self.current().number;
        self.read_catalogs_again(before).await;
        let contents = self.take_if_fresh(loaded, true).await;
        contents.unwrap_or_default()
    }

    /// The same; nothing, where what is known of the databases may be too old to speak against it.
    async fn take_if_fresh(&self, loaded: &Loaded, is_fresh: bool) -> Option<Contents> {
        let _writer = self.lock().await;
        let served = self.current();
        let published = served.provenance.published();
        let mut held = Held::default();
        let mut candidate = Arc::clone(&served);
        for round in 0..=ROUNDS {
            let compile = || loaded.contents(&held.last(&served.document, &published), &held);
            let mut contents = aside(Urgency::Gentle, compile);
            let variables = std::mem::take(&mut contents.variables);
            let environment = self.settings.environment.with(variables);
            let environment = self.settings.for_documents(environment);
            let same_variables = *self.environment() == environment;
            if !same_variables {
                self.environment.store(Arc::new(environment));
            }
            let same = contents.document == *served.document
                && contents.provenance.objects_hash == served.provenance.objects_hash;
            candidate = if same && same_variables {
                Arc::clone(&served)
            } else {
                let document = std::mem::take(&mut contents.document);
                let provenance = Arc::new(std::mem::take(&mut contents.provenance));
                let nothing = BTreeSet::new();
                let next = self.next_after(candidate, document, 0, &nothing, provenance);
                Arc::new(next.await)
            };
            if round == 0 && !is_fresh && has_outdated(&candidate) {
                return None;
            }
            let is_last = round == ROUNDS || !aside(Urgency::Gentle, || held.take(&candidate, &contents));
            if is_last {
                if !Arc::ptr_eq(&candidate, &served) {
                    self.swap(Arc::unwrap_or_clone(candidate));
                }
                return Some(contents);
            }
        }
        None
    }
}
