//! Endpoints about the engine itself: version, configuration, health, readiness, metrics.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::error::{ApiError, Code, Visibility};
use super::{Answer, Asked, METRICS, parameter};
use crate::observe::metrics::{PlanCacheFigures, Scrape};
use crate::state::{Readiness, State};

/// The Hasura version whose behaviour and catalog (version 48) this engine has: clients choose features by it.
pub const HASURA_VERSION: &str = "v2.48.0";

/// How long the metadata database may take to answer a health check.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// `GET /v1/version`
pub fn version() -> Bytes {
    json!({
        "version": HASURA_VERSION,
        "server_type": "ce",
        "rowlock": env!("CARGO_PKG_VERSION"),
    })
    .to_string()
    .into()
}

/// `GET /v1alpha1/config`
pub fn config(state: &State) -> Value {
    let settings = &state.settings;
    let authenticator = state.authenticator();
    let tokens = authenticator.describe_tokens();
    json!({
        "version": HASURA_VERSION,
        "is_function_permissions_inferred": settings.schema.infer_function_permissions,
        "is_remote_schema_permissions_enabled": false,
        "is_admin_secret_set": authenticator.has_secret(),
        "is_auth_hook_set": authenticator.has_hook(),
        "is_jwt_set": !tokens.is_empty(),
        "jwt": tokens,
        "is_allow_list_enabled": settings.allow_list,
        "live_queries": {"batch_size": 100, "refetch_delay": 1},
        "streaming_queries": {"batch_size": 100, "refetch_delay": 1},
        "console_assets_dir": null,
        "experimental_features": settings.schema.experimental_features,
        "is_prometheus_metrics_enabled": settings.http.apis.metrics,
        "default_naming_convention": match settings.schema.default_naming_convention {
            schema::naming::NamingConvention::HasuraDefault => "hasura-default",
            schema::naming::NamingConvention::GraphqlDefault => "graphql-default",
        },
        "feature_flags": [],
        "is_apollo_federation_enabled": false,
    })
}

/// `GET /healthz`
pub async fn health(state: &State, query: &str) -> Answer {
    let store_is_well = match state.store() {
        None => true,
        Some(store) => matches!(
            tokio::time::timeout(STORE_PATIENCE, store.check()).await,
            Ok(Ok(()))
        ),
    };
    let strict = parameter(query, "strict").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let (status, text) = match (store_is_well, state.current().is_consistent()) {
        (false, _) => (StatusCode::INTERNAL_SERVER_ERROR, "ERROR"),
        (true, true) => (StatusCode::OK, "OK"),
        (true, false) if strict => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERROR: inconsistent objects in schema",
        ),
        (true, false) => (StatusCode::OK, "WARN: inconsistent objects in schema"),
    };
    let mut answer = Answer::text(status, text);
    answer.asked = Asked::Probe;
    answer.error = (!status.is_success()).then(|| Value::from(text));
    answer
}

/// `GET /readyz`: whether requests should come here, and which generation they would meet.
pub fn ready(state: &State) -> Answer {
    let generation = state.current();
    let readiness = state.readiness();
    let status = match readiness {
        Readiness::Ready => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let page = json!({
        "status": readiness.as_str(),
        "generation": {
            "number": generation.number,
            "resource_version": generation.resource_version,
            "counter": generation.provenance.counter,
            "hash": generation.hash(),
            "inconsistent_objects": generation.problems.len(),
        },
    });
    let mut answer = Answer::json(page.to_string());
    answer.status = status;
    answer.asked = Asked::Probe;
    answer
}

/// `GET /v1/metrics`, for those who know the secret.
pub fn metrics(state: &State, headers: &HeaderMap) -> Answer {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let known = match (&state.settings.metrics.secret, token) {
        (Some(secret), Some(token)) => secret.matches(token),
        _ => false,
    };
    if !known {
        let error = ApiError::new(
            Code::AccessDenied,
            "the metrics need a bearer token (HASURA_GRAPHQL_METRICS_SECRET)",
        )
        .status(StatusCode::UNAUTHORIZED);
        return Answer::plain_error(&error, Visibility::Hidden);
    }
    let generation = state.current();
    let plans = state.plan_statistics();
    let scrape = Scrape {
        pools: generation
            .sources
            .iter()
            .filter_map(|(name, source)| Some((name.clone(), source.database.as_ref()?.metrics())))
            .collect(),
        plans: PlanCacheFigures {
            hits: plans.hits,
            misses: plans.misses,
            entries: u64::try_from(plans.entries).unwrap_or(u64::MAX),
            bytes: u64::try_from(plans.bytes).unwrap_or(u64::MAX),
        },
        dropped_log_lines: state.observer.dropped_lines(),
        generation: generation.hash().to_owned(),
        counter: generation.provenance.counter,
        is_kept: state.is_kept(),
    };
    let mut answer = Answer::json(state.observer.metrics.render(&scrape));
    answer.content = METRICS;
    answer.asked = Asked::Probe;
    answer
}

/// What the log shows of a metadata request: its type, or the whole if the settings say so.
pub fn logged_body(state: &State, body: &[u8]) -> Option<Vec<u8>> {
    if state.settings.log.metadata_queries {
        return serde_json::from_slice::<&serde_json::value::RawValue>(body)
            .ok()
            .map(|valid| valid.get().as_bytes().to_vec());
    }
    #[derive(serde::Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: std::borrow::Cow<'a, str>,
    }
    let typed: Typed<'_> = serde_json::from_slice(body).ok()?;
    Some(json!({"type": typed.kind}).to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_semantic_with_a_v() {
        let page: Value = serde_json::from_slice(&version()).unwrap();
        let text = page["version"].as_str().unwrap();
        assert!(text.starts_with("v2."));
        assert_eq!(text.split('.').count(), 3);
    }
}
