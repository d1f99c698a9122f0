//! `Engine`: pods that serve an API, their settings, and which objects the API is made of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::opentelemetry::OpenTelemetry;
use crate::shape::{choice, part};
use crate::source::NamingConvention;
use crate::value::{JsonObject, LabelSelector, OnInvalid, ValueFrom};

/// Characters of an Engine's name: names of what is made for it are made of it, and have 63 at most.
pub const MOST_NAME: usize = 52;

/// Pods that serve an API, their settings, and which objects the API is made of.
#[serde_with::skip_serializing_none]
#[derive(kube::CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "rowlock.dev",
    version = "v1alpha1",
    kind = "Engine",
    plural = "engines",
    shortname = "reng",
    category = "rowlock",
    namespaced,
    derive = "PartialEq",
    status = "crate::status::EngineStatus",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Reason", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name": "Replicas", "type": "integer", "jsonPath": ".status.readyReplicas"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EngineSpec {
    /// The number of pods; absent means 1. Leave it out where an autoscaler sets it. Not a part of the metadata
    /// document.
    // The API server has no scale subresource of an object without a number, and autoscalers read that first.
    #[schemars(range(max = 1000), extend("default" = 1))]
    pub replicas: Option<u32>,
    /// The image; absent means the one the operator was released with. Not a part of the metadata document.
    pub image: Option<String>,
    /// The labels of the objects that the engine serves; absent means all. Not a part of the metadata document.
    pub object_selector: Option<LabelSelector>,
    /// The labels of the namespaces whose objects the engine serves; absent means its own namespace alone. Of another
    /// namespace only what a `ReferenceGrant` there grants to the kind `Engine` of this namespace. Not a part of the
    /// metadata document.
    pub namespace_selector: Option<LabelSelector>,
    /// What is served while an object is not acceptable; absent means `KeepLast`. Not a part of the metadata document.
    pub on_invalid: Option<OnInvalid>,
    /// True leaves everything that runs as it is. Not a part of the metadata document.
    pub paused: Option<bool>,
    /// Who a request is from. Not a part of the metadata document.
    pub auth: Option<Auth>,
    /// Which web pages may call. Not a part of the metadata document.
    pub cors: Option<Cors>,
    /// What is logged. Not a part of the metadata document.
    pub logs: Option<Logs>,
    /// Which APIs are served (`HASURA_GRAPHQL_ENABLED_APIS`). Not a part of the metadata document.
    pub apis: Option<Vec<Api>>,
    /// Whether only queries of the allow list run (`HASURA_GRAPHQL_ENABLE_ALLOWLIST`). Not a part of the metadata
    /// document.
    pub allow_list: Option<Enforcement>,
    /// Whether permissions of remote schemas hold (`HASURA_GRAPHQL_ENABLE_REMOTE_SCHEMA_PERMISSIONS`). Not a part of
    /// the metadata document.
    pub remote_schema_permissions: Option<Enforcement>,
    /// Who may call functions without permissions (`HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS`). Not a part of the
    /// metadata document.
    pub function_permissions: Option<FunctionPermissions>,
    /// The naming convention of sources that have none (`HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION`). Not a part of the
    /// metadata document.
    pub default_naming_convention: Option<NamingConvention>,
    /// Whether numbers beyond 32 bits are texts (`HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES`). Not a part of the metadata
    /// document.
    pub stringify_numeric_types: Option<bool>,
    /// Further environment variables. Not a part of the metadata document.
    #[schemars(length(max = 200))]
    pub env: Option<Vec<EnvVar>>,
    /// The Service in front of the pods. Not a part of the metadata document.
    pub service: Option<Service>,
    /// Overrides of the pod template: a partial PodTemplateSpec. Not a part of the metadata document.
    pub template: Option<JsonObject>,
    /// Metadata key `metrics_config`.
    pub metrics: Option<Metrics>,
    /// Metadata key `graphql_schema_introspection`.
    pub introspection: Option<Introspection>,
    /// Metadata key `network`.
    pub network: Option<Network>,
    /// Metadata key `backend_configs`, as written.
    pub backend_configs: Option<JsonObject>,
    /// Metadata key `opentelemetry`.
    pub open_telemetry: Option<OpenTelemetry>,
}

part! {
    /// Who a request is from. At most one of `jwt` and `webhook`.
    #[schemars(extend("x-kubernetes-validations" = [
        {"rule": "!(has(self.jwt) && has(self.webhook))", "message": "at most one of jwt and webhook"},
        {
            "rule": "!(has(self.webhook) && has(self.unauthorizedRole))",
            "message": "with a webhook, roles come from it: unauthorizedRole is not allowed",
        },
    ]))]
    pub struct Auth {
        /// The admin secret (`HASURA_GRAPHQL_ADMIN_SECRET`).
        pub admin_secret_from: ValueFrom,
        /// JWT settings as JSON (`HASURA_GRAPHQL_JWT_SECRET`).
        #[schemars(length(min = 1, max = 16))]
        pub jwt: Option<Vec<ValueFrom>>,
        /// A webhook that says who a request is from.
        pub webhook: Option<AuthWebhook>,
        /// The role of requests without credentials (`HASURA_GRAPHQL_UNAUTHORIZED_ROLE`).
        pub unauthorized_role: Option<String>,
    }
}

part! {
    /// A webhook that says who a request is from. Exactly one of `url` and `urlFrom`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.url) != has(self.urlFrom)",
        "message": "exactly one of url and urlFrom",
    }]))]
    pub struct AuthWebhook {
        /// Its URL (`HASURA_GRAPHQL_AUTH_HOOK`).
        pub url: Option<String>,
        /// Its URL (`HASURA_GRAPHQL_AUTH_HOOK`).
        pub url_from: Option<ValueFrom>,
        /// `HASURA_GRAPHQL_AUTH_HOOK_MODE`
        pub mode: Option<AuthWebhookMode>,
        /// `HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY`
        pub send_request_body: Option<bool>,
    }
}

