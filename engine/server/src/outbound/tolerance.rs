//! Certificates of hosts that the metadata allows to have one of their own making (`network.tls_allowlist`).
//!
//! As in Hasura, what is tolerated is that a certificate is signed by itself and that it is another name's. One that has
//! expired, or that an unknown authority signed, is refused here as well.

use std::sync::Arc;

use metadata::network::{TlsAllow, TlsPermission};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use webpki::EndEntityCert;

/// Whether an entry speaks of this server. An entry without a port speaks of all of them, one without permissions has
/// the only one there is.
pub fn tolerates(entry: &TlsAllow, host: &str, port: u16) -> bool {
    let permissions = entry.permissions.as_deref();
    entry.host.eq_ignore_ascii_case(host)
        && entry
            .suffix
            .as_deref()
            .is_none_or(|suffix| suffix.parse() == Ok(port))
        && permissions.is_none_or(|all| all.contains(&TlsPermission::SelfSigned))
}

/// Verifies as the strict one does, but for what is tolerated.
#[derive(Debug)]
pub struct Tolerant(pub Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for Tolerant {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self
            .0
            .verify_server_cert(certificate, intermediates, name, ocsp, now)
        {
            Err(error) if is_tolerated(&error, certificate) => Ok(ServerCertVerified::assertion()),
            outcome => outcome,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Dates are looked at before anything else: what fails otherwise has not expired.
fn is_tolerated(error: &Error, certificate: &CertificateDer<'_>) -> bool {
    let Error::InvalidCertificate(error) = error else {
        return false;
    };
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => true,
        CertificateError::UnknownIssuer => is_self_signed(certificate),
        // What tools make of themselves is often marked as an authority.
        CertificateError::Other(other) => {
            matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
                && is_self_signed(certificate)
        }
        _ => false,
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let entry = |suffix: Option<&str>, permissions| TlsAllow {
            host: "hook.example".to_owned(),
            suffix: suffix.map(str::to_owned),
            permissions,
            extra: metadata::Extra::new(),
        };
        let any = entry(None, None);
        assert!(tolerates(&any, "hook.example", 443) && tolerates(&any, "HOOK.example", 8443));
        assert!(!tolerates(&any, "a.hook.example", 443) && !tolerates(&any, "hook.example.evil", 443));
        let one = entry(Some("8443"), Some(vec![TlsPermission::SelfSigned]));
        assert!(tolerates(&one, "hook.example", 8443) && !tolerates(&one, "hook.example", 443));
        assert!(!tolerates(&entry(None, Some(Vec::new())), "hook.example", 443));
        assert!(!tolerates(&entry(Some("x"), None), "hook.example", 443));
    }
}
