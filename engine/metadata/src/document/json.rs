//! The settings of the document that are objects of their own, as JSON.

use super::{GraphqlSchemaIntrospection, MetricsConfig};
use crate::json::json_object;

json_object! { MetricsConfig, "MetricsConfig" {
    shown analyze_query_variables (false);
    shown analyze_response_body (false);
} }

json_object! { GraphqlSchemaIntrospection, "SetGraphqlIntrospectionOptions" {
    shown disabled_for_roles (Vec::new());
} }
