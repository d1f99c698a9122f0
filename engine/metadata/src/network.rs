//! `network`: hosts whose TLS certificates may be of their own making.

mod json;

use crate::Extra;

/// `network`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// `tls_allowlist`.
    pub tls_allowlist: Vec<TlsAllow>,
    /// Unknown keys.
    pub extra: Extra,
}

/// One host of `tls_allowlist`.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsAllow {
    /// The host name.
    pub host: String,
    /// `suffix`: a port, as text.
    pub suffix: Option<String>,
    /// `permissions`; the only one that exists is `self-signed`. Absent means `["self-signed"]`.
    pub permissions: Option<Vec<TlsPermission>>,
    /// Unknown keys.
    pub extra: Extra,
}

/// What is tolerated of a host of the TLS allow list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPermission {
    /// `self-signed` certificates are accepted.
    SelfSigned,
}
