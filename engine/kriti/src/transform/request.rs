//! Request transforms.

use serde_json::{Value, json};

use super::{
    Body, BodyTransform, HeaderTransform, QueryParams, TransformError, TransformErrors, body::CompiledBody,
    collect, compile_text, headers::CompiledHeaders, query_params::CompiledQueryParams,
};
use crate::{Context, SessionVariables, Template, uri::Uri};

/// `request_transform`; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestTransform {
    /// `method`: the HTTP method, no template.
    pub method: Option<String>,
    /// `url`: a template, the inside of a string. Its own query string has no effect: the request's stays, or
    /// `query_params` replaces it, as in Hasura.
    pub url: Option<String>,
    /// `body`
    pub body: Option<BodyTransform>,
    /// `query_params`
    pub query_params: Option<QueryParams>,
    /// `request_headers`
    pub request_headers: Option<HeaderTransform>,
}

/// A request to a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Where to.
    pub url: Uri,
    /// HTTP method.
    pub method: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Body,
}

/// A [`RequestTransform`] with its templates parsed.
#[derive(Clone, Debug)]
pub struct CompiledRequestTransform {
    method: Option<String>,
    url: Option<Template>,
    body: Option<CompiledBody>,
    query_params: Option<CompiledQueryParams>,
    headers: Option<CompiledHeaders>,
}

impl RequestTransform {
    /// Parses the templates.
    ///
    /// # Errors
    /// Every template which does not parse.
    pub fn compile(&self) -> Result<CompiledRequestTransform, TransformErrors> {
        let mut errors = TransformErrors::default();
        let url = self
            .url
            .as_deref()
            .map(|source| compile_text(source).map_err(TransformErrors::from));
        let compiled = CompiledRequestTransform {
            method: self.method.clone(),
            url: url.and_then(|url| collect(url, &mut errors)),
            body: self
                .body
                .as_ref()
                .and_then(|body| collect(body.compile(), &mut errors)),
            query_params: self
                .query_params
                .as_ref()
                .and_then(|params| collect(params.compile(), &mut errors)),
            headers: self
                .request_headers
                .as_ref()
                .and_then(|headers| collect(headers.compile(), &mut errors)),
        };
        if errors.0.is_empty() {
            Ok(compiled)
        } else {
            Err(errors)
        }
    }
}

impl Request {
    /// What templates see of this request: `body`, `base_url`, `query_params` and `session_variables`. `base_url` is
    /// the URL as configured, which keeps its spelling. A response transform sees the same object as `$request`.
    pub fn to_json(&self, base_url: &str, session_variables: Option<&SessionVariables>) -> Value {
        json!({
            "body": match &self.body {
                Body::Empty | Body::Form(_) => Value::Null,
                Body::Json(body) => body.clone(),
            },
            "base_url": base_url,
            "query_params": self.url.query.to_json(),
            "session_variables": session_variables.map(SessionVariables::to_json),
        })
    }

    fn context(&self, base_url: &str, session_variables: Option<&SessionVariables>) -> Context {
        let mut context = Context::new().with_session(session_variables.cloned());
        if let Value::Object(variables) = self.to_json(base_url, session_variables) {
            for (name, value) in variables {
                context = context.with(&format!("${name}"), value);
            }
        }
        context
    }
}

impl CompiledRequestTransform {
    /// Transforms a request. All templates see the request as it was.
    ///
    /// # Errors
    /// The failures of the first part which fails, in the order URL, body, query, headers.
    pub fn apply(
        &self,
        request: Request,
        base_url: &str,
        session_variables: Option<&SessionVariables>,
    ) -> Result<Request, TransformErrors> {
        let context = request.context(base_url, session_variables);
        let Request {
            url,
            method,
            headers,
            body,
        } = request;
        let mut target = match &self.url {
            Some(template) => render_url(template, &context)?,
            None => url.clone(),
        };
        let body = match &self.body {
            Some(transform) => transform.apply(&context)?,
            None => body,
        };
        target.query = match &self.query_params {
            Some(transform) => transform.apply(&context)?,
            None => url.query,
        };
        let headers = match &self.headers {
            Some(transform) => transform.apply(headers, &context)?,
            None => headers,
        };
        Ok(Request {
            url: target,
            method: self.method.clone().unwrap_or(method),
            headers,
            body,
        })
    }
}

fn render_url(template: &Template, context: &Context) -> Result<Uri, TransformError> {
    match template.render(context).map_err(TransformError::Template)? {
        Value::String(url) => Uri::parse(&url).map_err(|_| TransformError::InvalidUrl { url }),
        value => Err(TransformError::UrlNotString { value }),
    }
}
