//! Server-side apply of what was rendered: only what is not there yet as it should be, and never over what belongs to
//! somebody else.

use std::collections::HashMap;
use std::time::Instant;

use compile::ObjectKey;
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use serde_json::Value;

use crate::children::{Child, ChildKey, Children, revision, version};
use crate::dispute::Dispute;
use crate::observe::{Event, Observer};
use crate::resource::{Native, Resource};
use crate::retry;

/// The field manager of everything that the operator writes.
pub const MANAGER: &str = "rowlock-operator";

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused.
    #[error("{kind} {name}: {message}")]
    Refused {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
        /// In its words.
        message: String,
        /// Whether it may succeed later.
        again: bool,
    },
    /// The namespace is being deleted.
    #[error("the namespace is being deleted")]
    Ending,
    /// Whatever is written, somebody else writes it differently.
    #[error(
        "{kind} {name} is changed by somebody else as soon as it is written: is there a second operator for this namespace?"
    )]
    Contested {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Something of this name is there and not the engine's.
    #[error(
        "{kind} {name} is there already and does not belong to the engine: delete it, or give the engine another name"
    )]
    Foreign {
        /// The kind.
        kind: &'static str,
        /// The name.
        name: String,
    },
}

impl Error {
    /// Whether the same may succeed later without a change.
    pub fn again(&self) -> bool {
        match self {
            Self::Refused { again, .. } => *again,
            Self::Ending => false,
            // Nobody tells when it is deleted.
            Self::Foreign { .. } | Self::Contested { .. } => true,
        }
    }
}

/// What is known of a child that was written.
#[derive(Clone, Debug)]
struct Written {
    hash: String,
    uid: String,
    version: u64,
    revision: u64,
    doubt: Option<Doubt>,
    dispute: Dispute,
}

/// Somebody else may have changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Doubt {
    /// The version that was there; none: it was deleted.
    seen: Option<u64>,
}

impl Doubt {
    /// Whether an apply that made this version changed what was there: who adds an annotation changes nothing of it.
    /// `same`: it is still the object that was written; one that was deleted is another.
    fn is_confirmed(self, same: bool, version: u64) -> bool {
        match self.seen {
            Some(seen) => seen != version,
            None => !same,
        }
    }
}

/// Writes the children of one engine.
pub struct Applier {
    client: Client,
    observer: Observer,
    engine: ObjectKey,
    uid: String,
    written: HashMap<ChildKey, Written>,
    /// What was as somebody else wanted it, until it is told.
    restored: Vec<(&'static str, String)>,
}

impl Applier {
    /// For an engine with a uid.
    pub fn new(client: Client, observer: Observer, engine: ObjectKey, uid: String) -> Self {
        Self {
            client,
            observer,
            engine,
            uid,
            written: HashMap::new(),
            restored: Vec::new(),
        }
    }

    /// Kinds and names of what was changed or deleted by somebody else and written again, each time once.
    pub fn take_restored(&mut self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.restored)
    }

    /// Writes a child if it is not there as rendered.
    ///
    /// # Errors
    /// It belongs to somebody else, somebody else keeps changing it, or the API server refuses.
    pub async fn apply(&mut self, children: &Children, kind: Native, object: &Value) -> Result<(), Error> {
        let name = object.pointer("/metadata/name").and_then(Value::as_str);
        let key = self.key(kind, name.unwrap_or_default());
        let hash = delivery::hash(object.to_string().as_bytes());
        let live = children.get(&key);
        let written = self.written.get(&key);
        if written.is_some_and(|written| written.hash == hash && !drifted(written, live.as_ref())) {
            return Ok(());
        }
        let restored = written.is_some_and(|written| written.hash == hash);
        let mut dispute = written.map(|written| written.dispute.clone()).unwrap_or_default();
        // One that is doubted is written for a reason of the operator's own.
        let doubt = written.and_then(|written| written.doubt);
        let suspicious = restored && doubt.is_none();
        if suspicious && dispute.pause(Instant::now()).is_some() {
            return Err(Error::Contested {
                kind: key.kind.as_str(),
                name: key.name,
            });
        }
        let objects = kind.api(&self.client, Some(&key.namespace));
        let before = match written {
            Some(written) => Some((written.uid.clone(), written.version)),
            None => self.present(&objects, &key).await?,
        };
        let parameters = PatchParams::apply(MANAGER).force();
        let applied = objects
            .patch(&key.name, &parameters, &Patch::Apply(object))
            .await
            .map_err(|error| refused(&key, &error))?;
        let uid = applied.metadata.uid.clone().unwrap_or_default();
        let version = version(&applied.metadata);
        // Who changes what the operator says nothing of, as an autoscaler does, is no opponent.
        if suspicious && overruled(live.as_ref(), &uid, version) {
            dispute.restored(Instant::now());
            self.restored.push((kind.as_str(), key.name.clone()));
        }
        let doubt = doubt.filter(|_| restored);
        let now = Written {
            hash,
            uid,
            version,
            revision: revision(&applied.metadata),
            doubt: None,
            dispute,
        };
        // What was seen may be older than what was written.
        let same = before.as_ref().is_some_and(|(before, _)| *before == now.uid);
        let changed = before != Some((now.uid.clone(), version))
            && doubt.is_none_or(|doubt| doubt.is_confirmed(same, version));
        if changed {
            if doubt.is_some() {
                self.restored.push((kind.as_str(), key.name.clone()));
            }
            self.observer.emit(&Event::Applied {
                engine: &self.engine,
                kind: kind.as_str(),
                name: &key.name,
                restored,
            });
        }
        self.written.insert(key, now);
        Ok(())
    }

    /// Uid and version of a child that was written.
    pub fn version(&self, kind: Native, name: &str) -> Option<(&str, u64)> {
        let written = self.written.get(&self.key(kind, name));
        written.map(|written| (written.uid.as_str(), written.version))
    }

