//! TLS: `sslmode` and certificates to a rustls client configuration.

use std::sync::Arc;

use pkcs8::der::pem::LineEnding;
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::connect::{Secret, TlsMode, TlsSettings};
use crate::error::ConnectError;

impl TlsMode {
    /// Reads `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`.
    pub fn parse(text: &str) -> Option<TlsMode> {
        Some(match text {
            "disable" => TlsMode::Disable,
            "allow" => TlsMode::Allow,
            "prefer" => TlsMode::Prefer,
            "require" => TlsMode::Require,
            "verify-ca" => TlsMode::VerifyCa,
            "verify-full" => TlsMode::VerifyFull,
            _ => return None,
        })
    }
}

/// How much of the server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Issuer,
    IssuerAndName,
}

/// The client configuration for these settings.
pub(super) fn client_config(settings: &TlsSettings) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(ring::default_provider());
    let check = match settings.mode {
        TlsMode::Disable | TlsMode::Allow | TlsMode::Prefer => Check::Nothing,
        TlsMode::Require if settings.root_certificate.is_some() => Check::Issuer,
        TlsMode::Require => Check::Nothing,
        TlsMode::VerifyCa => Check::Issuer,
        TlsMode::VerifyFull => Check::IssuerAndName,
    };
    let issuers = match check {
        Check::Nothing => None,
        _ => Some(issuers(settings, &provider)?),
    };
    let verifier = Arc::new(Verifier {
        check,
        issuers,
        provider: provider.clone(),
    });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match (&settings.client_certificate, client_key(settings)?) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate, "sslcert")?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
                .map_err(|_| ConnectError::Tls("sslkey is not a PEM private key".to_owned()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| ConnectError::Tls("sslcert and sslkey do not fit together".to_owned()))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(ConnectError::Tls(
            "sslcert and sslkey must be given together".to_owned(),
        )),
    }
}

/// The client's key as PEM that is not encrypted.
pub(super) fn client_key(settings: &TlsSettings) -> Result<Option<Secret>, ConnectError> {
    let Some(key) = &settings.client_key else {
        return Ok(None);
    };
    let pem = key.expose();
    let failed = |message: &str| ConnectError::Tls(message.to_owned());
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(failed(
            "sslkey is encrypted in the old form of OpenSSL; convert it with openssl pkcs8 -topk8 -v2 aes-256-cbc",
        ));
    }
    if !pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        // As libpq, a password that nothing needs is ignored.
        return Ok(Some(key.clone()));
    }
    let password = settings
        .client_key_password
        .as_ref()
        .ok_or_else(|| failed("sslkey is encrypted, and there is no sslpassword"))?;
    // What is before and behind the key in the file is not the parser's.
    let start = pem.find("-----BEGIN ENCRYPTED").unwrap_or_default();
    let (_, document) = SecretDocument::from_pem(pem.get(start..).unwrap_or_default().trim_end())
        .map_err(|_| failed("sslkey is not a PEM private key"))?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes())
        .map_err(|_| failed("sslkey is not an encrypted private key"))?;
    let plain = encrypted
        .decrypt(password.expose())
        .map_err(|_| failed("sslkey cannot be decrypted with sslpassword"))?;
    let pem = plain
        .to_pem("PRIVATE KEY", LineEnding::LF)
        .map_err(|_| failed("sslkey is not an encrypted private key"))?;
    Ok(Some(Secret::new(pem.as_str())))
}

fn certificates(pem: &str, parameter: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(ConnectError::Tls(format!("{parameter} is not a PEM certificate"))),
    }
}

fn issuers(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, ConnectError> {
    let Some(root) = &settings.root_certificate else {
        return Err(ConnectError::Tls(
            "sslmode verify-ca and verify-full need sslrootcert".to_owned(),
        ));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(root, "sslrootcert")? {
        roots
            .add(certificate)
            .map_err(|_| ConnectError::Tls("sslrootcert is not a usable certificate".to_owned()))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| ConnectError::Tls(error.to_string()))
}

/// Checks as much as `sslmode` asks for; signatures always.
#[derive(Debug)]
struct Verifier {
    check: Check,
    issuers: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(issuers) = &self.issuers else {
            return Ok(ServerCertVerified::assertion());
        };
        match issuers.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at after the issuer, so a wrong name means that the issuer was right.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Issuer => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_needs_a_root() {
        let settings = TlsSettings {
            mode: TlsMode::VerifyFull,
            ..TlsSettings::default()
        };
        assert!(matches!(client_config(&settings), Err(ConnectError::Tls(_))));
        assert!(client_config(&TlsSettings::default()).is_ok());
    }

    #[test]
    fn a_bad_key_is_not_repeated() {
        let settings = TlsSettings {
            client_certificate: Some("c".to_owned()),
            client_key: Some(Secret::new("very-secret")),
            ..TlsSettings::default()
        };
        let error = client_config(&settings).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("very-secret"));
    }
}
