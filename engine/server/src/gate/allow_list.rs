//! The allow list: queries of collections, compared by their normal form.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use graphql::Limits;
use metadata::Document;
use metadata::collection::AllowlistScope;

use crate::http::error::ApiError;

/// Bytes of texts whose normal form is remembered.
const MOST_BYTES: usize = 16 << 20;

/// The queries of one document's allow list.
#[derive(Debug, Default)]
pub struct AllowList {
    /// Normal forms, each with who may ask it.
    forms: HashMap<String, Audience>,
    /// Texts that were found in the list before, so that they are not parsed again.
    known: Mutex<Known>,
}

/// Who may ask a query.
#[derive(Debug, Clone, Default)]
struct Audience {
    everybody: bool,
    roles: HashSet<String>,
}

#[derive(Debug, Default)]
struct Known {
    audiences: HashMap<Box<str>, Audience>,
    bytes: usize,
}

impl Audience {
    fn has(&self, role: &str) -> bool {
        self.everybody || self.roles.contains(role)
    }
}

impl AllowList {
    /// Of a document. Queries that cannot be parsed allow nothing.
    pub fn new(document: &Document) -> Self {
        let mut forms: HashMap<String, Audience> = HashMap::new();
        for (name, entry) in &document.allowlist {
            let Some(collection) = document.query_collections.get(name) else {
                continue;
            };
            for listed in collection.definition.queries.values() {
                let Ok(parsed) = graphql::Document::parse(&listed.query, &Limits::default()) else {
                    continue;
                };
                let audience = forms.entry(parsed.normal_form()).or_default();
                match &entry.scope {
                    AllowlistScope::Global => audience.everybody = true,
                    AllowlistScope::Roles(roles) => audience.roles.extend(roles.iter().cloned()),
                }
            }
        }
        Self {
            forms,
            known: Mutex::default(),
        }
    }

    /// Whether a role may ask this.
    ///
    /// # Errors
    /// The text is no document.
    pub fn allows(&self, text: &str, role: &str, limits: &Limits) -> Result<bool, ApiError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(audience) = known.audiences.get(text) {
            return Ok(audience.has(role));
        }
        drop(known);
        let form = graphql::Document::parse(text, limits)?.normal_form();
        let Some(audience) = self.forms.get(&form) else {
            return Ok(false);
        };
        known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // The same query can be written in any number of ways.
        if known.bytes + text.len() > MOST_BYTES {
            *known = Known::default();
        }
        known.bytes += text.len();
        known.audiences.insert(text.into(), audience.clone());
        Ok(audience.has(role))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn global_and_by_role() {
        let document = json!({
            "version": 3,
            "sources": [],
            "query_collections": [
                {"name": "all", "definition": {"queries": [{"name": "a", "query": "query { a { b } }"}]}},
                {"name": "some", "definition": {"queries": [
                    {"name": "c", "query": "query Q($x: Int) { c(x: $x) { d } }"},
                    {"name": "e", "query": "{ e { ...F } } fragment F on e { f }"},
                ]}},
                {"name": "none", "definition": {"queries": [{"name": "g", "query": "{ g }"}]}},
            ],
            "allowlist": [
                {"collection": "all"},
                {"collection": "some", "scope": {"global": false, "roles": ["editor"]}},
            ],
        });
        let (document, _) = Document::parse(&document).unwrap();
        let list = AllowList::new(&document);
        let allows = |text, role| list.allows(text, role, &Limits::default()).unwrap();
        for _ in 0..2 {
            assert!(allows("{a{b __typename}}", "user"));
            assert!(!allows("{a{b c}}", "user"));
            assert!(!allows("{x: a{b}}", "user"));
            assert!(allows("query Q($x: Int) {c(x: $x){d}}", "editor"));
            assert!(!allows("query Q($x: Int) {c(x: $x){d}}", "user"));
            assert!(!allows("query R($x: Int) {c(x: $x){d}}", "editor"));
            assert!(allows("fragment F on e { f } query { e { ...F } }", "editor"));
            assert!(!allows("{ e { f } }", "editor"));
            assert!(!allows("{ g }", "editor"));
        }
        assert!(list.allows("{", "user", &Limits::default()).is_err());
    }
}
