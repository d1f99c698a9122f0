//! Bodies and their transforms.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{TransformError, TransformErrors, all, compile_text, render_text};
use crate::{Context, Template, percent::encode};

/// The body of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// A form, already encoded.
    Form(String),
}

/// What a transform does to the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyTransform {
    /// Leaves none.
    Remove,
    /// Replaces it by what this template gives.
    Transform(String),
    /// Replaces it by a form: templates, each the inside of a string, by key. A field which renders to `null` is
    /// left out.
    FormUrlEncoded(BTreeMap<String, String>),
}

/// The same with its templates parsed.
#[derive(Clone, Debug)]
pub(super) enum CompiledBody {
    Remove,
    Transform(Template),
    FormUrlEncoded(Vec<(String, Template)>),
}

impl BodyTransform {
    pub(super) fn compile(&self) -> Result<CompiledBody, TransformErrors> {
        Ok(match self {
            Self::Remove => CompiledBody::Remove,
            Self::Transform(source) => {
                let template =
                    Template::parse(source).map_err(|error| TransformError::Template(error.into()))?;
                CompiledBody::Transform(template)
            }
            Self::FormUrlEncoded(fields) => {
                let fields = fields
                    .iter()
                    .map(|(key, source)| Ok((key.clone(), compile_text(source)?)));
                CompiledBody::FormUrlEncoded(all(fields)?)
            }
        })
    }
}

impl CompiledBody {
    pub(super) fn apply(&self, context: &Context) -> Result<Body, TransformErrors> {
        match self {
            Self::Remove => Ok(Body::Empty),
            Self::Transform(template) => Ok(Body::Json(
                template.render(context).map_err(TransformError::Template)?,
            )),
            Self::FormUrlEncoded(fields) => {
                let fields = all(fields
                    .iter()
                    .map(|(key, template)| Ok((key, render_text(template, context)?))))?;
                let encoded = fields
                    .iter()
                    .filter(|(_, value)| value != "null")
                    .map(|(key, value)| format!("{}={}", encode(key.as_bytes()), encode(value.as_bytes())));
                Ok(Body::Form(encoded.collect::<Vec<_>>().join("&")))
            }
        }
    }
}
