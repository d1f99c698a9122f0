//! The Secret with the variables of the engine.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use crate::connection::Connection;
use crate::watch::{self, Told};

/// What happened to the Secret.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretNews {
    /// Its variables are these.
    Values {
        /// `metadata.resourceVersion`
        version: String,
        /// Values by name. Values that are not UTF-8 are left out.
        values: BTreeMap<String, String>,
    },
    /// It is not there. What was told before may still be used.
    Missing,
    /// The API server does not answer, or refuses.
    Unreachable(String),
}

impl std::fmt::Debug for SecretNews {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Values { version, values } => write!(out, "Values({version}, {} variables)", values.len()),
            Self::Missing => out.write_str("Missing"),
            Self::Unreachable(message) => write!(out, "Unreachable({message})"),
        }
    }
}

/// Tells `each` of the Secret with this name, as it is and whenever it changes. Ends never; drop it to end it.
pub async fn follow_secret(connection: &Connection, name: &str, mut each: impl FnMut(SecretNews)) {
    let api: Api<Secret> = Api::namespaced(connection.client.clone(), &connection.namespace);
    let mut told = pin!(watch::one(api, name));
    let mut last = None;
    while let Some(told) = told.next().await {
        let news = match told {
            Told::Found(secret) => values(*secret),
            Told::Missing => SecretNews::Missing,
            Told::Trouble(message) => SecretNews::Unreachable(message),
        };
        // Watches that begin anew tell what is known.
        if last.as_ref() != Some(&news) {
            each(news.clone());
            last = Some(news);
        }
    }
}

fn values(secret: Secret) -> SecretNews {
    let values = secret.data.unwrap_or_default().into_iter();
    SecretNews::Values {
        version: secret.metadata.resource_version.unwrap_or_default(),
        values: values
            .filter_map(|(name, value)| Some((name, String::from_utf8(value.0).ok()?)))
            .collect(),
    }
}
