//! A catalog that was read while nobody waited for it, until somebody who holds the writer's lock takes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::{QualifiedName, Source};
use schema::CatalogState;

use crate::generation::SourceState;
use crate::generation::source::Surroundings;

/// What was read of a source, or why it could not be read, and the connections that did.
#[derive(Debug)]
pub struct Read {
    name: String,
    source: SourceState,
    /// What was known before it was read. Somebody else may have read it since.
    known: Option<Arc<CatalogState>>,
    /// The tables whose rows were read.
    enum_tables: Vec<QualifiedName>,
    /// What `source` knows is from before: it could not be read, or not in time.
    failed: bool,
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
    /// It is read only if nothing is known of what is reached like this.
    pub only_new: bool,
}

/// A way to a source that is wanted.
pub(super) struct Way {
    pub(super) name: String,
    pub(super) definition: Source,
    pub(super) is_named: bool,
    pub(super) source: SourceState,
    /// What is known of the source, however it is reached.
    pub(super) known: Option<Arc<CatalogState>>,
}

/// The ways to the sources that are wanted, each once: only the first that reads it can bring news.
pub(super) fn ways(
    wanted: Vec<Wanted>,
    present: &BTreeMap<String, SourceState>,
    surroundings: &Surroundings,
) -> Vec<Way> {
    let mut ways: BTreeMap<String, Vec<Way>> = BTreeMap::new();
    for wanted in wanted {
        let known = present.get(&wanted.name);
        let source = SourceState::open(&wanted.name, &wanted.definition, surroundings, known);
        if source.database.is_none() || wanted.only_new && source.catalog.is_some() {
            continue;
        }
        let of_name = ways.entry(wanted.name.clone()).or_default();
        if let Some(way) = of_name.iter_mut().find(|way| way.source.is_reached_like(&source)) {
            way.is_named |= wanted.is_named;
            continue;
        }
        of_name.push(Way {
            name: wanted.name,
            definition: wanted.definition,
            is_named: wanted.is_named,
            known: known.and_then(|known| known.catalog.clone()),
            source,
        });
    }
    ways.into_values().flatten().collect()
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
            failed: false,
        }
    }

    /// The same; what the source knows is from before if reading it `failed`.
    pub(super) fn failed(self, failed: bool) -> Self {
        Self { failed, ..self }
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

    /// Whether `present`, the source as it is served, has the catalog that was read, whoever read it.
    pub fn is_known_to(&self, present: &SourceState) -> bool {
        let fingerprint =
            |of: &SourceState| of.catalog.as_ref().map(|known| known.catalog.fingerprint.clone());
        fingerprint(&self.source) == fingerprint(present)
    }

    /// Whether the rows of this source's enum tables were read with it, and of no others.
    pub fn has_rows_for(&self, definition: &Source) -> bool {
        enum_tables(definition).eq(&self.enum_tables)
    }

    /// The source as it was read, with what the document says of `place`. Reading that failed tells nothing of the catalog:
    /// what was begun with may be older than what `place` has by now.
    pub fn in_place_of(&self, place: &SourceState) -> SourceState {
        let failed = self.failed || self.source.trouble.is_some();
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
    use metadata::source::{DatabaseUrl, SourceConfiguration};

    use super::super::away::tests::{source, source_named, surroundings};
    use super::*;

    fn wanted(name: &str, url: &str, only_new: bool) -> Wanted {
        Wanted {
            name: name.to_owned(),
            definition: Source {
                configuration: SourceConfiguration::new(DatabaseUrl::Url(url.to_owned())),
                ..Source::default()
            },
            is_named: name == "b",
            only_new,
        }
    }

    #[tokio::test]
    async fn each_way_is_read_once() {
        let (one, other) = ("postgresql://a/d", "postgresql://b/d");
        let mut present = BTreeMap::new();
        let asked = vec![
            wanted("a", one, false),
            wanted("b", one, false),
            wanted("a", other, false),
            wanted("a", one, false),
        ];
        let found = ways(asked, &present, &surroundings());
        let names: Vec<_> = found.iter().map(|way| (&*way.name, way.is_named)).collect();
        assert_eq!(names, [("a", false), ("a", false), ("b", true)]);

        let mut known = source_named("a", one);
        known.adopt(schema::catalog::Catalog::default());
        present.insert("a".to_owned(), known);
        let asked = || vec![wanted("a", one, true), wanted("a", other, true)];
        assert_eq!(ways(asked(), &present, &surroundings()).len(), 1, "one is known");
        present.clear();
        assert_eq!(ways(asked(), &present, &surroundings()).len(), 2);
    }

    #[tokio::test]
    async fn what_failed_takes_nothing_newer_away() {
        let (older, newer) = (Arc::<CatalogState>::default(), Arc::<CatalogState>::default());
        let with = |catalog: &Arc<CatalogState>, trouble: Option<&str>| SourceState {
            catalog: Some(Arc::clone(catalog)),
            trouble: trouble.map(str::to_owned),
            ..source("postgresql://a/d")
        };
        let place = with(&newer, None);
        let read = |source: SourceState, late: bool| {
            let read = Read::new("default".to_owned(), source, Some(Arc::clone(&newer)), []);
            read.failed(late).in_place_of(&place)
        };
        let failed = read(with(&older, Some("lost")), false);
        assert!(Arc::ptr_eq(failed.catalog.as_ref().unwrap(), &newer));
        assert_eq!(failed.trouble.as_deref(), Some("lost"));
        let late = read(with(&older, None), true);
        assert!(Arc::ptr_eq(late.catalog.as_ref().unwrap(), &newer));
        assert_eq!(late.trouble, None);
        let found = read(with(&older, None), false);
        assert!(Arc::ptr_eq(found.catalog.as_ref().unwrap(), &older));
    }
}
