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
}

/// What may not be read, by namespace and kind.
#[derive(Debug, Default)]
pub struct Denials {
    all: Mutex<BTreeMap<String, BTreeMap<String, Denied>>>,
}

impl Denials {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Denied>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kind may not be read in a namespace; `unread`: and was not before. Gives whether that is new.
    pub fn add(&self, namespace: &str, kind: &str, message: &str, unread: bool) -> bool {
        let mut all = self.lock();
        let kinds = all.entry(namespace.to_owned()).or_default();
        let denied = Denied {
            message: message.to_owned(),
            // Another attempt reads no more than the first.
            unread: unread || kinds.get(kind).is_some_and(|before| before.unread),
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
        Some(format!(
            "the operator may not read {} in namespace {namespace}: bind its ClusterRole there, or, if it is gone, \
             take it out of --namespaces ({})",
            names.join(", "),
            first.unwrap_or_default()
        ))
    }

    /// Why nothing is known of one of these namespaces, if that is so.
    pub fn of_unread(&self, namespaces: &BTreeSet<String>) -> Option<String> {
        let unread = namespaces.iter().find(|namespace| {
            let all = self.lock();
            let mut kinds = all.get(*namespace).into_iter().flat_map(BTreeMap::values);
            kinds.any(|denied| denied.unread)
        });
        self.of(unread?)
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
        assert!(denials.add("stock", "Table", "forbidden", true));
        assert!(
            !denials.add("stock", "Table", "forbidden", false),
            "it is told once"
        );
        assert!(denials.add("stock", "Pod", "forbidden", false));
        assert_eq!(denials.of("shop"), None);
        let message = denials.of("stock").expect("denied");
        assert!(
            message.contains("Pod, Table") && message.contains("stock"),
            "{message}"
        );
        let stock = BTreeSet::from(["stock".to_owned()]);
        assert!(denials.of_unread(&stock).is_some());
        assert!(denials.remove("stock", "Table") && !denials.remove("stock", "Table"));
        assert_eq!(denials.of_unread(&stock), None, "pods were read before");
        assert_eq!(denials.len(), 1);
        assert!(denials.remove("stock", "Pod"));
        assert!(denials.is_empty() && denials.of("stock").is_none());
    }
}
