//! Signature algorithms of tokens.

/// An algorithm of RFC 7518 or RFC 8037 that signs. `none` is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256
    Hs256,
    /// HMAC with SHA-384
    Hs384,
    /// HMAC with SHA-512
    Hs512,
    /// RSA, PKCS#1 v1.5, with SHA-256
    Rs256,
    /// RSA, PKCS#1 v1.5, with SHA-384
    Rs384,
    /// RSA, PKCS#1 v1.5, with SHA-512
    Rs512,
    /// RSA, PSS, with SHA-256
    Ps256,
    /// RSA, PSS, with SHA-384
    Ps384,
    /// RSA, PSS, with SHA-512
    Ps512,
    /// ECDSA on P-256
    Es256,
    /// ECDSA on P-384
    Es384,
    /// ECDSA on P-521
    Es512,
    /// Ed25519
    EdDsa,
}

/// What kind of key an algorithm needs. A key of one family never verifies an algorithm of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A shared secret.
    Hmac,
    /// An RSA public key.
    Rsa,
    /// A point on P-256.
    P256,
    /// A point on P-384.
    P384,
    /// A point on P-521.
    P521,
    /// An Ed25519 public key.
    Ed25519,
}

impl Algorithm {
    /// As a token's header or a JWK's `alg` names it.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "ES512" => Self::Es512,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }

    /// The kind of key it needs.
    pub fn family(self) -> Family {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Hmac,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => Family::Rsa,
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::Es512 => Family::P521,
            Self::EdDsa => Family::Ed25519,
        }
    }

    /// Bytes that a shared secret must have.
    pub(crate) fn least_secret(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
            _ => 0,
        }
    }

    /// The library's name of it; the library has no P-521.
    pub(crate) fn of_library(self) -> Option<jsonwebtoken::Algorithm> {
        use jsonwebtoken::Algorithm as Library;
        Some(match self {
            Self::Hs256 => Library::HS256,
            Self::Hs384 => Library::HS384,
            Self::Hs512 => Library::HS512,
            Self::Rs256 => Library::RS256,
            Self::Rs384 => Library::RS384,
            Self::Rs512 => Library::RS512,
            Self::Ps256 => Library::PS256,
            Self::Ps384 => Library::PS384,
            Self::Ps512 => Library::PS512,
            Self::Es256 => Library::ES256,
            Self::Es384 => Library::ES384,
            Self::EdDsa => Library::EdDSA,
            Self::Es512 => return None,
        })
    }
}
