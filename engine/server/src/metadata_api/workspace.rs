//! One request's work on the document: changed step by step, checked after each step, stored once at the end.

mod databases;
mod model;
mod refusal;

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::Document;
use metadata::object_id::MetadataObjectId;
use schema::catalog::Catalog;
use schema::model::Model;
use schema::problem::Problem;
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::arguments::Arguments;
use super::dependency;
use super::error::ApiError;
use crate::generation::aside::{Urgency, aside};
use crate::generation::{Generation, SourceState};
use crate::settings::Origin;
use crate::state::reading::Read;
use crate::state::{self, State};
use refusal::{
    concerns, conflict, dependency_error, is_of_queries, new_problems, refresh_error, refuse_new_problems,
    storage_error,
};

/// A document being changed.
pub(crate) struct Workspace<'s> {
    state: &'s State,
    /// The writer's lock; readers have none.
    writer: Option<MutexGuard<'s, ()>>,
    /// What the next change starts from.
    present: Arc<Generation>,
    /// The document differs from the stored one, or counts as if it did.
    changed: bool,
    /// Something else than the document changed: catalogs.
    refreshed: bool,
    /// Changes are collected and built together.
    deferred: Option<Document>,
    /// Databases that were read before the lock was taken, each until it is used.
    ahead: Vec<Read>,
    /// The version that the caller saw.
    expected: Option<i64>,
    /// One command is all of the request: until it has changed something, others may come before it.
    is_alone: bool,
}

/// A point to go back to.
pub(crate) struct Snapshot {
    present: Arc<Generation>,
    changed: bool,
    refreshed: bool,
}

impl<'s> Workspace<'s> {
    /// Takes the writer's lock and begins with what is stored, if that is what the caller `expected`. These databases were
    /// read on the way. One command that `is_alone` in its request gives the lock away while it waits for a database.
    pub(crate) async fn begin(
        state: &'s State,
        ahead: Vec<Read>,
        expected: Option<i64>,
        is_alone: bool,
    ) -> Result<Self, ApiError> {
        let mut workspace = Self {
            ahead,
            expected,
            is_alone,
            ..Self::read_only(state)
        };
        workspace.take_lock().await?;
        Ok(workspace)
    }

    /// Takes the writer's lock and begins with what is stored by then.
    async fn take_lock(&mut self) -> Result<(), ApiError> {
        let state = self.state;
        let writer = state.lock().await;
        if state.is_writable() {
            if state.settings.maintenance_mode {
                return Err(ApiError::unexpected(
                    "metadata cannot be modified in maintenance mode",
                ));
            }
            state
                .refresh_from_store()
                .await
                .map_err(|error| refresh_error(&error))?;
        }
        self.writer = Some(writer);
        self.present = state.current();
        match self.expected {
            Some(expected) if expected != self.present.resource_version => Err(conflict(expected)),
            _ => Ok(()),
        }
    }

    /// Looks at the present generation.
    pub(crate) fn read_only(state: &'s State) -> Self {
        Self {
            state,
            writer: None,
            present: state.current(),
            changed: false,
            refreshed: false,
            deferred: None,
            ahead: Vec::new(),
            expected: None,
            is_alone: false,
        }
    }

    /// The document may be changed by commands at all.
    pub(crate) fn origin_is_writable(&self) -> bool {
        self.state.is_writable()
    }

    /// Nothing at all may be written.
    pub(crate) fn is_read_only_mode(&self) -> bool {
        self.state.settings.graphql.read_only
    }

    /// Why it may not.
    pub(crate) fn read_only_message(&self) -> String {
        match &self.state.settings.origin {
            Origin::Directory(folder) => {
                format!("metadata is managed by the directory \"{}\"", folder.display())
            }
            Origin::ConfigMap(name) => format!("metadata is managed by the ConfigMap \"{name}\""),
            Origin::Catalog => "metadata cannot be modified".to_owned(),
        }
    }

    /// The document as it is now.
    pub(crate) fn document(&self) -> &Document {
        self.deferred.as_ref().unwrap_or(&self.present.document)
    }

    /// The same, shared.
    fn shared_document(&self) -> Arc<Document> {
        match &self.deferred {
            Some(document) => Arc::new(document.clone()),
            None => Arc::clone(&self.present.document),
        }
    }

    /// The model that the document gave when it was last built.
    pub(crate) fn model(&self) -> Arc<Model> {
        Arc::clone(&self.present.model)
    }

    /// Version under which the document is stored.
    pub(crate) fn resource_version(&self) -> i64 {
        self.present.resource_version
    }

    /// The present generation with the changes so far.
    pub(crate) fn generation(&self) -> &Arc<Generation> {
        &self.present
    }

