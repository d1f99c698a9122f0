//! Namespaces, one by one, in which something may not be read. One of them, without its RoleBinding or gone with it, is no
//! reason not to work for the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kinds that a message names.
const MOST_KINDS: usize = 3;

#[derive(Debug)]
struct Denied {
    message: String,
    /// Nothing of the kind was ever read there.
    unread: bool,
    /// The API server does not know the kind.
    unknown: bool,
}

/// What is told of a namespace other than the engine's own: neither its name nor what the API server says of it.
const ELSEWHERE: &str = "the operator may not read a namespace in which there are objects that this engine serves: its log says \
                         which and why";

/// What may not be read, by namespace and kind.
#[derive(Debug, Default)]
pub struct Denials {
    all: Mutex<BTreeMap<String, BTreeMap<String, Denied>>>,
}

impl Denials {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Denied>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kind may not be read in a namespace, or is not known with `code` 404; `unread`: and was not before. Gives whether
    /// that is new.
    pub fn add(&self, namespace: &str, kind: &str, code: u16, message: &str, unread: bool) -> bool {
        let mut all = self.lock();
        let kinds = all.entry(namespace.to_owned()).or_default();
        let denied = Denied {
            message: message.to_owned(),
            // Another attempt reads no more than the first.
            unread: unread || kinds.get(kind).is_some_and(|before| before.unread),
            unknown: code == 404,
        };
        kinds.insert(kind.to_owned(), denied).is_none()
    }

    /// It may be read now. Gives whether that is new.
    pub fn remove(&self, namespace: &str, kind: &str) -> bool {
        let mut all = self.lock();
        let Some(kinds) = all.get_mut(namespace) else {
            return false;
        };
        let was = kinds.remove(kind).is_some();
        if kinds.is_empty() {
            all.remove(namespace);
        }
        was
    }

    /// Why a namespace cannot be worked on.
    pub fn of(&self, namespace: &str) -> Option<String> {
        let all = self.lock();
        let kinds = all.get(namespace)?;
        let mut names: Vec<&str> = kinds.keys().map(String::as_str).take(MOST_KINDS).collect();
        if kinds.len() > MOST_KINDS {
            names.push("and others");
        }
        let first = kinds.values().next().map(|denied| denied.message.as_str());
        let (names, first) = (names.join(", "), first.unwrap_or_default());
        Some(if kinds.values().all(|denied| denied.unknown) {
            format!(
                "the API server does not know {names}: install the custom resource definitions of this release ({first})"
            )
        } else {
            format!(
                "the operator may not read {names} in namespace {namespace}: bind its ClusterRole there, or, if it is gone, \
                 take it out of --namespaces ({first})"
            )
        })
    }

    /// Why nothing is known of one of these namespaces, if that is so, for an engine in namespace `own`.
    pub fn of_unread(&self, namespaces: &BTreeSet<String>, own: &str) -> Option<String> {
        let unread = namespaces.iter().find(|namespace| {
            let all = self.lock();
            let mut kinds = all.get(*namespace).into_iter().flat_map(BTreeMap::values);
            kinds.any(|denied| denied.unread)
        })?;
        if unread == own {
            self.of(unread)
        } else {
            Some(ELSEWHERE.to_owned())
        }
    }

    /// In how many namespaces.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_denied_until_all_of_it_may_be_read() {
        let denials = Denials::default();
        assert!(denials.add("stock", "Table", 403, "forbidden", true));
        assert!(
            !denials.add("stock", "Table", 403, "forbidden", false),
            "it is told once"
        );
        assert!(denials.add("stock", "Pod", 403, "forbidden", false));
        assert_eq!(denials.of("shop"), None);
        let message = denials.of("stock").expect("denied");
        assert!(
            message.contains("Pod, Table") && message.contains("take it out of --namespaces"),
            "{message}"
        );
        let stock = BTreeSet::from(["stock".to_owned()]);
        assert_eq!(denials.of_unread(&stock, "stock"), denials.of("stock"));
        assert_eq!(denials.of_unread(&stock, "shop").as_deref(), Some(ELSEWHERE));
        assert!(denials.remove("stock", "Table") && !denials.remove("stock", "Table"));
        assert_eq!(denials.of_unread(&stock, "shop"), None, "pods were read before");
        assert_eq!(denials.len(), 1);
        assert!(denials.remove("stock", "Pod"));
        assert!(denials.is_empty() && denials.of("stock").is_none());
        assert!(denials.add("stock", "CronTrigger", 404, "not found", true));
        let message = denials.of("stock").expect("denied");
        assert!(message.contains("custom resource definitions"), "{message}");
    }
}
