//! The part of a workspace that asks databases: sources added or changed, catalogs read again, SQL followed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use metadata::object_id::MetadataObjectId;
use metadata::{Document, QualifiedName};
use schema::catalog::Catalog;
use serde_json::json;

use super::super::error::ApiError;
use super::super::table_change;
use super::Workspace;
use super::refusal::{new_problems, refuse_new_problems};
use crate::generation::{Generation, SourceState};
use crate::state;
use crate::state::reading::Wanted;

impl Workspace<'_> {
    /// Changes sources: connections are made anew where the configuration differs, and the database of `source` is
    /// introspected before the change is accepted.
    pub(crate) async fn change_sources(
        &mut self,
        object: Option<&MetadataObjectId>,
        source: &str,
        edit: impl FnOnce(&mut Document) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let mut document = self.document().clone();
        edit(&mut document)?;
        let next = self
            .open_and_build(
                Arc::new(document),
                |name, known| name == source && known.catalog.is_none(),
                |_| true,
            )
            .await;
        if let Some(trouble) = next.sources.get(source).and_then(|state| state.trouble.clone())
            && object.is_some()
        {
            return Err(
                ApiError::new("invalid-configuration", format!("Inconsistent object: {trouble}"))
                    .with_internal(json!([{
                        "reason": format!("Inconsistent object: {trouble}"),
                        "type": "source",
                        "name": format!("source {source}"),
                        "definition": source,
                    }])),
            );
        }
        refuse_new_problems(&next.document, object, &new_problems(&self.present, &next))?;
        self.accept(next);
        Ok(())
    }

    /// A source is about to have another name: what is known of its database goes with it.
    pub(crate) fn rename_catalog(&mut self, from: &str, to: &str) {
        let mut sources = self.present.sources.clone();
        if let Some(known) = sources.remove(from) {
            sources.insert(to.to_owned(), known);
        }
        let document = Arc::clone(&self.present.document);
        let version = self.present.resource_version;
        let options = &self.state.settings.schema;
        let next = Generation::build(document, sources, options, Some(&self.present), version);
        self.present = Arc::new(next);
    }

    /// Puts another document in place of the present one; all catalogs are read again.
    pub(crate) async fn replace(&mut self, document: Document) -> Result<(), ApiError> {
        let next = self
            .open_and_build(Arc::new(document), |_, _| true, |_| false)
            .await;
        self.accept(next);
        Ok(())
    }

    /// Reads catalogs again: of these sources, or of all.
    pub(crate) async fn reload(&mut self, sources: Option<&[String]>) -> Result<(), ApiError> {
        let document = self.shared_document();
        let next = self
            .open_and_build(
                document,
                |name, _| sources.is_none_or(|wanted| wanted.iter().any(|known| known == name)),
                |_| sources.is_some(),
            )
            .await;
        self.accept(next);
        Ok(())
    }

    /// Databases have changed: what was read before counts no more.
    pub(crate) fn forget_ahead(&mut self) {
        self.ahead.clear();
    }

    /// Reads the catalogs anew of sources that were changed by others since; false if nothing is known that was not known
    /// before. The sources that the command is `about` have time for it, and nobody waits for them where that can be.
    ///
    /// # Errors
    /// Somebody else changed the document meanwhile, and the caller has not seen that.
    pub(crate) async fn refresh_catalogs(
        &mut self,
        about: Option<&BTreeSet<&str>>,
    ) -> Result<bool, ApiError> {
        self.forget_ahead();
        let before = Arc::clone(&self.present);
        let gives_way = about.is_some() && self.is_alone && !(self.changed || self.refreshed);
        let had_lock = self.writer.is_some();
        if gives_way {
            self.writer = None;
        }
        let stale = self.stale(about).await;
        // Whoever changes nothing has no lock either.
        if about.is_some() && self.writer.is_none() && !stale.is_empty() {
            let wanted = stale.iter().filter_map(|name| {
                Some(Wanted {
                    name: name.clone(),
                    definition: before.document.sources.get(name)?.clone(),
                    is_named: true,
                    only_new: false,
                })
            });
            self.ahead = self.state.read_ahead(wanted.collect()).await;
        }
        if gives_way && had_lock {
            self.take_lock().await?;
        }
        let present = Arc::clone(&self.present);
        let has_moved = !Arc::ptr_eq(&present, &before);
        let is_known = |name: &str, place: &SourceState| {
            let mut ahead = self.ahead.iter().filter(|ahead| ahead.is_of(name, place));
            ahead.any(|ahead| ahead.is_known_to(place))
        };
        let stale: BTreeSet<String> = stale
            .into_iter()
            .filter(|name| {
                present
                    .sources
                    .get(name)
                    .is_some_and(|place| !is_known(name, place))
            })
            .collect();
        if stale.is_empty() {
            return Ok(has_moved);
        }
        let document = self.shared_document();
        let next = self
            .open_and_build(document, |name, _| stale.contains(name), |_| about.is_some())
            .await;
        self.present = Arc::new(next);
        self.refreshed = true;
        Ok(true)
    }

    /// The sources that were changed by others since their catalogs were read. One that does not answer now keeps what is
    /// known of it.
    async fn stale(&self, about: Option<&BTreeSet<&str>>) -> Vec<String> {
        let looks = self.present.sources.iter().map(|(name, known)| async move {
            let is_stale = match (about, &known.database, &known.catalog) {
                (Some(about), ..) => about.contains(name.as_str()) && self.state.is_outdated(known).await,
                (None, Some(database), Some(catalog)) if !self.state.is_away(name, known) => {
                    let found = state::within(database.fingerprint()).await;
                    matches!(found, Some(Ok(now)) if now != catalog.catalog.fingerprint)
                }
                _ => false,
            };
            is_stale.then(|| name.clone())
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    /// Opens the sources of a document and reads the catalogs of those that are `wanted`, unless they were read before the
    /// lock was taken. Those that the command is not about (`named`) are passed over where they do not answer soon.
    async fn open_and_build(
        &mut self,
        document: Arc<Document>,
        wanted: impl Fn(&str, &SourceState) -> bool,
        named: impl Fn(&str) -> bool,
    ) -> Generation {
        let environment = self.state.environment();
        let generation = Arc::clone(&self.present);
        let present = &generation.sources;
        let mut sources = state::open_sources(&document, &self.state.settings, &environment, Some(present));
        let (mut read, mut without_rows) = (BTreeSet::new(), BTreeSet::new());
        for (name, place) in &mut sources {
            let news = self
                .ahead
                .iter()
                .position(|ahead| ahead.is_of(name, place) && ahead.is_news_to(present.get(name)));
            if wanted(name, place)
                && let Some(news) = news
            {
                let ahead = self.ahead.remove(news);
                *place = ahead.in_place_of(place);
                let has_rows = document
                    .sources
                    .get(name)
                    .is_some_and(|of| ahead.has_rows_for(of));
                if !has_rows && place.trouble.is_none() {
                    without_rows.insert(name.clone());
                }
                read.insert(name.clone());
            }
        }
        let rows = sources.iter_mut().filter_map(|(name, source)| {
            let definition = without_rows
                .contains(name)
                .then(|| document.sources.get(name))??;
            Some(state::soon(source.refresh_enum_values(definition)))
        });
        join_all(rows).await;
        let is_left = |name: &str, source: &SourceState| wanted(name, source) && !read.contains(name);
        state::introspect(&document, &mut sources, |name, source| {
            is_left(name, source) && named(name)
        })
        .await;
        self.state
            .introspect_what_answers(
                &document,
                &mut sources,
                |name, source| is_left(name, source) && !named(name),
                state::READING,
            )
            .await;
        self.keep_what_answers(&document, &mut sources, present);
        let version = generation.resource_version;
        state::build(document, sources, &self.state.settings, Some(generation), version).await
    }

    /// Where only variables say that a source is reached in another way, it goes on as it is until somebody has reached it.
    pub(super) fn keep_what_answers(
        &self,
        document: &Document,
        sources: &mut BTreeMap<String, SourceState>,
        known: &BTreeMap<String, SourceState>,
    ) {
        let configuration = |document: &Document, name: &str| {
            let source = document.sources.get(name);
            source.map(|source| source.configuration.clone())
        };
        let before = &self.present.document;
        let (mut same, others) = std::mem::take(sources)
            .into_iter()
            .partition(|(name, _)| configuration(document, name) == configuration(before, name));
        state::keep_what_answers(&mut same, known);
        *sources = others;
        sources.append(&mut same);
    }

    /// Reads the rows of a table that is about to become an enum table.
    pub(crate) async fn read_enum_table(&mut self, source: &str, table: &QualifiedName) {
        let Some(definition) = self.document().sources.get(source) else {
            return;
        };
        let mut definition = definition.clone();
        Arc::make_mut(definition.tables.entry(table.clone()).or_default()).is_enum = true;
        let mut sources = self.present.sources.clone();
        if let Some(state) = sources.get_mut(source) {
            state::soon(state.refresh_enum_values(&definition)).await;
        }
        let document = self.shared_document();
        self.present = Arc::new(self.build_with(document, &sources));
    }

    /// Follows what SQL did to a source: renames and drops go into the document, and what depends on something that is
    /// gone goes too with `cascade`, and refuses the SQL without.
    pub(crate) fn follow(
        &mut self,
        source: &str,
        before: &Catalog,
        after: Catalog,
        cascade: bool,
    ) -> Result<(), ApiError> {
        let changes = table_change::compare(self.document(), source, before, &after)?;
        let mut document = self.document().clone();
        changes.apply(&mut document, &self.present.model, source);
        let mut sources = self.present.sources.clone();
        if let Some(state) = sources.get_mut(source) {
            state.adopt(after);
        }
        let changed = self.changed;
        let next = self.build_with(Arc::new(document), &sources);
        let problems = new_problems(&self.present, &next);
        if !problems.is_empty() && !cascade && !changes.drops() {
            return refuse_new_problems(&next.document, None, &problems);
        }
        self.accept_removal(next, cascade)?;
        self.refreshed = true;
        self.changed =
            changed || !changes.is_empty() || *self.present.document != *self.state.current().document;
        Ok(())
    }

    /// Reads the rows of a source's enum tables again, after they may have been changed.
    pub(crate) async fn refresh_enum_values(&mut self, source: &str) {
        let Some(definition) = self.present.document.sources.get(source) else {
            return;
        };
        if !definition.tables.values().any(|table| table.is_enum) {
            return;
        }
        let mut sources = self.present.sources.clone();
        if let Some(state) = sources.get_mut(source) {
            state::soon(state.refresh_enum_values(definition)).await;
        }
        let document = Arc::clone(&self.present.document);
        self.present = Arc::new(self.build_with(document, &sources));
    }
}
