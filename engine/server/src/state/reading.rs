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

    /// The source as it was read, with what the document says of `place`.
    pub fn in_place_of(&self, place: &SourceState) -> SourceState {
        SourceState {
            template: place.template.clone(),
            ..self.source.clone()
        }
    }
}

/// The tables whose rows are the values of an enum.
pub(super) fn enum_tables(source: &Source) -> impl Iterator<Item = &QualifiedName> {
    let tables = source.tables.iter().filter(|(_, table)| table.is_enum);
    tables.map(|(name, _)| name)
}
