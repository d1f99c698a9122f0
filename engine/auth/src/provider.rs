//! `ring` behind `jsonwebtoken`: verification alone, as nothing here signs.

use std::sync::OnceLock;

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::{hmac, signature as ring_signature};

/// Makes `ring` the library's provider; after the first call this does nothing.
pub(crate) fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // If somebody in this process was first, theirs verifies as well.
        let _ = PROVIDER.install_default();
    });
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| Err(unsupported()),
        rsa_pub_components_from_public_key: |_| Err(unsupported()),
        ec_pub_components_from_private_key: |_, _| Err(unsupported()),
        ed_pub_components_from_private_key: |_, _| Err(unsupported()),
        compute_digest: |_, _| Err(unsupported()),
    },
};

fn unsupported() -> Error {
    ErrorKind::UnsupportedAlgorithm.into()
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn jsonwebtoken::crypto::JwtSigner>, Error> {
    Err(unsupported())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(RingVerifier {
        algorithm: *algorithm,
        key: key.clone(),
    }))
}

struct RingVerifier {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match self.algorithm {
            Algorithm::HS256 => self.hmac(hmac::HMAC_SHA256, message, signature),
            Algorithm::HS384 => self.hmac(hmac::HMAC_SHA384, message, signature),
            Algorithm::HS512 => self.hmac(hmac::HMAC_SHA512, message, signature),
            Algorithm::RS256 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
            Algorithm::RS384 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA384, message, signature),
            Algorithm::RS512 => self.rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA512, message, signature),
            Algorithm::PS256 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA256, message, signature),
            Algorithm::PS384 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA384, message, signature),
            Algorithm::PS512 => self.rsa(&ring_signature::RSA_PSS_2048_8192_SHA512, message, signature),
            Algorithm::ES256 => self.point(&ring_signature::ECDSA_P256_SHA256_FIXED, message, signature),
            Algorithm::ES384 => self.point(&ring_signature::ECDSA_P384_SHA384_FIXED, message, signature),
            Algorithm::EdDSA => self.point(&ring_signature::ED25519, message, signature),
            _ => false,
        };
        if verified {
            Ok(())
        } else {
            Err(signature::Error::new())
        }
    }
}

impl RingVerifier {
    fn bytes(&self) -> Option<&[u8]> {
        self.key.try_get_as_bytes().ok()
    }

    fn hmac(&self, algorithm: hmac::Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.bytes().is_some_and(|secret| {
            hmac::verify(&hmac::Key::new(algorithm, secret), message, signature).is_ok()
        })
    }

    fn rsa(
        &self,
        parameters: &'static ring_signature::RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        match self.key.kind() {
            DecodingKeyKind::SecretOrDer(der) => ring_signature::UnparsedPublicKey::new(parameters, der)
                .verify(message, signature)
                .is_ok(),
            DecodingKeyKind::RsaModulusExponent { n, e } => ring_signature::RsaPublicKeyComponents { n, e }
                .verify(parameters, message, signature)
                .is_ok(),
        }
    }

    fn point(
        &self,
        algorithm: &'static dyn ring_signature::VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.bytes().is_some_and(|point| {
            ring_signature::UnparsedPublicKey::new(algorithm, point)
                .verify(message, signature)
                .is_ok()
        })
    }
}
