//! Custom resources to a document that a stand-alone server takes, and what it does not carry.

use crd::Kind;
use metadata::Document;

use crate::compile::{LastAccepted, compile};
use crate::import::NotCarried;
use crate::object::Snapshot;

/// An exported document.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The document.
    pub document: Document,
    /// What it does not carry: objects that are not accepted, values of Secrets, settings of the engine.
    pub not_carried: Vec<NotCarried>,
}

/// Makes a document of objects alone.
pub fn export(snapshot: &Snapshot) -> Exported {
    let compiled = compile(snapshot, &LastAccepted::nothing());
    let mut not_carried = Vec::new();
    for verdict in &compiled.verdicts {
        if let Some(refusal) = &verdict.refusal {
            not_carried.push(NotCarried {
                path: verdict.object.to_string(),
                reason: refusal.to_string(),
            });
        }
    }
    for object in snapshot.objects() {
        match object.key.kind {
            Kind::ReferenceGrant => not_carried.push(NotCarried {
                path: object.key.to_string(),
                reason: "a document knows no namespaces".to_owned(),
            }),
            Kind::Engine => {
                let spec = object.spec.value();
                let fields = spec.as_object().into_iter().flat_map(|spec| spec.keys());
                for field in fields.filter(|field| !SECTIONS.contains(&field.as_str())) {
                    not_carried.push(NotCarried {
                        path: format!("{}: spec.{field}", object.key),
                        reason: "a setting of the server, which a document does not hold".to_owned(),
                    });
                }
            }
            _ if object
                .spec
                .get("onInvalid")
                .is_some_and(|found| found.is_string()) =>
            {
                not_carried.push(NotCarried {
                    path: format!("{}: spec.onInvalid", object.key),
                    reason: "a document has no earlier form".to_owned(),
                });
            }
            _ => {}
        }
    }
    for secret in &compiled.secrets {
        not_carried.push(NotCarried {
            path: format!("Secret {}/{}, key {}", secret.namespace, secret.name, secret.key),
            reason: format!(
                "the document names the environment variable {} instead",
                secret.variable()
            ),
        });
    }
    Exported {
        document: compiled.document,
        not_carried,
    }
}

/// The fields of an engine that are sections of the document.
const SECTIONS: &[&str] = &[
    "metrics",
    "introspection",
    "network",
    "backendConfigs",
    "openTelemetry",
];
