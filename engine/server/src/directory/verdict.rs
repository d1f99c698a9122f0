//! What became of the objects of a folder, in words: file and line, object, field, reason.

use std::fmt::Write;

use compile::{Object, ObjectKey, SecretKey, Serving, Verdict};

use crd::Kind;
use crd::status::Reason;
use delivery::ObjectProblem;
use metadata::Warning;

use super::manifest::Place;
use super::{Contents, NAMESPACE};
use crate::admin::report::problems_of;
use crate::generation::Generation;

/// What goes on where an edit is refused.
const LAST_FORM: &str = "its last good form goes on being served";

/// What becomes of an object that is not served.
const LEFT_OUT: &str = "it is left out";

/// What becomes of an object in which only something does not fit.
const SERVED: &str = "it is served all the same";

/// Something to tell about a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where.
    pub place: Option<Place>,
    /// Which object, or where in the document if that has none.
    pub object: Option<String>,
    /// What is wrong, with the field if there is one.
    pub message: String,
    /// What is served meanwhile.
    pub meanwhile: Option<String>,
    /// The variable that makes good what is missing, if it is set.
    pub variable: Option<String>,
}

impl Finding {
    pub(super) fn of_file(place: Place, message: &str) -> Self {
        Self {
            place: Some(place),
            object: None,
            message: message.to_owned(),
            meanwhile: None,
            variable: None,
        }
    }

    /// Of a document without objects.
    pub(super) fn of_warning(warning: &Warning) -> Self {
        Self {
            place: None,
            object: Some(warning.path.to_string()),
            message: warning.message.clone(),
            meanwhile: None,
            variable: None,
        }
    }

    pub(super) fn of_secret(object: &ObjectKey, secret: &SecretKey) -> Self {
        let named = if secret.namespace == NAMESPACE {
            secret.name.clone()
        } else {
            format!("{}/{}", secret.namespace, secret.name)
        };
        let message = format!(
            "there is no key {} of a Secret {}/{}: put its manifest beside the others, or give --secret {named}=FILE; \
             until then the variable {} is taken",
            secret.key,
            secret.namespace,
            secret.name,
            secret.variable()
        );
        Self::without_value(object, secret, message)
    }

    pub(super) fn of_bytes(object: &ObjectKey, secret: &SecretKey) -> Self {
        let message = format!(
            "the key {} of the Secret {}/{} is not a text in UTF-8; until it is one, the variable {} is taken",
            secret.key,
            secret.namespace,
            secret.name,
            secret.variable()
        );
        Self::without_value(object, secret, message)
    }

    /// Of an object for which a key of a Secret has no value.
    fn without_value(object: &ObjectKey, secret: &SecretKey, message: String) -> Self {
        Self {
            place: None,
            object: Some(object.to_string()),
            message,
            meanwhile: None,
            variable: Some(secret.variable()),
        }
    }
}

/// What is to be told of a verdict.
pub(super) fn of_verdict(place: &Place, verdict: &Verdict) -> Option<Finding> {
    let message = match (&verdict.refusal, verdict.unsupported.as_slice()) {
        (Some(refusal), _) => format!("{:?}: {refusal}", refusal.reason),
        (None, []) => return None,
        (None, [whole]) if whole == "spec" => {
            "NotSupported: the engine does not serve this kind yet".to_owned()
        }
        (None, fields) => format!(
            "NotSupported: the engine does not serve {} yet",
            fields.join(", ")
        ),
    };
    let meanwhile = match (&verdict.refusal, verdict.serving) {
        (Some(_), Serving::Last(_)) => Some(LAST_FORM.to_owned()),
        (Some(_), Serving::Present | Serving::Nothing) => Some(LEFT_OUT.to_owned()),
        (None, _) => None,
    };
    Some(Finding {
        place: Some(place.clone()),
        object: Some(verdict.object.to_string()),
        message,
        meanwhile,
        variable: None,
    })
}

/// What is to be told of a consent that cannot be read.
pub(super) fn of_grant(place: &Place, object: &Object) -> Option<Finding> {
    if object.key.kind != Kind::ReferenceGrant {
        return None;
    }
    let fault = compile::grant_fault(object)?;
    Some(Finding {
        place: Some(place.clone()),
        object: Some(object.key.to_string()),
        message: format!("{:?}: {fault}", fault.reason),
        meanwhile: Some("it grants nothing of that".to_owned()),
        variable: None,
    })
}

