//! Request and response transforms of webhooks (actions, event and cron triggers). Templates are kept as text.

mod json;

use indexmap::IndexMap;

use crate::Extra;

/// `request_transform`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestTransform {
    /// `version`: 1 (default) or 2.
    pub version: TransformVersion,
    /// `method`: the HTTP method to use instead.
    pub method: Option<String>,
    /// `url`: template of the URL.
    pub url: Option<String>,
    /// `body`: what to do with the body; version 1 knows only [`BodyTransform::Modify`].
    pub body: Option<BodyTransform>,
    /// `query_params`.
    pub query_params: Option<QueryParams>,
    /// `request_headers`.
    pub request_headers: Option<HeaderTransform>,
    /// `template_engine`, default `Kriti`.
    pub template_engine: TemplateEngine,
    /// Unknown keys.
    pub extra: Extra,
}

/// `response_transform`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseTransform {
    /// `version`: 1 (default) or 2.
    pub version: TransformVersion,
    /// `body`.
    pub body: Option<BodyTransform>,
    /// `template_engine`, default `Kriti`.
    pub template_engine: TemplateEngine,
    /// Unknown keys.
    pub extra: Extra,
}

/// The version of a transform, which decides the form of `body`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransformVersion {
    /// 1: `body` is a template string.
    #[default]
    V1,
    /// 2: `body` is an object with an `action`.
    V2,
}

/// The template language. There is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TemplateEngine {
    /// `Kriti`.
    #[default]
    Kriti,
}

/// What a transform does to the body.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyTransform {
    /// `{"action": "remove"}`
    Remove,
    /// `{"action": "transform", "template": …}`, or the bare template of version 1.
    Modify(String),
    /// `{"action": "x_www_form_urlencoded", "form_template": {…}}`: templates by form key.
    FormUrlEncoded(IndexMap<String, String>),
}

/// What a transform does to the query string.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryParams {
    /// Templates by parameter; a value that renders to null is dropped. `None` is a parameter without a value.
    Pairs(IndexMap<String, Option<String>>),
    /// One template of the whole query string.
    Template(String),
}

/// What a transform does to the headers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderTransform {
    /// `add_headers`: templates by header name.
    pub add_headers: IndexMap<String, String>,
    /// `remove_headers`: names of headers.
    pub remove_headers: Vec<String>,
    /// Unknown keys.
    pub extra: Extra,
}
