//! An issuer for tests: it signs what it is told, right or wrong.

use auth::{JwtSecret, KeySet, Outcome, Verifier};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use p521::ecdsa::signature::Signer as _;
use p521::pkcs8::DecodePrivateKey as _;
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use ring::{hmac, rand, signature};
use serde_json::{Value, json};

pub const SECRET: &str = "a-secret-of-sixty-four-characters-for-hs512-and-everything-below";
pub const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
pub const RSA_CERTIFICATE: &str = include_str!("keys/rsa.crt.pem");
pub const RSA_SMALL: &str = include_str!("keys/small.pub.pem");
pub const P521_PUBLIC: &str = include_str!("keys/p521.pub.pem");
pub const NOW: f64 = 1_700_000_000.0;

pub enum Signer {
    Hmac(hmac::Algorithm, Vec<u8>),
    Rsa(&'static dyn signature::RsaEncoding, RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    P521(p521::ecdsa::SigningKey),
    Nothing,
}

impl Signer {
    pub fn hs256() -> Self {
        Self::Hmac(hmac::HMAC_SHA256, SECRET.as_bytes().to_vec())
    }

    pub fn rsa(encoding: &'static dyn signature::RsaEncoding) -> Self {
        Self::Rsa(
            encoding,
            RsaKeyPair::from_der(include_bytes!("keys/rsa.der")).unwrap(),
        )
    }

    pub fn ec(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Self {
        let random = rand::SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
    }

    pub fn ed() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&rand::SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub fn p521() -> Self {
        let secret = p521::SecretKey::from_pkcs8_der(include_bytes!("keys/p521.der")).unwrap();
        Self::P521(p521::ecdsa::SigningKey::from_slice(&secret.to_bytes()).unwrap())
    }

    /// The public part of a point key as a PEM text, or as the coordinates of a JWK.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Ec(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ed(pair) => pair.public_key().as_ref().to_vec(),
            _ => Vec::new(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = rand::SystemRandom::new();
        match self {
            Self::Hmac(algorithm, secret) => hmac::sign(&hmac::Key::new(*algorithm, secret), message)
                .as_ref()
                .to_vec(),
            Self::Rsa(encoding, pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Self::Nothing => Vec::new(),
        }
    }
}

/// A token with this header and payload, byte for byte.
pub fn raw(header: &str, payload: &str, signer: &Signer) -> String {
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    let signature = encode(&signer.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

pub fn token(algorithm: &str, payload: &Value, signer: &Signer) -> String {
    raw(
        &json!({"alg": algorithm, "typ": "JWT"}).to_string(),
        &payload.to_string(),
        signer,
    )
}

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A DER SubjectPublicKeyInfo as PEM.
pub fn pem(prefix: &[u8], point: &[u8]) -> String {
    let der = [prefix, point].concat();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    )
}

/// A payload whose claims are good, with others on top.
pub fn payload(more: &Value) -> Value {
    let mut payload = json!({
        "sub": "1",
        "exp": 1_700_000_600,
        "https://hasura.io/jwt/claims": {
            "x-hasura-allowed-roles": ["user", "editor"],
            "x-hasura-default-role": "user",
            "X-Hasura-User-Id": "7",
        },
    });
    for (key, value) in more.as_object().unwrap() {
        payload[key] = value.clone();
    }
    payload
}

/// A verifier of one secret, with its keys.
pub struct One {
    pub verifier: Verifier,
    pub keys: KeySet,
}

impl One {
    pub fn new(secret: &Value) -> Self {
        let secret = JwtSecret::parse(&secret.to_string()).unwrap();
        let keys = secret.own_keys().unwrap_or_else(KeySet::empty);
        Self {
            verifier: Verifier::new(vec![secret]),
            keys,
        }
    }

    pub fn hs256(more: &Value) -> Self {
        let mut secret = json!({"type": "HS256", "key": SECRET});
        for (key, value) in more.as_object().unwrap() {
            secret[key] = value.clone();
        }
        Self::new(&secret)
    }

    /// `role variables`, or the code and message of the refusal.
    pub fn tell(&self, token: &str, role: Option<&str>) -> String {
        self.tell_at(token, role, NOW)
    }

    pub fn tell_at(&self, token: &str, role: Option<&str>, now: f64) -> String {
        let headers = bearer(token);
        match self.verifier.find(&headers) {
            Err(error) => format!("{:?}: {error}", error.code),
            Ok(None) => "no token".to_owned(),
            Ok(Some(found)) => tell(self.verifier.verify(found, &self.keys, role, now)),
        }
    }
}

pub fn tell(outcome: Outcome) -> String {
    match outcome {
        Outcome::Identity(identity) => {
            let variables: Vec<String> = identity
                .variables
                .iter()
                .map(|(name, value)| format!(" {name}={value}"))
                .collect();
            format!("{}{}", identity.role, variables.concat())
        }
        Outcome::Refused(error) | Outcome::UnknownKey(error) => format!("{:?}: {error}", error.code),
        Outcome::NoKeys => "no keys".to_owned(),
    }
}

pub fn bearer(token: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        AUTHORIZATION,
        HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
    )])
}