choice! {
    /// The method of the webhook.
    pub enum AuthWebhookMode {
        /// `GET`
        GET,
        /// `POST`
        POST,
    }
}

part! {
    /// Which web pages may call.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "(self.mode == 'Domains') == has(self.domains)",
        "message": "domains are given exactly with mode Domains",
    }]))]
    pub struct Cors {
        /// Whether CORS headers are sent (`HASURA_GRAPHQL_DISABLE_CORS`).
        pub mode: CorsMode,
        /// The origins (`HASURA_GRAPHQL_CORS_DOMAIN`): `https://app.example.com`, `https://*.example.com:8443`.
        #[schemars(length(min = 1))]
        pub domains: Option<Vec<String>>,
    }
}

choice! {
    /// Whether CORS headers are sent.
    pub enum CorsMode {
        /// For the domains given.
        Domains,
        /// Never.
        Disabled,
    }
}

part! {
    /// What is logged.
    pub struct Logs {
        /// The types (`HASURA_GRAPHQL_ENABLED_LOG_TYPES`).
        pub types: Option<Vec<LogType>>,
        /// The least level (`HASURA_GRAPHQL_LOG_LEVEL`).
        pub level: Option<LogLevel>,
    }
}

choice! {
    /// A type of log line that can be chosen, by Hasura's name.
    pub enum LogType {
        /// `startup`
        #[serde(rename = "startup")]
        Startup,
        /// `http-log`
        #[serde(rename = "http-log")]
        HttpLog,
        /// `webhook-log`
        #[serde(rename = "webhook-log")]
        WebhookLog,
        /// `websocket-log`
        #[serde(rename = "websocket-log")]
        WebsocketLog,
        /// `query-log`
        #[serde(rename = "query-log")]
        QueryLog,
        /// `execution-log`
        #[serde(rename = "execution-log")]
        ExecutionLog,
        /// `livequery-poller-log`
        #[serde(rename = "livequery-poller-log")]
        LivequeryPollerLog,
        /// `action-handler-log`
        #[serde(rename = "action-handler-log")]
        ActionHandlerLog,
        /// `data-connector-log`
        #[serde(rename = "data-connector-log")]
        DataConnectorLog,
        /// `jwk-refresh-log`
        #[serde(rename = "jwk-refresh-log")]
        JwkRefreshLog,
        /// `validate-insert-input-log`
        #[serde(rename = "validate-insert-input-log")]
        ValidateInsertInputLog,
    }
}

choice! {
    /// The level of a log line.
    pub enum LogLevel {
        /// `debug`
        Debug,
        /// `info`
        Info,
        /// `warn`
        Warn,
        /// `error`
        Error,
    }
}

choice! {
    /// An API of the engine.
    pub enum Api {
        /// `graphql`
        GraphQL,
        /// `metadata`
        Metadata,
        /// `config`
        Config,
        /// `pgdump`
        PgDump,
        /// `developer`
        Developer,
        /// `metrics`
        Metrics,
    }
}

choice! {
    /// Whether a rule holds.
    pub enum Enforcement {
        /// It holds.
        Enforced,
        /// It does not hold.
        Off,
    }
}

choice! {
    /// Who may call functions without permissions.
    pub enum FunctionPermissions {
        /// Roles that may read what the function returns.
        Inferred,
        /// Nobody.
        Explicit,
    }
}

part! {
    /// An environment variable of the engine. Exactly one of `value` and `valueFrom`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.value) != has(self.valueFrom)",
        "message": "exactly one of value and valueFrom",
    }]))]
    pub struct EnvVar {
        /// Its name.
        #[schemars(extend("minLength" = 1))]
        pub name: String,
        /// Its value.
        pub value: Option<String>,
        /// Where its value comes from.
        pub value_from: Option<ValueFrom>,
    }
}

part! {
    /// The Service in front of the pods.
    pub struct Service {
        /// Its type; absent means `ClusterIP`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub kind: Option<ServiceType>,
        /// Its port; absent means 80.
        #[schemars(range(min = 1, max = 65535))]
        pub port: Option<u16>,
        /// Its annotations.
        pub annotations: Option<std::collections::BTreeMap<String, String>>,
    }
}

choice! {
    /// The type of a Service.
    pub enum ServiceType {
        /// Inside the cluster.
        ClusterIP,
        /// On a port of each node.
        NodePort,
        /// Through a load balancer.
        LoadBalancer,
    }
}

part! {
    /// Extra labels on metrics.
    pub struct Metrics {
        /// Metadata key `analyze_query_variables`.
        pub analyze_query_variables: Option<bool>,
        /// Metadata key `analyze_response_body`.
        pub analyze_response_body: Option<bool>,
    }
}

part! {
    /// Who may not introspect.
    pub struct Introspection {
        /// Metadata key `disabled_for_roles`.
        pub disabled_for_roles: Vec<String>,
    }
}

part! {
    /// How the engine calls other servers.
    pub struct Network {
        /// Metadata key `tls_allowlist`: hosts whose certificates may be of their own making.
        pub tls_allow_list: Vec<TlsAllow>,
    }
}

part! {
    /// A host whose certificate may be of its own making.
    pub struct TlsAllow {
        /// Metadata key `host`.
        pub host: String,
        /// Metadata key `suffix`: a port.
        pub suffix: Option<String>,
        /// Metadata key `permissions`.
        pub permissions: Option<Vec<TlsPermission>>,
    }
}

choice! {
    /// One of `permissions`.
    pub enum TlsPermission {
        /// `self-signed`
        SelfSigned,
    }
}
