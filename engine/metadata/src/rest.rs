//! `rest_endpoints`: saved queries offered under own URLs.

use crate::Extra;

/// One REST endpoint, served under `/api/rest/<url>`.
#[derive(Clone, Debug, PartialEq)]
pub struct RestEndpoint {
    /// `url`: the path template below `/api/rest/`; a segment `:name` is a variable.
    pub url: String,
    /// `methods`: at least one, each once.
    pub methods: Vec<RestMethod>,
    /// `definition.query.collection_name`.
    pub collection_name: String,
    /// `definition.query.query_name`.
    pub query_name: String,
    /// `comment`; printed as null when absent.
    pub comment: Option<String>,
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
