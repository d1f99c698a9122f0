//! A story: a namespace of its own, and what is applied in it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cluster::{Cluster, ClusterError};
use crate::wait::{Late, until};

/// One story's namespace.
#[derive(Clone)]
pub struct Story {
    /// The cluster it is told in.
    pub cluster: Cluster,
    /// Its namespace.
    pub namespace: String,
}

impl Story {
    /// Connects, makes sure that the kinds are there, and makes a namespace `<name>-…`.
    ///
    /// # Errors
    /// When there is no cluster, or it refuses.
    pub async fn begin(name: &str) -> Result<Self, ClusterError> {
        let cluster = Cluster::connect().await?;
        cluster.install_definitions().await?;
        let story = Self::beside(&cluster, name).await?;
        Ok(story)
    }

    /// A further namespace for the same story.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn beside(cluster: &Cluster, name: &str) -> Result<Self, ClusterError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let namespace = format!("{name}-{:x}", now.as_micros() % 0x1_0000_0000);
        let object = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {
                "rowlock.dev/story": name,
                // Pods of the strictest kind only.
                "pod-security.kubernetes.io/enforce": "restricted",
            }},
        });
        cluster.apply(&object, "").await?;
        // What the installation's guide tells the owner of a namespace with engines to do.
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "rowlock-secrets"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "rowlock-operator-secrets",
            },
            "subjects": [{"kind": "ServiceAccount", "name": "rowlock-operator", "namespace": "rowlock-system"}],
        });
        cluster.apply(&binding, &namespace).await?;
        Ok(Self {
            cluster: cluster.clone(),
            namespace,
        })
    }

    /// Applies an object in the story's namespace.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn apply(&self, object: &Value) -> Result<Value, ClusterError> {
        self.cluster.apply(object, &self.namespace).await
    }

    /// The object as it is now.
    ///
    /// # Errors
    /// When the API server refuses or does not answer.
    pub async fn get(&self, object: &Value) -> Result<Option<Value>, ClusterError> {
        self.cluster.get(object, &self.namespace).await
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn delete(&self, object: &Value) -> Result<(), ClusterError> {
        self.cluster.delete(object, &self.namespace).await
    }

    /// Waits until a condition of an object is as wanted, about its present generation; the condition and how long it
    /// took.
    ///
    /// # Errors
    /// When it never is.
    pub async fn condition(
        &self,
        object: &Value,
        kind: &str,
        status: &str,
        patience: Duration,
    ) -> Result<(Value, Duration), Late> {
        let what = format!(
            "{}/{} is {kind}={status}",
            object["kind"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or_default()
        );
        until(patience, &what, || async {
            let found = self.get(object).await.map_err(|error| error.to_string())?;
            let found = found.ok_or("the object is not there")?;
            let condition = condition_of(&found, kind);
            let fresh = condition["observedGeneration"] == found["metadata"]["generation"];
            if fresh && condition["status"] == status {
                Ok(condition)
            } else {
                Err(found["status"].to_string())
            }
        })
        .await
    }

    /// Deletes the namespace and does not wait for it.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn end(self) -> Result<(), ClusterError> {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}});
        self.cluster.delete(&namespace, "").await
    }
}

/// A condition in the status of an object: `Ready` at the top, `Accepted` and `Programmed` where they are.
#[must_use]
pub fn condition_of(object: &Value, kind: &str) -> Value {
    let lists = [
        object.pointer("/status/conditions"),
        object.pointer("/status/engines/0/conditions"),
    ];
    lists
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .find(|condition| condition["type"] == kind)
        .cloned()
        .unwrap_or_default()
}
