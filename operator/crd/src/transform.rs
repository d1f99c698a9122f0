//! Request and response transforms of webhooks.

use std::collections::BTreeMap;

use crate::shape::{choice, part};

part! {
    /// What is changed in a request to a webhook.
    pub struct RequestTransform {
        /// Metadata key `version`: 1 or 2; absent means 1. With 1, `body` can only be a template.
        #[schemars(range(min = 1, max = 2))]
        pub version: Option<u32>,
        /// Metadata key `method`.
        pub method: Option<String>,
        /// Metadata key `url`: a template.
        pub url: Option<String>,
        /// Metadata key `body`.
        pub body: Option<BodyTransform>,
        /// Metadata key `query_params`.
        pub query_params: Option<QueryParams>,
        /// Metadata key `request_headers`.
        pub request_headers: Option<HeaderTransform>,
        /// Metadata key `template_engine`; absent means Kriti.
        pub template_engine: Option<TemplateEngine>,
    }
}

part! {
    /// What is changed in the response of a webhook.
    pub struct ResponseTransform {
        /// Metadata key `version`: 1 or 2; absent means 1. With 1, `body` can only be a template.
        #[schemars(range(min = 1, max = 2))]
        pub version: Option<u32>,
        /// Metadata key `body`.
        pub body: Option<BodyTransform>,
        /// Metadata key `template_engine`; absent means Kriti.
        pub template_engine: Option<TemplateEngine>,
    }
}

choice! {
    /// Metadata key `template_engine`.
    pub enum TemplateEngine {
        /// `Kriti`
        Kriti,
    }
}

part! {
    /// What becomes of the body. `template` exactly with `Transform`, `formTemplate` exactly with `FormUrlEncoded`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "(self.action == 'Transform') == has(self.template)",
        "message": "template is given exactly with action Transform",
    }, {
        "rule": "(self.action == 'FormUrlEncoded') == has(self.formTemplate)",
        "message": "formTemplate is given exactly with action FormUrlEncoded",
    }]))]
    pub struct BodyTransform {
        /// Metadata key `action`.
        pub action: BodyAction,
        /// Metadata key `template`, of `Transform`.
        pub template: Option<String>,
        /// Metadata key `form_template`, of `FormUrlEncoded`: templates by form key.
        pub form_template: Option<BTreeMap<String, String>>,
    }
}

choice! {
    /// Metadata key `action`.
    pub enum BodyAction {
        /// `transform`
        Transform,
        /// `remove`
        Remove,
        /// `x_www_form_urlencoded`
        FormUrlEncoded,
    }
}

part! {
    /// The query string. Exactly one of `template` and `pairs`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.template) != has(self.pairs)",
        "message": "exactly one of template and pairs",
    }]))]
    pub struct QueryParams {
        /// Metadata key `query_params`: one template of the whole.
        pub template: Option<String>,
        /// Metadata key `query_params`: templates by parameter.
        pub pairs: Option<Vec<QueryParam>>,
    }
}

part! {
    /// One parameter of the query string.
    pub struct QueryParam {
        /// The parameter: the key in `query_params`.
        pub name: String,
        /// Its template; absent means a parameter without a value.
        pub value: Option<String>,
    }
}

part! {
    /// Headers added and removed.
    pub struct HeaderTransform {
        /// Metadata key `add_headers`: templates by header.
        pub add_headers: Option<BTreeMap<String, String>>,
        /// Metadata key `remove_headers`.
        pub remove_headers: Option<Vec<String>>,
    }
}
