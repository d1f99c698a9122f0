//! The cluster that `KUBECONFIG` names, and objects of any kind in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{
    Api, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::discovery::{ApiCapabilities, ApiResource, Scope, pinned_kind};
use kube::{Client, Config};
use serde_json::Value;

use crate::wait::{Late, until};

/// What can go wrong between a story and its cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no cluster to talk to.
    #[error("KUBECONFIG names no cluster: e2e/run starts one and runs these tests ({0})")]
    None(String),
    /// The API server refused; its words.
    #[error("{0}")]
    Refused(String),
    /// The API server did not answer.
    #[error("the API server does not answer: {0}")]
    Silent(#[source] kube::Error),
    /// A file that is no object.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Something did not happen in time.
    #[error(transparent)]
    Late(#[from] Late),
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status.message),
            other => Self::Silent(other),
        }
    }
}

/// A cluster.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

/// The name under which stories apply objects.
pub const MANAGER: &str = "story";

impl Cluster {
    /// The cluster of `KUBECONFIG`. No other place is looked at: stories change what they find.
    ///
    /// # Errors
    /// When the variable is not set or names no readable file.
    pub async fn connect() -> Result<Self, ClusterError> {
        if std::env::var_os("KUBECONFIG").is_none() {
            return Err(ClusterError::None("it is not set".to_owned()));
        }
        let config = Config::from_kubeconfig(&kube::config::KubeConfigOptions::default()).await;
        let mut config = config.map_err(|error| ClusterError::None(error.to_string()))?;
        // Times are measured: no pauses but those of the story.
        config.default_retry = false;
        Ok(Self {
            client: Client::try_from(config)?,
        })
    }

