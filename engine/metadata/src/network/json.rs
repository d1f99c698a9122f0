//! `network` as JSON.

use super::{Network, TlsAllow, TlsPermission};
use crate::json::{json_object, json_words};

json_object! { Network, "Network" {
    default tls_allowlist;
} }

json_object! { TlsAllow, "TlsAllow" {
    required host;
    optional permissions;
    optional suffix;
} }

json_words! { TlsPermission { SelfSigned = "self-signed" } }
