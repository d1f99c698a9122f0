//! What became of one object.

use std::fmt;

use crd::status::Reason;

use crate::guarded::{Named, Naming};
use crate::object::ObjectKey;

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which object.
    pub object: ObjectKey,
    /// Its `metadata.uid`.
    pub uid: String,
    /// The generation that the verdict is about.
    pub generation: i64,
    /// Why its present form is not accepted; nothing: it is.
    pub refusal: Option<Refusal>,
    /// Which form of it is in the document.
    pub serving: Serving,
    /// The fields that are kept in the document and not served yet; `spec` is all of it.
    pub unsupported: Vec<String>,
}

/// Something that is known against the present form of an object and cannot be seen in it: what the database says,
/// or that a Secret lacks a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// `metadata.uid` of the object.
    pub uid: String,
    /// The generation that it is about; it does not hold for others.
    pub generation: i64,
    /// In one word.
    pub reason: Reason,
    /// The field.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Which form of an object is in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// The present one.
    Present,
    /// The one that was accepted last, of this generation.
    Last(i64),
    /// None.
    Nothing,
}

/// Why an object is not accepted. `Display` gives field and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In one word.
    pub reason: Reason,
    /// The field.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the last accepted form may go on.
    pub(crate) keeps: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl Refusal {
    /// A field has a wrong value.
    pub(crate) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: Reason::Invalid,
            path: path.into(),
            message: message.into(),
            keeps: true,
        }
    }

    /// Something is named that may hold a secret. No earlier form goes on either: it may be one that was accepted when
    /// this was not refused yet.
    pub(crate) fn guarded(named: Named) -> Self {
        let what = match named.naming {
            Naming::File => format!(
                "objects of other namespaces than the Engine's cannot name the file {}",
                named.name
            ),
            Naming::Whole | Naming::Template => format!("objects cannot name the variable {}", named.name),
        };
        Self {
            keeps: false,
            ..Self::invalid(
                named.path,
                format!("{what}: refer to a key of a Secret with secretKeyRef"),
            )
        }
    }

    /// The objection holds; the last accepted form may go on.
    pub(crate) fn opposed(objection: &Objection) -> Self {
        Self {
            reason: objection.reason,
            path: objection.path.clone(),
            message: objection.message.clone(),
            keeps: true,
        }
    }

    /// A reference leads nowhere, or where it may not. The words are the same for both, so that they do not tell what
    /// another namespace has. What is withdrawn does not go on; what is missing may.
    pub(crate) fn unresolved(path: &str, target: &str, missing: bool) -> Self {
        Self {
            reason: Reason::RefNotResolved,
            path: path.to_owned(),
            message: format!(
                "{target} is not there, or it is in another namespace without a ReferenceGrant for this reference: \
                 create it or the grant, or correct the name"
            ),
            keeps: missing,
        }
    }

    /// It holds for all of an engine of another namespace, which does not consent.
    pub(crate) fn unpermitted(path: &str, engine: &ObjectKey) -> Self {
        Self {
            reason: Reason::RefNotResolved,
            path: path.to_owned(),
            message: format!(
                "it holds for all of {engine}, which is in another namespace without a ReferenceGrant for this: \
                 create the grant there, or put the object into that namespace"
            ),
            keeps: false,
        }
    }

    /// What the object belongs to is not accepted.
    pub(crate) fn dependency(path: &str, target: &ObjectKey, cause: Option<&Self>) -> Self {
        let cause = match cause {
            Some(cause) => format!(" ({})", reason_word(cause.reason)),
            None => String::new(),
        };
        Self {
            reason: Reason::DependencyFailed,
            path: path.to_owned(),
            message: format!("{target} is not accepted{cause}: see its status"),
            keeps: true,
        }
    }

    /// Another object declares the same; it is named only where that is no secret.
    pub(crate) fn duplicate(path: &str, claim: &str, owner: Option<&ObjectKey>) -> Self {
        let owner = match owner {
            Some(owner) => owner.to_string(),
            None => "an older object".to_owned(),
        };
        Self {
            reason: Reason::Duplicate,
            path: path.to_owned(),
            message: format!("{owner} declares the {claim} already: delete one of the two"),
            keeps: false,
        }
    }
}

/// The reason as it stands in statuses.
pub(crate) fn reason_word(reason: Reason) -> String {
    format!("{reason:?}")
}
