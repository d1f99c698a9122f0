//! `rest_endpoints`: saved queries offered under own URLs.

mod json;

use crate::Extra;

/// One REST endpoint, served under `/api/rest/<url>`.
#[derive(Clone, Debug, PartialEq)]
pub struct RestEndpoint {
    /// `url`: the path template below `/api/rest/`; a segment `:name` is a variable.
    pub url: String,
    /// `methods`: at least one, each once.
    pub methods: Vec<RestMethod>,
    /// `definition`.
    pub definition: RestDefinition,
    /// `comment`; printed as null when absent.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a REST endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct RestDefinition {
    /// `query`.
    pub query: RestQuery,
    /// Unknown keys.
    pub extra: Extra,
}

/// The saved query that a REST endpoint runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RestQuery {
    /// `collection_name`: the query collection.
    pub collection_name: String,
    /// `query_name`: the query in it.
    pub query_name: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// An HTTP method of a REST endpoint, in the order in which they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
}
