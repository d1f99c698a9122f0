//! `RestEndpoint`: a saved query under a URL.

use crate::shape::{choice, kind};
use crate::value::{Identity, ObjectRef, OnInvalid};

kind! {
    "RestEndpoint", "restendpoints", "rrest",
    /// A saved query under a URL below `/api/rest/`.
    pub struct RestEndpointSpec {
        /// Metadata key `rest_endpoints[].name`.
        pub name: Identity,
        /// Metadata key `rest_endpoints[].url`: a segment `:name` is a variable.
        #[schemars(length(min = 1))]
        pub url: String,
        /// Metadata key `rest_endpoints[].methods`.
        #[schemars(length(min = 1, max = 5))]
        pub methods: Vec<HttpMethod>,
        /// Metadata key `rest_endpoints[].definition.query.collection_name`.
        pub collection_ref: ObjectRef,
        /// Metadata key `rest_endpoints[].definition.query.query_name`.
        pub query: String,
        /// Metadata key `rest_endpoints[].comment`.
        pub comment: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

choice! {
    /// One of `methods`.
    pub enum HttpMethod {
        /// `GET`
        GET,
        /// `POST`
        POST,
        /// `PUT`
        PUT,
        /// `DELETE`
        DELETE,
        /// `PATCH`
        PATCH,
    }
}
