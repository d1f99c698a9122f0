//! A catalog that was read while nobody waited for it, until somebody who holds the writer's lock takes it.

use std::sync::Arc;

use metadata::{QualifiedName, Source};
use schema::CatalogState;

use crate::generation::SourceState;

/// What was read of a source, or why it could not be read, and the connections that did.
#[derive(Debug)]
pub struct Read {
    name: String,
    source: SourceState,
    /// What was known before it was read. Somebody else may have read it since.
    known: Option<Arc<CatalogState>>,
    /// The tables whose rows were read.
    enum_tables: Vec<QualifiedName>,
}

/// A source whose catalog somebody is going to ask for.
#[derive(Debug)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// How it is reached, and its tables.
    pub definition: Source,
    /// It is waited for whatever is known of it.
    pub is_named: bool,
}

impl Read {
    /// `known` is what the present generation knew before `source` was read, with the rows of these tables.
    pub(super) fn new<'t>(
        name: String,
        source: SourceState,
        known: Option<Arc<CatalogState>>,
        enum_tables: impl IntoIterator<Item = &'t QualifiedName>,
    ) -> Self {
        Self {
            name,
            source,
            known,
            enum_tables: enum_tables.into_iter().cloned().collect(),
        }
    }

    /// The source and how it was reached.
    pub(super) fn way(&self) -> (String, SourceState) {
        (self.name.clone(), self.source.clone())
    }

    /// Whether it was read of a source of this name as `place` is to be reached.
    pub fn is_of(&self, name: &str, place: &SourceState) -> bool {
        self.name == name && self.source.is_reached_like(place)
    }

    /// Whether nobody was faster: `present` is the source as it is served.
    pub fn is_news_to(&self, present: Option<&SourceState>) -> bool {
        match (&self.known, present.and_then(|present| present.catalog.as_ref())) {
            (Some(known), Some(present)) => Arc::ptr_eq(known, present),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether the rows of this source's enum tables were read with it, and of no others.
    pub fn has_rows_for(&self, definition: &Source) -> bool {
        enum_tables(definition).eq(&self.enum_tables)
    }

    /// The source as it was read, with what the document says of `place`. Reading that failed tells nothing of the catalog:
    /// what was begun with may be older than what `place` has by now.
    pub fn in_place_of(&self, place: &SourceState) -> SourceState {
        let failed = self.source.trouble.is_some();
        SourceState {
            template: place.template.clone(),
            catalog: if failed {
                &place.catalog
            } else {
                &self.source.catalog
            }
            .clone(),
            ..self.source.clone()
        }
    }
}

/// The tables whose rows are the values of an enum.
pub(super) fn enum_tables(source: &Source) -> impl Iterator<Item = &QualifiedName> {
    let tables = source.tables.iter().filter(|(_, table)| table.is_enum);
    tables.map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::super::away::tests::source;
    use super::*;

    #[tokio::test]
    async fn what_failed_takes_nothing_newer_away() {
        let (older, newer) = (Arc::<CatalogState>::default(), Arc::<CatalogState>::default());
        let with = |catalog: &Arc<CatalogState>, trouble: Option<&str>| SourceState {
            catalog: Some(Arc::clone(catalog)),
            trouble: trouble.map(str::to_owned),
            ..source("postgresql://a/d")
        };
        let place = with(&newer, None);
        let read = |source: SourceState| {
            let read = Read::new("default".to_owned(), source, Some(Arc::clone(&newer)), []);
            read.in_place_of(&place)
        };
        let failed = read(with(&older, Some("lost")));
        assert!(Arc::ptr_eq(failed.catalog.as_ref().unwrap(), &newer));
        assert_eq!(failed.trouble.as_deref(), Some("lost"));
        let found = read(with(&older, None));
        assert!(Arc::ptr_eq(found.catalog.as_ref().unwrap(), &older));
    }
}