    /// Somebody else may have changed a child, of which this version is there now: the next apply writes it.
    pub fn doubt(&mut self, kind: Native, name: &str, seen: Option<u64>) {
        let key = self.key(kind, name);
        if let Some(written) = self.written.get_mut(&key) {
            written.doubt = Some(Doubt { seen });
        }
    }

    fn key(&self, kind: Native, name: &str) -> ChildKey {
        ChildKey {
            kind,
            namespace: self.engine.namespace.clone(),
            name: name.to_owned(),
        }
    }

    /// Uid and version of what is there, if anything; it must be the engine's.
    async fn present(
        &self,
        objects: &kube::Api<Resource>,
        key: &ChildKey,
    ) -> Result<Option<(String, u64)>, Error> {
        let found = objects
            .get_metadata_opt(&key.name)
            .await
            .map_err(|error| refused(key, &error))?;
        let Some(found) = found else {
            return Ok(None);
        };
        let mut owners = found.metadata.owner_references.iter().flatten();
        // One of an engine of the same name that was deleted a moment ago is on its way out.
        if owners.any(|owner| owner.kind == "Engine" && owner.name == self.engine.name) {
            let uid = found.metadata.uid.clone().unwrap_or_default();
            return Ok(Some((uid, version(&found.metadata))));
        }
        Err(Error::Foreign {
            kind: key.kind.as_str(),
            name: key.name.clone(),
        })
    }

    /// Deletes children of the engine that are not among those to keep.
    ///
    /// # Errors
    /// The API server refuses.
    pub async fn prune(
        &mut self,
        children: &Children,
        keep: impl Fn(&ChildKey) -> bool,
    ) -> Result<(), Error> {
        for key in children.of_engine(&self.engine.namespace, &self.uid) {
            if keep(&key) {
                continue;
            }
            let objects = key.kind.api(&self.client, Some(&key.namespace));
            let parameters = DeleteParams {
                preconditions: children.get(&key).map(|child| Preconditions {
                    uid: Some(child.uid),
                    resource_version: None,
                }),
                ..DeleteParams::background()
            };
            match objects.delete(&key.name, &parameters).await {
                Ok(_) => self.observer.emit(&Event::Deleted {
                    engine: &self.engine,
                    kind: key.kind.as_str(),
                    name: &key.name,
                }),
                Err(error) if matches!(retry::code(&error), 404 | 409) => {}
                Err(error) => return Err(refused(&key, &error)),
            }
            self.written.remove(&key);
        }
        Ok(())
    }
}

/// Whether somebody else changed or deleted it since.
fn drifted(written: &Written, live: Option<&Child>) -> bool {
    if written.doubt.is_some() {
        return true;
    }
    match live {
        // The watch has not told of it yet.
        None => false,
        Some(live) if live.uid == written.uid => live.gone || live.version > written.version,
        // Another one of this name: older, or made by somebody else after ours was deleted, whose generation begins anew.
        Some(live) => !live.gone && live.revision > written.revision,
    }
}

/// Whether an apply that made this version changed what was there.
fn overruled(live: Option<&Child>, uid: &str, version: u64) -> bool {
    live.is_none_or(|live| live.gone || live.uid != uid || live.version != version)
}

fn refused(key: &ChildKey, error: &kube::Error) -> Error {
    if retry::is_ending(error) {
        return Error::Ending;
    }
    Error::Refused {
        kind: key.kind.as_str(),
        name: key.name.clone(),
        message: retry::message(error),
        again: retry::may_succeed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_a_later_version_or_a_deletion() {
        let written = Written {
            hash: "h".to_owned(),
            uid: "u".to_owned(),
            version: 5,
            revision: 50,
            doubt: None,
            dispute: Dispute::default(),
        };
        let live = |uid: &str, version: u64, gone: bool| Child {
            uid: uid.to_owned(),
            version,
            revision: version * 10,
            gone,
            ..Child::default()
        };
        assert!(!drifted(&written, None));
        assert!(!drifted(&written, Some(&live("u", 4, false))), "an old event");
        assert!(!drifted(&written, Some(&live("u", 5, false))));
        assert!(drifted(&written, Some(&live("u", 6, false))));
        assert!(drifted(&written, Some(&live("u", 5, true))));
        assert!(
            !drifted(&written, Some(&live("before", 3, true))),
            "the one that ours replaced"
        );
        assert!(!drifted(&written, Some(&live("before", 3, false))));
        assert!(drifted(&written, Some(&live("after", 9, false))));
        let first = Child {
            version: 1,
            ..live("after", 9, false)
        };
        assert!(
            drifted(&written, Some(&first)),
            "a Deployment of another's making"
        );
    }

    #[test]
    fn an_annotation_is_nothing_to_restore() {
        let doubt = Doubt { seen: Some(7) };
        assert!(!doubt.is_confirmed(true, 7), "the apply changed nothing");
        assert!(doubt.is_confirmed(true, 8));
        let absent = Doubt { seen: None };
        assert!(absent.is_confirmed(false, 9), "it was deleted");
        assert!(!absent.is_confirmed(true, 9), "its watch had not seen it yet");
    }

    #[test]
    fn an_autoscaler_is_not_overruled() {
        let scaled = Child {
            uid: "u".to_owned(),
            version: 6,
            ..Child::default()
        };
        assert!(!overruled(Some(&scaled), "u", 6), "the apply changed nothing");
        assert!(overruled(Some(&scaled), "u", 7));
        assert!(overruled(Some(&scaled), "another", 6));
        let gone = Child { gone: true, ..scaled };
        assert!(overruled(Some(&gone), "u", 6));
        assert!(overruled(None, "u", 6));
    }
}