/// What is to be told of an object that no engine of the folder selects.
pub(super) fn of_unselected(place: &Place, object: &Object) -> Finding {
    Finding {
        place: Some(place.clone()),
        object: Some(object.key.to_string()),
        message: format!(
            "{:?}: no Engine here selects this object: compare its labels with objectSelector, and those of its namespace \
             (as a manifest of the Namespace has them) with namespaceSelector; an Engine of another namespace needs a \
             ReferenceGrant too",
            Reason::NotSelected
        ),
        meanwhile: Some(LEFT_OUT.to_owned()),
        variable: None,
    }
}

/// The fields of an `Engine` that are settings of a server, which files have no say in.
const SETTINGS: &[&str] = &[
    "auth",
    "cors",
    "logs",
    "apis",
    "allowList",
    "remoteSchemaPermissions",
    "functionPermissions",
    "defaultNamingConvention",
    "stringifyNumericTypes",
    "env",
];

/// What is to be told of an engine whose settings are not those of this server.
pub(super) fn of_settings(place: &Place, object: &Object) -> Option<Finding> {
    if object.key.kind != Kind::Engine {
        return None;
    }
    let set: Vec<String> = SETTINGS
        .iter()
        .filter(|field| object.spec.get(field).is_some())
        .map(|field| format!("spec.{field}"))
        .collect();
    (!set.is_empty()).then(|| Finding {
        place: Some(place.clone()),
        object: Some(object.key.to_string()),
        message: format!(
            "{}: not taken from files, only from variables and the command line of the server",
            set.join(", ")
        ),
        meanwhile: None,
        variable: None,
    })
}

/// What of a generation is left out, by object of the folder: what does not fit the databases, and what is not served yet,
/// unless the files alone told that.
pub fn of_generation(generation: &Generation, contents: &Contents) -> Vec<Finding> {
    let key = |problem: &ObjectProblem| {
        Kind::named(&problem.kind).map(|kind| ObjectKey {
            kind,
            namespace: problem.namespace.clone(),
            name: problem.name.clone(),
        })
    };
    let is_told = |problem: &ObjectProblem| {
        let key = key(problem);
        // What has no object is a setting of the engine.
        let known = key.map_or(!contents.places.is_empty(), |key| {
            contents.unsupported.contains(&key)
        });
        problem.unsupported && known
    };
    let told = problems_of(generation)
        .into_iter()
        .filter(|problem| !is_told(problem));
    told.map(|problem| {
        let key = key(&problem);
        let reason = match (problem.unsupported, problem.unreachable) {
            (true, _) => Reason::NotSupported,
            (false, true) => Reason::Pending,
            (false, false) => Reason::Refused,
        };
        Finding {
            place: key.as_ref().and_then(|key| contents.places.get(key)).cloned(),
            message: match problem.path.as_str() {
                "" => format!("{reason:?}: {}", problem.message),
                path => format!("{reason:?}: {path}: {}", problem.message),
            },
            object: key.map(|key| key.to_string()),
            meanwhile: Some(if problem.served { SERVED } else { LEFT_OUT }.to_owned()),
            variable: None,
        }
    })
    .collect()
}

/// Of objects that the generation leaves out nothing is said to be served.
pub fn without_last_forms(findings: &mut [Finding], left_out: &[Finding]) {
    for finding in findings {
        let is_last = finding.meanwhile.as_deref() == Some(LAST_FORM);
        let is_left_out =
            |other: &Finding| other.object == finding.object && other.meanwhile.as_deref() == Some(LEFT_OUT);
        if is_last && left_out.iter().any(is_left_out) {
            finding.meanwhile = None;
        }
    }
}

/// All findings as a page for a terminal.
pub fn page(folder: &str, objects: usize, findings: &[Finding]) -> String {
    let mut page = String::new();
    // Writing to a string cannot fail.
    for finding in findings {
        let place = finding.place.as_ref().map(|place| format!("{folder}/{place}"));
        let heading: Vec<String> = place.into_iter().chain(finding.object.clone()).collect();
        let _ = writeln!(page, "{}", heading.join("  "));
        let _ = writeln!(page, "    {}", finding.message);
        if let Some(meanwhile) = &finding.meanwhile {
            let _ = writeln!(page, "    {meanwhile}");
        }
    }
    let _ = match findings.len() {
        0 => writeln!(page, "{folder}: {objects} objects, nothing is wrong"),
        1 => writeln!(page, "{folder}: {objects} objects, 1 thing to look at"),
        several => writeln!(page, "{folder}: {objects} objects, {several} things to look at"),
    };
    page
}
