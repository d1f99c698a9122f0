//! Where the metadata document comes from.

use std::fmt;
use std::path::PathBuf;

use super::value;

/// The one origin of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The metadata database, written by the metadata API.
    Catalog,
    /// Custom resources or a Hasura metadata directory, watched; the metadata API is read-only.
    Directory(PathBuf),
    /// What an operator publishes under this name, watched through the Kubernetes API; the metadata API is read-only.
    ConfigMap(String),
}

impl Origin {
    /// Reads `catalog`, `configmap:NAME` or `directory:DIR`.
    pub fn parse(text: &str) -> Result<Self, value::Error> {
        match text.split_once(':') {
            None if text == "catalog" => Ok(Self::Catalog),
            Some(("directory", folder)) if !folder.is_empty() => Ok(Self::Directory(folder.into())),
            Some(("configmap", name)) if !name.is_empty() => Ok(Self::ConfigMap(name.to_owned())),
            _ => Err(value::Error::Choice {
                choices: "catalog, configmap:NAME, directory:DIR",
                text: text.to_owned(),
            }),
        }
    }

    /// Whether the metadata API may change the document.
    pub fn is_writable(&self) -> bool {
        matches!(self, Self::Catalog)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog => out.write_str("catalog"),
            Self::Directory(folder) => write!(out, "directory:{}", folder.display()),
            Self::ConfigMap(name) => write!(out, "configmap:{name}"),
        }
    }
}
