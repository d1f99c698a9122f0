//! REST endpoints: which paths they answer, and what is wrong with their definitions, in Hasura's words.
//!
//! Never runs anything. An endpoint that names a query that is not there answers no path; of several that a path
//! and a method cannot tell apart the oldest answers; where ages are not known, such a path is found as ambiguous, because
//! whichever endpoint answered it would be a guess.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use graphql::OperationKind;
use metadata::object_id::MetadataObjectId;
use metadata::rest::{RestEndpoint, RestMethod};
use metadata::{Document, Seniority};

use crate::problem::Problem;

/// Segments that a path can have at most.
const MOST_SEGMENTS: usize = 128;

/// The endpoints of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestEndpoints {
    root: Node,
}

/// One segment of the paths: what may come after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    literals: HashMap<String, Node>,
    variable: Option<Box<Node>>,
    /// Names of the endpoints that end here.
    endpoints: BTreeMap<RestMethod, BTreeSet<String>>,
}

/// What answers a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The endpoint of this name.
    Found(String),
    /// Several endpoints.
    Ambiguous,
    /// Endpoints with other methods, which are these.
    WrongMethod(Vec<RestMethod>),
    /// Nothing.
    NotFound,
}

impl RestEndpoints {
    /// Looks at the definitions.
    pub fn new(document: &Document) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut resolved: Vec<Listed<'_>> = Vec::new();
        for (name, endpoint) in &document.rest_endpoints {
            match resolve(document, endpoint) {
                Ok(()) => resolved.push((name, endpoint)),
                Err((path, message)) => problems.push(Problem::Inconsistent {
                    object: MetadataObjectId::RestEndpoint(name.clone()),
                    message: format!("in endpoint {name}: {message}"),
                    path: Some(path.to_owned()),
                    unsupported: false,
                }),
            }
        }
        resolved.sort_by_key(|(name, _)| *name);
        problems.extend(resolved.iter().filter_map(|(name, endpoint)| {
            let url = &endpoint.url;
            has_repeated_variable(url).then(|| {
                let message = format!("Duplicate variables found in endpoint path: {url}");
                endpoint_path(name, message)
            })
        }));
        problems.extend(resolved.iter().filter_map(|(name, endpoint)| {
            let url = &endpoint.url;
            url.split('/')
                .any(|segment| matches!(segment, "" | ":"))
                .then(|| {
                    let message = format!("Empty segments or unnamed variables are not allowed: {url}");
                    endpoint_path(name, message)
                })
        }));
        let lost: BTreeSet<&str> = match ambiguous(&resolved) {
            groups if document.seniority.is_empty() => {
                problems.extend(groups.iter().map(|group| together(group)));
                BTreeSet::new()
            }
            groups => {
                let clashes = groups
                    .into_iter()
                    .flat_map(|group| younger(group, &document.seniority));
                clashes
                    .map(|(older, younger)| {
                        problems.push(clash(older, younger));
                        younger.0.as_str()
                    })
                    .collect()
            }
        };
        let mut root = Node::default();
        for (name, endpoint) in resolved {
            if lost.contains(name.as_str()) {
                continue;
            }
            root.insert(name, endpoint);
        }
        (Self { root }, problems)
    }

    /// What answers a path below `/api/rest/`, given by its segments, which may hold any character. Takes time that is
    /// bounded by the number of endpoints.
    pub fn find<S: AsRef<str>>(&self, method: Option<RestMethod>, segments: &[S]) -> Match {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut methods: BTreeSet<RestMethod> = BTreeSet::new();
        let mut open = vec![(&self.root, segments)];
        while let Some((node, segments)) = open.pop() {
            let Some((first, rest)) = segments.split_first() else {
                methods.extend(node.endpoints.keys());
                let of_method = method.and_then(|method| node.endpoints.get(&method));
                found.extend(of_method.into_iter().flatten().map(String::as_str));
                continue;
            };
            open.extend(node.literals.get(first.as_ref()).map(|next| (next, rest)));
            open.extend(node.variable.as_deref().map(|next| (next, rest)));
        }
        match (found.pop_first(), found.is_empty(), methods.is_empty()) {
            (Some(only), true, _) => Match::Found(only.to_owned()),
            (Some(_), false, _) => Match::Ambiguous,
            (None, _, false) => Match::WrongMethod(methods.into_iter().collect()),
            (None, _, true) => Match::NotFound,
        }
    }
}

impl Node {
    fn insert(&mut self, name: &str, endpoint: &RestEndpoint) {
        let mut node = self;
        for segment in endpoint.url.split('/') {
            node = match segment.strip_prefix(':') {
                Some(_) => node.variable.get_or_insert_default(),
                None => node.literals.entry(segment.to_owned()).or_default(),
            };
        }
        for method in &endpoint.methods {
            node.endpoints.entry(*method).or_default().insert(name.to_owned());
        }
    }
}

/// The saved query that an endpoint runs must be there, and be one operation that has one answer.
/// What keeps an endpoint from answering, with the key of its definition.
fn resolve(document: &Document, endpoint: &RestEndpoint) -> Result<(), (&'static str, String)> {
    if endpoint.url.split('/').count() > MOST_SEGMENTS {
        let message = format!("the url has more than {MOST_SEGMENTS} segments");
        return Err(("$.url", message));
    }
    resolve_query(document, endpoint).map_err(|message| ("$.definition.query.query_name", message))
}