    /// The client, for what has no method here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Objects of a kind (`apiVersion` and `kind`) in a namespace, or in none for kinds that have none.
    ///
    /// # Errors
    /// When the cluster does not know the kind.
    pub async fn objects(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
    ) -> Result<Api<DynamicObject>, ClusterError> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let named = GroupVersionKind::gvk(group, version, kind);
        let (resource, capabilities): (ApiResource, ApiCapabilities) =
            pinned_kind(&self.client, &named).await?;
        Ok(match capabilities.scope {
            Scope::Namespaced => Api::namespaced_with(self.client.clone(), namespace, &resource),
            Scope::Cluster => Api::all_with(self.client.clone(), &resource),
        })
    }

    async fn place_of(
        &self,
        object: &Value,
        namespace: &str,
    ) -> Result<(Api<DynamicObject>, String), ClusterError> {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let own = text("/metadata/namespace");
        let namespace = if own.is_empty() { namespace } else { own };
        let objects = self
            .objects(text("/apiVersion"), text("/kind"), namespace)
            .await?;
        Ok((objects, text("/metadata/name").to_owned()))
    }

    /// Server-side apply; the object as the API server keeps it.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn apply(&self, object: &Value, namespace: &str) -> Result<Value, ClusterError> {
        self.apply_as(MANAGER, object, namespace).await
    }

    /// Server-side apply under another name; fields of others are not taken from them.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn apply_as(
        &self,
        manager: &str,
        object: &Value,
        namespace: &str,
    ) -> Result<Value, ClusterError> {
        let (objects, name) = self.place_of(object, namespace).await?;
        let how = PatchParams::apply(manager).validation_strict();
        let kept = objects.patch(&name, &how, &Patch::Apply(object)).await?;
        Ok(serde_json::to_value(kept).unwrap_or_default())
    }

    /// Creates an object as tools do that ask for no validation: fields that the schema does not have are dropped.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn create(&self, object: &Value, namespace: &str) -> Result<Value, ClusterError> {
        let (objects, _) = self.place_of(object, namespace).await?;
        let object: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|error| ClusterError::Refused(error.to_string()))?;
        let kept = objects.create(&PostParams::default(), &object).await?;
        Ok(serde_json::to_value(kept).unwrap_or_default())
    }

    /// Changes fields of an object, as a JSON merge patch does.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn merge(
        &self,
        object: &Value,
        change: &Value,
        namespace: &str,
    ) -> Result<Value, ClusterError> {
        let (objects, name) = self.place_of(object, namespace).await?;
        let how = PatchParams::default().validation_strict();
        let kept = objects.patch(&name, &how, &Patch::Merge(change)).await?;
        Ok(serde_json::to_value(kept).unwrap_or_default())
    }

    /// The object as it is now; nothing when it is not there.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn get(&self, object: &Value, namespace: &str) -> Result<Option<Value>, ClusterError> {
        let (objects, name) = self.place_of(object, namespace).await?;
        let found = objects.get_opt(&name).await?;
        Ok(found.map(|found| serde_json::to_value(found).unwrap_or_default()))
    }

    /// Deletes an object; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete(&self, object: &Value, namespace: &str) -> Result<(), ClusterError> {
        let (objects, name) = self.place_of(object, namespace).await?;
        match objects.delete(&name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// All objects of a kind in a namespace with these labels.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn list(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<Value>, ClusterError> {
        let objects = self.objects(api_version, kind, namespace).await?;
        let found = objects.list(&ListParams::default().labels(labels)).await?;
        Ok(found
            .items
            .into_iter()
            .map(|one| serde_json::to_value(one).unwrap_or_default())
            .collect())
    }

    /// Applies `crds/` and waits until the API server serves every kind.
    ///
    /// # Errors
    /// When one is refused, or not served in time.
    pub async fn install_definitions(&self) -> Result<(), ClusterError> {
        let directory = repository().join("crds");
        for definition in read_objects(&directory)? {
            let how = PatchParams::apply(MANAGER).force().validation_strict();
            let (objects, name) = self.place_of(&definition, "").await?;
            objects.patch(&name, &how, &Patch::Apply(&definition)).await?;
            until(Duration::from_secs(30), &format!("{name} is served"), || async {
                let found = objects.get(&name).await.map_err(|error| error.to_string())?;
                let conditions = found
                    .data
                    .pointer("/status/conditions")
                    .cloned()
                    .unwrap_or_default();
                let established = conditions
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
                if established {
                    Ok(())
                } else {
                    Err(conditions.to_string())
                }
            })
            .await?;
        }
        // Served, but perhaps not yet in the documents by which clients find kinds.
        for kind in crd::Kind::ALL {
            until(
                Duration::from_secs(30),
                &format!("{kind} can be found"),
                || async {
                    let found = self.objects(crd::API_VERSION, kind.as_str(), "default").await;
                    found.map(drop).map_err(|error| error.to_string())
                },
            )
            .await?;
        }
        Ok(())
    }
}

/// The root of the checkout.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The objects of a YAML file, or of every YAML file of a directory in order of their names.
///
/// # Errors
/// When a file cannot be read or is no YAML.
pub fn read_objects(path: &Path) -> Result<Vec<Value>, ClusterError> {
    let failed = |path: &Path, message: String| ClusterError::File {
        path: path.to_owned(),
        message,
    };
    if path.is_dir() {
        let mut files: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(|error| failed(path, error.to_string()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|file| file.extension().is_some_and(|ending| ending == "yaml"))
            .collect();
        files.sort();
        let mut objects = Vec::new();
        for file in files {
            objects.extend(read_objects(&file)?);
        }
        return Ok(objects);
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(path, error.to_string()))?;
    parse_objects(&text).map_err(|message| failed(path, message))
}

/// The objects of a YAML text.
///
/// # Errors
/// When it is no YAML.
pub fn parse_objects(text: &str) -> Result<Vec<Value>, String> {
    use serde_norway::Deserializer;
    let mut objects = Vec::new();
    for document in Deserializer::from_str(text) {
        let value: Value = serde_path(document)?;
        if !value.is_null() {
            objects.push(value);
        }
    }
    Ok(objects)
}

fn serde_path(document: serde_norway::Deserializer<'_>) -> Result<Value, String> {
    serde::Deserialize::deserialize(document).map_err(|error: serde_norway::Error| error.to_string())
}
