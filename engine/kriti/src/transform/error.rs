//! Failures of transforms.

use serde_json::{Value, json};

use crate::error::Error;

/// One failure.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransformError {
    /// A template does not parse or cannot be rendered.
    #[error(transparent)]
    Template(Error),
    /// The URL's template gives something else than a string.
    #[error("URL Transforms must produce a JSON String: {value}")]
    UrlNotString {
        /// What it gives.
        value: Value,
    },
    /// The URL's template gives a string which is no absolute URI.
    #[error("Invalid URL: {url}")]
    InvalidUrl {
        /// The string.
        url: String,
    },
    /// A header's, parameter's or form field's template gives null, an array or an object.
    #[error("Template must produce a String, Number, or Boolean value")]
    NotScalar {
        /// What it gives.
        value: Value,
    },
}

impl TransformError {
    /// `{"error_code", "message"}` with `source_position` for templates and `value` for values of a wrong type.
    pub fn to_json(&self) -> Value {
        let mut json = json!({"error_code": "TransformationError", "message": self.to_string()});
        match self {
            Self::Template(error) => return error.to_json(),
            Self::NotScalar { value } => json["value"] = value.clone(),
            Self::UrlNotString { .. } | Self::InvalidUrl { .. } => {}
        }
        json
    }
}

/// All failures of one transform, at least one.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("{} of the transform's templates failed", .0.len())]
pub struct TransformErrors(pub Vec<TransformError>);

impl TransformErrors {
    /// The list Hasura gives as `internal`.
    pub fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(TransformError::to_json)
            .collect::<Vec<_>>()
            .into()
    }
}

impl From<TransformError> for TransformErrors {
    fn from(error: TransformError) -> Self {
        Self(vec![error])
    }
}