fn resolve_query(document: &Document, endpoint: &RestEndpoint) -> Result<(), String> {
    let reference = &endpoint.definition.query;
    let (collection_name, query_name) = (&reference.collection_name, &reference.query_name);
    let collection = document
        .query_collections
        .get(collection_name)
        .ok_or_else(|| format!("collection with name {collection_name} does not exist"))?;
    let listed = collection.definition.queries.get(query_name).ok_or_else(|| {
        format!("query with name {query_name} does not exist in collection {collection_name}")
    })?;
    let query = graphql::Document::parse(&listed.query, &graphql::Limits::default())
        .map_err(|error| format!("query with name {query_name}: {error}"))?;
    match (query.operations(), query.definitions()) {
        ([operation], 1) if operation.kind == OperationKind::Subscription => {
            Err(format!("query with name {query_name} is a subscription"))
        }
        ([_], 1) => Ok(()),
        (_, 0) => Err(format!("query with name {query_name} has no definitions.")),
        _ => Err(format!("query with name {query_name} has multiple definitions.")),
    }
}

fn endpoint_path(name: &str, message: String) -> Problem {
    Problem::EndpointPath {
        endpoint: MetadataObjectId::RestEndpoint(name.to_owned()),
        message,
    }
}

fn has_repeated_variable(url: &str) -> bool {
    let mut seen = BTreeSet::new();
    url.split('/')
        .filter_map(|segment| segment.strip_prefix(':'))
        .any(|variable| !seen.insert(variable))
}

/// An endpoint of the document and its name.
type Listed<'d> = (&'d String, &'d RestEndpoint);

/// Groups of endpoints, by name, that a path and a method cannot tell apart. Two belong together if one path matches
/// both, or if both belong together with a third.
fn ambiguous<'d>(endpoints: &[Listed<'d>]) -> Vec<Vec<Listed<'d>>> {
    let paths: Vec<Vec<Option<&str>>> = endpoints.iter().map(|(_, endpoint)| pattern(endpoint)).collect();
    let mut groups = Groups::new(endpoints.len());
    // Without variables, only an equal path is the same path.
    let mut literal: HashMap<&[Option<&str>], Vec<usize>> = HashMap::new();
    for (at, path) in paths.iter().enumerate() {
        literal.entry(path).or_default().push(at);
    }
    let meet = |one: usize, other: usize| match (endpoints.get(one), endpoints.get(other)) {
        (Some((_, one)), Some((_, other))) => share(one, other),
        _ => false,
    };
    for same in literal.values() {
        for (at, one) in same.iter().enumerate() {
            for other in same.iter().skip(at + 1).filter(|other| meet(*one, **other)) {
                groups.join(*one, *other);
            }
        }
    }
    for (one, path) in paths.iter().enumerate().filter(|(_, path)| path.contains(&None)) {
        for (other, against) in paths.iter().enumerate() {
            if one != other && overlap(path, against) && meet(one, other) {
                groups.join(one, other);
            }
        }
    }
    let listed = groups.listed();
    listed
        .into_iter()
        .map(|group| {
            group
                .iter()
                .filter_map(|at| endpoints.get(*at))
                .copied()
                .collect()
        })
        .collect()
}

/// Nothing is known of their ages: none of them answers what several would.
fn together(group: &[Listed<'_>]) -> Problem {
    Problem::AmbiguousPaths {
        urls: group.iter().map(|(_, endpoint)| endpoint.url.clone()).collect(),
        endpoints: group
            .iter()
            .map(|(name, _)| MetadataObjectId::RestEndpoint((*name).clone()))
            .collect(),
        first_stays: false,
    }
}

/// The older one answers.
fn clash(older: Listed<'_>, younger: Listed<'_>) -> Problem {
    Problem::AmbiguousPaths {
        urls: vec![older.1.url.clone(), younger.1.url.clone()],
        endpoints: [older, younger]
            .map(|(name, _)| MetadataObjectId::RestEndpoint(name.clone()))
            .into(),
        first_stays: true,
    }
}

/// Which of a group are left out, each behind the older one that it cannot be told from.
fn younger<'d>(mut group: Vec<Listed<'d>>, seniority: &Seniority) -> Vec<(Listed<'d>, Listed<'d>)> {
    group.sort_by_key(|(name, _)| seniority.rank(&MetadataObjectId::RestEndpoint((*name).clone())));
    let mut kept: Vec<(Listed<'d>, Vec<Option<&str>>)> = Vec::new();
    let mut lost = Vec::new();
    for one in group {
        let path = pattern(one.1);
        let older = kept
            .iter()
            .find(|(other, against)| share(one.1, other.1) && overlap(&path, against));
        match older {
            Some((older, _)) => lost.push((*older, one)),
            None => kept.push((one, path)),
        }
    }
    lost
}

fn share(one: &RestEndpoint, other: &RestEndpoint) -> bool {
    one.methods.iter().any(|method| other.methods.contains(method))
}

/// The segments of a path; a variable is `None`.
fn pattern(endpoint: &RestEndpoint) -> Vec<Option<&str>> {
    endpoint
        .url
        .split('/')
        .map(|segment| (!segment.starts_with(':')).then_some(segment))
        .collect()
}

/// Whether some path matches both.
fn overlap(one: &[Option<&str>], other: &[Option<&str>]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|pair| match pair {
            (Some(one), Some(other)) => one == other,
            _ => true,
        })
}

/// Sets of positions that have been joined.
struct Groups(Vec<usize>);

impl Groups {
    fn new(length: usize) -> Self {
        Self((0..length).collect())
    }

    /// The smallest member of a position's set.
    fn first(&self, mut at: usize) -> usize {
        while let Some(&parent) = self.0.get(at).filter(|parent| **parent != at) {
            at = parent;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(parent) = self.0.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    /// The sets with several members.
    fn listed(&self) -> Vec<Vec<usize>> {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in 0..self.0.len() {
            sets.entry(self.first(at)).or_default().push(at);
        }
        sets.into_values().filter(|set| set.len() > 1).collect()
    }
}