    /// What is known of a source's database.
    pub(crate) fn catalog(&self, source: &str) -> Option<&Catalog> {
        self.present
            .sources
            .get(source)?
            .catalog
            .as_deref()
            .map(|known| &*known.catalog)
    }

    /// The connections of a source.
    pub(crate) fn database(&self, source: &str) -> Result<pg::Source, ApiError> {
        let state = self.present.sources.get(source);
        match state.map(|state| (&state.database, &state.trouble)) {
            Some((Some(database), _)) => Ok(database.clone()),
            Some((None, Some(trouble))) => Err(ApiError::new("postgres-error", trouble.clone())),
            _ => Err(ApiError::new(
                "not-exists",
                format!("source with name \"{source}\" does not exist"),
            )),
        }
    }

    /// What is wrong with the document, as the API prints it.
    pub(crate) fn inconsistent_objects(&self) -> Vec<Value> {
        self.present.inconsistent_objects()
    }

    /// A point to go back to.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            present: Arc::clone(&self.present),
            changed: self.changed,
            refreshed: self.refreshed,
        }
    }

    /// Goes back to a point.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        self.present = snapshot.present;
        self.changed = snapshot.changed;
        self.refreshed = snapshot.refreshed;
        self.deferred = None;
    }

    /// Changes the document and refuses the change if it breaks the object that it is about, or another.
    pub(crate) fn change(
        &mut self,
        object: Option<&MetadataObjectId>,
        edit: impl FnOnce(&mut Document) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let Some(document) = self.edited(edit)? else {
            return Ok(());
        };
        let next = self.build(document);
        refuse_new_problems(&next.document, object, &new_problems(&self.present, &next))?;
        self.accept(next);
        Ok(())
    }

    /// The document after an edit; nothing while edits are collected.
    fn edited(
        &mut self,
        edit: impl FnOnce(&mut Document) -> Result<(), ApiError>,
    ) -> Result<Option<Document>, ApiError> {
        let mut document = self.document().clone();
        edit(&mut document)?;
        if self.deferred.is_some() {
            self.deferred = Some(document);
            return Ok(None);
        }
        Ok(Some(document))
    }

    /// Makes several changes with one build; the ones that break their own object are left out and reported by
    /// position with the reason.
    pub(crate) fn change_many<F>(
        &mut self,
        changes: &[(MetadataObjectId, F)],
    ) -> Result<Vec<(usize, String)>, ApiError>
    where
        F: Fn(&mut Document) -> Result<(), ApiError>,
    {
        let mut broken: Vec<(usize, String)> = Vec::new();
        loop {
            let mut document = self.document().clone();
            for (position, (_, edit)) in changes.iter().enumerate() {
                if !broken.iter().any(|(known, _)| *known == position) {
                    edit(&mut document)?;
                }
            }
            let next = self.build(document);
            let problems = new_problems(&self.present, &next);
            let before = broken.len();
            for (position, (object, _)) in changes.iter().enumerate() {
                if let Some(problem) = problems.iter().find(|problem| concerns(problem, object)) {
                    broken.push((position, problem.reason()));
                }
            }
            if broken.len() == before {
                refuse_new_problems(&next.document, None, &problems)?;
                self.accept(next);
                return Ok(broken);
            }
        }
    }

    /// Takes something out of the document. What depends on it goes too with `cascade`, and keeps it there without.
    pub(crate) fn remove(
        &mut self,
        cascade: bool,
        edit: impl FnOnce(&mut Document) -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let Some(document) = self.edited(edit)? else {
            return Ok(());
        };
        let next = self.build(document);
        self.accept_removal(next, cascade)
    }

    fn accept_removal(&mut self, mut next: Generation, cascade: bool) -> Result<(), ApiError> {
        loop {
            let (broken, dependents): (Vec<_>, Vec<_>) = new_problems(&self.present, &next)
                .into_iter()
                .partition(|problem| is_of_queries(problem));
            if dependents.is_empty() {
                refuse_new_problems(&next.document, None, &broken)?;
                self.accept(next);
                return Ok(());
            }
            if !cascade {
                return Err(dependency_error(&dependents));
            }
            let mut document = Document::clone(&next.document);
            let mut removed = false;
            for object in dependents.iter().flat_map(|problem| problem.objects()) {
                removed |= dependency::remove(&mut document, object);
            }
            if !removed {
                return Err(dependency_error(&dependents));
            }
            let sources = next.sources.clone();
            next = self.build_with(Arc::new(document), &sources);
        }
    }

    /// Takes out every object that is inconsistent and can be taken out.
    pub(crate) fn drop_inconsistent(&mut self) -> Result<(), ApiError> {
        let mut document = self.document().clone();
        for object in self.present.problems.iter().flat_map(Problem::objects) {
            dependency::remove(&mut document, object);
        }
        let mut next = self.build(document);
        loop {
            let found = new_problems(&self.present, &next);
            if found.is_empty() {
                self.accept(next);
                return Ok(());
            }
            // An endpoint whose saved query was just dropped goes with it.
            let mut document = Document::clone(&next.document);
            let mut removed = false;
            for object in found
                .iter()
                .filter(|problem| is_of_queries(problem))
                .flat_map(|problem| problem.objects())
            {
                removed |= dependency::remove(&mut document, object);
            }
            if !removed {
                return Err(
                    ApiError::new("unexpected", "cannot continue due to new inconsistent metadata")
                        .with_internal(Value::Array(next.inconsistent_objects())),
                );
            }
            next = self.build(document);
        }
    }

    /// From here on changes are collected.
    pub(crate) fn defer_builds(&mut self) {
        self.deferred = Some(Document::clone(&self.present.document));
    }

    /// Builds what was collected and says what is newly wrong.
    pub(crate) fn build_deferred(&mut self) -> Vec<Value> {
        let Some(document) = self.deferred.take() else {
            return Vec::new();
        };
        let next = self.build(document);
        let found = new_problems(&self.present, &next)
            .iter()
            .map(|problem| problem.to_json(&next.document))
            .collect();
        self.accept(next);
        found
    }

    /// `get_catalog_state`
    pub(crate) async fn catalog_state(&self) -> Result<Value, ApiError> {
        let store = self.storage()?;
        let id = store.database_id().await.map_err(|error| storage_error(&error))?;
        let (cli, console) = store
            .catalog_state()
            .await
            .map_err(|error| storage_error(&error))?;
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}));
        Ok(json!({ "id": id.to_string(), "cli_state": read(&cli), "console_state": read(&console) }))
    }

    /// `set_catalog_state`
    pub(crate) async fn set_catalog_state(&self, arguments: Arguments<'_>) -> Result<Value, ApiError> {
        let type_: String = arguments.required("type")?;
        let which = match type_.as_str() {
            "cli" => pg::store::CatalogState::Cli,
            "console" => pg::store::CatalogState::Console,
            other => {
                return Err(ApiError::parse_failed(
                    "$.type",
                    format!("unknown catalog state type \"{other}\"; expected one of cli, console"),
                ));
            }
        };
        let Some(content) = arguments.raw("state") else {
            return Err(ApiError::parse_failed("$", "key \"state\" not found"));
        };
        self.storage()?
            .set_catalog_state(which, &content.to_string())
            .await
            .map_err(|error| storage_error(&error))?;
        Ok(super::success())
    }

    fn storage(&self) -> Result<&pg::Store, ApiError> {
        self.state
            .store()
            .ok_or_else(|| ApiError::new("not-supported", "there is no metadata database to keep this in"))
    }

    /// Stores the document and serves it.
    pub(crate) async fn commit(self) -> Result<(), ApiError> {
        if self.writer.is_none() || !(self.changed || self.refreshed) {
            return Ok(());
        }
        let mut next = Generation::clone(&self.present);
        next.number = self.state.current().number + 1;
        if self.changed
            && let Some(store) = self.state.store()
        {
            let based_on = next.resource_version;
            let stored = if Arc::ptr_eq(&next.document, &self.state.current().document) {
                // Catalogs were read again, which the others are to do as well.
                store
                    .touch(based_on, state::EVERYTHING, self.state.instance_id)
                    .await
            } else {
                let text = aside(Urgency::Gentle, || next.text());
                store
                    .replace(&text, based_on, state::EVERYTHING, self.state.instance_id)
                    .await
            };
            next.resource_version = stored.map_err(|error| storage_error(&error))?;
        }
        self.state.swap(next);
        Ok(())
    }

    fn accept(&mut self, next: Generation) {
        self.present = Arc::new(next);
        self.changed = true;
    }

    fn build(&self, document: Document) -> Generation {
        self.build_with(Arc::new(document), &self.present.sources)
    }

    fn build_with(&self, document: Arc<Document>, known: &BTreeMap<String, SourceState>) -> Generation {
        let environment = self.state.environment();
        let mut sources = state::open_sources(&document, &self.state.settings, &environment, Some(known));
        self.keep_what_answers(&document, &mut sources, known);
        Generation::build(
            document,
            sources,
            &self.state.settings.schema,
            Some(&self.present),
            self.present.resource_version,
        )
    }
}
