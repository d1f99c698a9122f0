//! Kubernetes objects as the operator reads them: metadata and the parts it looks at, as JSON.

use std::borrow::Cow;

use crd::Kind;
use kube::api::{ApiResource, ObjectMeta};
use kube::core::{DynamicResourceScope, PartialObjectMeta};
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::Value;

/// An object of whatever kind. What it does not name is dropped while reading.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// `metadata`
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// `spec`
    #[serde(default)]
    pub spec: Value,
    /// `status`
    #[serde(default)]
    pub status: Value,
    /// `data`
    #[serde(default)]
    pub data: Value,
    /// `binaryData`
    #[serde(default)]
    pub binary_data: Value,
}

impl kube::Resource for Resource {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(dynamic: &ApiResource) -> Cow<'_, str> {
        dynamic.kind.as_str().into()
    }

    fn group(dynamic: &ApiResource) -> Cow<'_, str> {
        dynamic.group.as_str().into()
    }

    fn version(dynamic: &ApiResource) -> Cow<'_, str> {
        dynamic.version.as_str().into()
    }

    fn api_version(dynamic: &ApiResource) -> Cow<'_, str> {
        dynamic.api_version.as_str().into()
    }

    fn plural(dynamic: &ApiResource) -> Cow<'_, str> {
        dynamic.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// The kinds of others that the operator reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Native {
    /// `v1`
    ConfigMap,
    /// `v1`
    Secret,
    /// `v1`
    Service,
    /// `v1`
    ServiceAccount,
    /// `v1`
    Pod,
    /// `v1`
    Namespace,
    /// `apps/v1`
    Deployment,
    /// `policy/v1`
    PodDisruptionBudget,
    /// `rbac.authorization.k8s.io/v1`
    Role,
    /// `rbac.authorization.k8s.io/v1`
    RoleBinding,
    /// `networking.k8s.io/v1`
    NetworkPolicy,
}

impl Native {
    /// Kinds that an engine's children have and that are watched by label.
    pub const CHILDREN: [Self; 8] = [
        Self::ConfigMap,
        Self::Service,
        Self::ServiceAccount,
        Self::Deployment,
        Self::PodDisruptionBudget,
        Self::Role,
        Self::RoleBinding,
        Self::NetworkPolicy,
    ];

    /// `kind`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::Service => "Service",
            Self::ServiceAccount => "ServiceAccount",
            Self::Pod => "Pod",
            Self::Namespace => "Namespace",
            Self::Deployment => "Deployment",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::NetworkPolicy => "NetworkPolicy",
        }
    }

    /// `apiVersion`
    pub fn api_version(self) -> &'static str {
        match self {
            Self::Deployment => "apps/v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::Role | Self::RoleBinding => "rbac.authorization.k8s.io/v1",
            Self::NetworkPolicy => "networking.k8s.io/v1",
            _ => "v1",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
            Self::Service => "services",
            Self::ServiceAccount => "serviceaccounts",
            Self::Pod => "pods",
            Self::Namespace => "namespaces",
            Self::Deployment => "deployments",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::Role => "roles",
            Self::RoleBinding => "rolebindings",
            Self::NetworkPolicy => "networkpolicies",
        }
    }

    /// As the client wants it.
    pub fn resource(self) -> ApiResource {
        api_resource(self.api_version(), self.as_str(), self.plural())
    }

    /// The metadata of the objects of a namespace, or of all.
    pub fn metadata(self, client: &Client, namespace: Option<&str>) -> Metadata {
        match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.resource()),
            None => Api::all_with(client.clone(), &self.resource()),
        }
    }

    /// The objects of a namespace, or of all.
    pub fn api(self, client: &Client, namespace: Option<&str>) -> Api<Resource> {
        api(client, namespace, &self.resource())
    }
}

/// Metadata of objects, asked for as such.
pub type Metadata = Api<PartialObjectMeta<Resource>>;

/// A kind of ours as the client wants it.
pub fn custom(kind: Kind) -> ApiResource {
    api_resource(crd::API_VERSION, kind.as_str(), kind.plural())
}

/// The objects of a namespace, or of all.
pub fn api(client: &Client, namespace: Option<&str>, resource: &ApiResource) -> Api<Resource> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

fn api_resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}
