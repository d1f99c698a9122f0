//! A generation: document, catalogs, model and problems, immutable and swapped whole. A request holds the one it
//! began with.
//!
//! ```text
//! document + catalogs ──build──> Generation ──swap──> current
//!      ^                                                 │
//!      └── metadata API · other instances · directory · DDL found in a source
//! ```

pub mod aside;
pub mod connection_template;
pub mod provenance;
pub mod source;
pub mod source_state;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use delivery::ObjectProblem;
use http::HeaderValue;
use metadata::Document;
use metadata::object_id::MetadataObjectId;
use plan::PlanCache;
use schema::model::{Model, Options, SourceId};
use schema::problem::Problem;
use schema::rest_endpoint::RestEndpoints;
use schema::role::RoleView;
use serde_json::Value;

use self::aside::{Urgency, aside};
pub use self::connection_template::{ConnectionTemplate, RoutedRequest};
pub use self::provenance::Provenance;
pub use self::source_state::SourceState;
use crate::gate::AllowList;
use crate::http::error::ApiError;

/// Everything that requests are answered from.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Counts up within this process.
    pub number: u64,
    /// SHA-256 of the canonical document, once somebody has asked; of the published text, where one was published.
    hash: OnceLock<String>,
    /// What the document was made of.
    pub provenance: Arc<Provenance>,
    /// Version under which the document is stored; 0 with an origin that stores nothing.
    pub resource_version: i64,
    /// The document.
    pub document: Arc<Document>,
    /// What it and the catalogs come to.
    pub model: Arc<Model>,
    /// What is wrong with it.
    pub problems: Arc<[Problem]>,
    /// The same by custom resource, once somebody has asked.
    reported: OnceLock<Arc<[ObjectProblem]>>,
    /// The paths of the REST endpoints.
    pub rest_endpoints: Arc<RestEndpoints>,
    /// Databases by source name.
    pub sources: BTreeMap<String, SourceState>,
    /// How long it took to resolve.
    pub build_time: Duration,
    /// What the allow list holds, read when it is first asked.
    allow_list: Arc<OnceLock<AllowList>>,
    /// Databases by position in the model, and which of their members a request takes.
    databases: Vec<Option<(pg::Source, Option<Arc<ConnectionTemplate>>)>>,
    /// Plans, of this generation and of others: one is found only while the parts that it was made from are there.
    pub plans: Arc<PlanCache>,
}

impl Generation {
    /// Resolves a document against what is known of its sources. Takes CPU time that grows with the schema; requests go
    /// on meanwhile, and come first.
    pub fn build(
        document: Arc<Document>,
        sources: BTreeMap<String, SourceState>,
        options: &Options,
        previous: Option<&Self>,
        resource_version: i64,
    ) -> Self {
        let urgency = if previous.is_some() {
            Urgency::of_document(&document)
        } else {
            Urgency::Now
        };
        aside(urgency, || {
            Self::resolve(document, sources, options, previous, resource_version)
        })
    }

    fn resolve(
        document: Arc<Document>,
        sources: BTreeMap<String, SourceState>,
        options: &Options,
        previous: Option<&Self>,
        resource_version: i64,
    ) -> Self {
        let started = Instant::now();
        let catalogs = source_state::catalogs(&sources);
        let (model, mut problems) = schema::build(
            &document,
            &catalogs,
            options,
            previous.map(|previous| schema::Previous {
                document: &previous.document,
                model: &previous.model,
            }),
        );
        explain_unreachable(&sources, &mut problems);
        let model = Arc::new(model);
        let (rest_endpoints, endpoint_problems) = RestEndpoints::new(&document);
        problems.extend(endpoint_problems);
        problems.extend(schema::saved_query::check(&document, &model));
        let databases = model
            .sources
            .iter()
            .map(|source| {
                let state = sources.get(&*source.name)?;
                Some((state.database.clone()?, state.template.clone()))
            })
            .collect();
        let same = previous.filter(|previous| Arc::ptr_eq(&previous.document, &document));
        let hash = match same {
            Some(previous) => previous.hash.clone(),
            None => OnceLock::new(),
        };
        Self {
            number: previous.map_or(1, |previous| previous.number + 1),
            hash,
            provenance: same
                .map(|previous| Arc::clone(&previous.provenance))
                .unwrap_or_default(),
            resource_version,
            document,
            model,
            problems: problems.into(),
            reported: OnceLock::new(),
            rest_endpoints: Arc::new(rest_endpoints),
            sources,
            databases,
            allow_list: Arc::default(),
            // Sized when it is served.
            plans: Arc::new(PlanCache::new(0)),
            build_time: started.elapsed(),
        }
    }

