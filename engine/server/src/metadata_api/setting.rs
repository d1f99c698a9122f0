//! Commands about inherited roles and document-wide settings.

use metadata::document::{GraphqlSchemaIntrospection, MetricsConfig};
use metadata::limit::ApiLimits;
use metadata::network::TlsAllow;
use metadata::object_id::MetadataObjectId;
use metadata::opentelemetry::OpenTelemetry;
use metadata::permission::InheritedRole;
use serde_json::Value;

use super::arguments::{Arguments, read_command, read_value};
use super::dependency;
use super::error::ApiError;
use super::success;
use super::workspace::Workspace;

/// `add_inherited_role`: an existing one is replaced.
pub(crate) fn add_inherited_role(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let (name, role) = arguments.entry::<InheritedRole>()?;
    if role.role_set.contains(&name) {
        return Err(ApiError::new(
            "invalid-params",
            "an inherited role name cannot be in the role combination",
        ));
    }
    let object = MetadataObjectId::InheritedRole(name.clone());
    workspace.change(Some(&object), |document| {
        document.inherited_roles.insert(name.clone(), role);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_inherited_role`
pub(crate) fn drop_inherited_role(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name = arguments.name("role_name")?;
    if !workspace.document().inherited_roles.contains_key(&name) {
        return Err(ApiError::new(
            "not-exists",
            format!("{name} inherited role doesn't exist"),
        ));
    }
    workspace.change(None, |document| {
        document.inherited_roles.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

/// `set_graphql_schema_introspection_options`
pub(crate) fn set_introspection(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let options: GraphqlSchemaIntrospection = read_command(arguments)?;
    workspace.change(None, |document| {
        document.graphql_schema_introspection = options;
        Ok(())
    })?;
    Ok(success())
}

/// `set_api_limits`
pub(crate) fn set_api_limits(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let limits: ApiLimits = read_command(arguments)?;
    workspace.change(None, |document| {
        document.api_limits = limits;
        Ok(())
    })?;
    Ok(success())
}

/// `remove_api_limits`
pub(crate) fn remove_api_limits(workspace: &mut Workspace<'_>) -> Result<Value, ApiError> {
    workspace.change(None, |document| {
        document.api_limits = ApiLimits::default();
        Ok(())
    })?;
    Ok(success())
}

/// `set_metrics_config`
pub(crate) fn set_metrics_config(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let config: MetricsConfig = read_command(arguments)?;
    workspace.change(None, |document| {
        document.metrics_config = config;
        Ok(())
    })?;
    Ok(success())
}

/// `remove_metrics_config`
pub(crate) fn remove_metrics_config(workspace: &mut Workspace<'_>) -> Result<Value, ApiError> {
    workspace.change(None, |document| {
        document.metrics_config = MetricsConfig::default();
        Ok(())
    })?;
    Ok(success())
}

/// `set_opentelemetry_config`
pub(crate) fn set_opentelemetry(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let config: OpenTelemetry = read_command(arguments)?;
    workspace.change(Some(&dependency::open_telemetry()), |document| {
        document.opentelemetry = config;
        Ok(())
    })?;
    Ok(success())
}

/// `set_opentelemetry_status`
pub(crate) fn set_opentelemetry_status(
    workspace: &mut Workspace<'_>,
    value: &Value,
) -> Result<Value, ApiError> {
    let status: String = read_value(value)?;
    workspace.change(Some(&dependency::open_telemetry()), |document| {
        document.opentelemetry.status = read_value(&Value::String(status))?;
        Ok(())
    })?;
    Ok(success())
}

/// `add_host_to_tls_allowlist`
pub(crate) fn add_tls_host(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let entry: TlsAllow = read_command(arguments)?;
    if entry.host.is_empty() {
        return Err(ApiError::new("bad-request", "key \"host\" cannot be empty"));
    }
    let known = workspace.document().network.tls_allowlist.iter();
    if known
        .clone()
        .any(|allowed| allowed.host == entry.host && allowed.suffix == entry.suffix)
    {
        return Err(ApiError::new(
            "already-exists",
            format!("the host \"{}\" already exists in the allowlist", entry.host),
        ));
    }
    workspace.change(None, |document| {
        document.network.tls_allowlist.push(entry);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_host_from_tls_allowlist`
pub(crate) fn drop_tls_host(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let host: String = arguments.required("host")?;
    if host.is_empty() {
        return Err(ApiError::new("bad-request", "hostname cannot be empty"));
    }
    let suffix: Option<String> = arguments.optional("suffix")?;
    let before = workspace.document().network.tls_allowlist.len();
    workspace.change(None, |document| {
        document
            .network
            .tls_allowlist
            .retain(|allowed| allowed.host != host || (suffix.is_some() && allowed.suffix != suffix));
        if document.network.tls_allowlist.len() == before {
            return Err(ApiError::new(
                "not-exists",
                format!("the host \"{host}\" isn't present in the allowlist"),
            ));
        }
        Ok(())
    })?;
    Ok(success())
}