    /// SHA-256 of the canonical document. Made when first asked for, which takes as long as printing the document.
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| self.document.generation_hash())
    }

    /// Whether the hash is known without printing the document.
    pub fn has_hash(&self) -> bool {
        self.hash.get().is_some()
    }

    /// The hash as a header's value, if it is known.
    pub fn hash_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(self.hash.get()?).ok()
    }

    /// The document's canonical text, from which the hash is made as well.
    pub fn text(&self) -> String {
        let text = self.document.to_text();
        self.hash.get_or_init(|| metadata::document::hash(&text));
        text
    }

    /// With what the document was made of.
    #[must_use]
    pub fn made_of(mut self, provenance: Arc<Provenance>) -> Self {
        if let Some(hash) = &provenance.published_hash {
            self.hash = OnceLock::from(hash.clone());
        }
        self.reported = OnceLock::new();
        self.provenance = provenance;
        self
    }

    /// The database of a source of the model, by the way that the source's connection template gives for a request.
    ///
    /// # Errors
    /// `template-resolution-failed`; `unexpected` for a source without connections.
    pub fn routed(&self, id: SourceId, request: &RoutedRequest<'_>) -> Result<Cow<'_, pg::Source>, ApiError> {
        match self.databases.get(usize::from(id.0)) {
            Some(Some((database, None))) => Ok(Cow::Borrowed(database)),
            Some(Some((database, Some(template)))) => template.apply(database, request).map(Cow::Owned),
            _ => Err(ApiError::unexpected("a source of the plan has no connections")),
        }
    }

    /// The schema as a role sees it.
    pub fn view(&self, role: &str, backend: bool) -> RoleView {
        RoleView::new(Arc::clone(&self.model), role, backend)
    }

    /// The allow list.
    pub fn allow_list(&self) -> &AllowList {
        self.allow_list.get_or_init(|| AllowList::new(&self.document))
    }

    /// What is wrong by custom resource, as `make` says it when it is first asked for.
    pub fn report_problems(&self, make: impl FnOnce(&Self) -> Vec<ObjectProblem>) -> &[ObjectProblem] {
        self.reported.get_or_init(|| make(self).into())
    }

    /// Whether that was asked for.
    pub fn has_reported(&self) -> bool {
        self.reported.get().is_some()
    }

    /// Nothing is wrong.
    pub fn is_consistent(&self) -> bool {
        self.problems.is_empty()
    }

    /// What is wrong, as the metadata API prints it.
    pub fn inconsistent_objects(&self) -> Vec<Value> {
        self.problems
            .iter()
            .map(|problem| problem.to_json(&self.document))
            .collect()
    }
}

/// Says why a source without a catalog has none: the schema only knows that it is missing.
fn explain_unreachable(sources: &BTreeMap<String, SourceState>, problems: &mut [Problem]) {
    for problem in problems {
        if let Problem::Inconsistent {
            object: MetadataObjectId::Source(name),
            message,
            ..
        } = problem
            && let Some(SourceState {
                catalog: None,
                trouble: Some(trouble),
                ..
            }) = sources.get(name)
        {
            message.clone_from(trouble);
        }
    }
}
