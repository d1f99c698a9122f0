//! Keys that verify: PEM, certificates, JSON web keys, shared secrets; and sets of them.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use p521::ecdsa::signature::Verifier as _;
use serde_json::Value;

use crate::algorithm::{Algorithm, Family};
use crate::{json, provider};

/// Keys of a set at most; a token without a `kid` may have to try them all.
const MOST_KEYS: usize = 100;

/// Bytes of an RSA modulus at least: shorter ones are not verified against.
const LEAST_MODULUS: usize = 256;

/// Characters of a type that is repeated where it is not known: all that there are have fewer than any key.
const LONGEST_TYPE: usize = 8;

/// A key.
#[derive(Debug, Clone)]
pub struct Key {
    id: Option<String>,
    algorithm: Option<Algorithm>,
    family: Family,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Library(DecodingKey),
    P521(Box<p521::ecdsa::VerifyingKey>),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("<REDACTED>")
    }
}

impl Key {
    /// The key of a configuration of this type: `HS256`, `RS256`, … `Ed25519`. The text is a secret, a PEM public key, a
    /// PEM certificate, or a JSON web key.
    ///
    /// # Errors
    /// Why it cannot be used; the message holds nothing of the key.
    pub fn of_type(type_: &str, text: &str) -> Result<Self, String> {
        let algorithm = Algorithm::parse(type_)
            .filter(|_| type_ != "EdDSA")
            .ok_or_else(|| match type_.len() {
                // A key that stands in the place of its type is not repeated.
                0..=LONGEST_TYPE => format!("Key type: {type_} is not supported"),
                _ => "the key type is not supported".to_owned(),
            })?;
        let family = algorithm.family();
        let is_object = text.trim_start().starts_with('{');
        let key = if is_object && let Ok(jwk) = json::parse(text.as_bytes()) {
            Self::of_jwk(&jwk)?
        } else if family == Family::Hmac {
            Self::library(Family::Hmac, DecodingKey::from_secret(text.as_bytes()))
        } else {
            Self::of_pem(family, text)?
        };
        if key.family != family {
            return Err(format!("the key does not fit the type {type_}"));
        }
        let least = algorithm.least_secret();
        if key.secret_length().is_some_and(|length| length < least) {
            return Err(format!(
                "Key size too small; should be at least {least} characters"
            ));
        }
        Ok(key)
    }

    fn library(family: Family, key: DecodingKey) -> Self {
        Self {
            id: None,
            algorithm: None,
            family,
            material: Material::Library(key),
        }
    }

    /// A PEM public key or certificate.
    fn of_pem(family: Family, text: &str) -> Result<Self, String> {
        if text.contains("PRIVATE KEY-----") {
            return Err("the key is a private key; give the public key or the certificate".to_owned());
        }
        let wrong = |_| "the key is neither a PEM public key nor a PEM certificate of this type".to_owned();
        let pem = text.trim().as_bytes();
        match family {
            Family::Rsa => {
                let key = DecodingKey::from_rsa_pem(pem).map_err(wrong)?;
                let length = key.try_get_as_bytes().ok().and_then(modulus_length);
                match length {
                    Some(length) if length >= LEAST_MODULUS => Ok(Self::library(family, key)),
                    Some(_) => Err("RSA keys need 2048 bits at least".to_owned()),
                    None => Err("the RSA key cannot be read".to_owned()),
                }
            }
            Family::Ed25519 => {
                let key = DecodingKey::from_ed_pem(pem).map_err(wrong)?;
                match key.try_get_as_bytes() {
                    Ok(bytes) if bytes.len() == 32 => Ok(Self::library(family, key)),
                    _ => Err("the Ed25519 key cannot be read".to_owned()),
                }
            }
            _ => {
                let key = DecodingKey::from_ec_pem(pem).map_err(wrong)?;
                Self::point(key.try_get_as_bytes().map_err(wrong)?)
            }
        }
    }

    /// An uncompressed point; its length tells the curve.
    fn point(point: &[u8]) -> Result<Self, String> {
        if point.first() != Some(&4) {
            return Err("the point of an EC key must be uncompressed".to_owned());
        }
        match point.len() {
            65 => Ok(Self::library(Family::P256, DecodingKey::from_ec_der(point))),
            97 => Ok(Self::library(Family::P384, DecodingKey::from_ec_der(point))),
            133 => match p521::ecdsa::VerifyingKey::from_sec1_bytes(point) {
                Ok(key) => Ok(Self {
                    id: None,
                    algorithm: None,
                    family: Family::P521,
                    material: Material::P521(Box::new(key)),
                }),
                Err(_) => Err("the EC key is not a point of P-521".to_owned()),
            },
            _ => Err("the EC key is not of P-256, P-384 or P-521".to_owned()),
        }
    }

    /// A JSON web key that verifies signatures.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn of_jwk(jwk: &Value) -> Result<Self, String> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| {
            text(name)
                .and_then(decode)
                .ok_or_else(|| format!("the JWK has no usable {name:?}"))
        };
        if text("use").is_some_and(|used| used != "sig") {
            return Err("the JWK is not for signatures".to_owned());
        }
        let algorithm = match text("alg") {
            None => None,
            Some(name) => Some(Algorithm::parse(name).ok_or("the JWK's algorithm is not supported")?),
        };
        let mut key = match text("kty").unwrap_or_default() {
            "RSA" => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                let n = &n[n.iter().take_while(|byte| **byte == 0).count()..];
                if n.len() < LEAST_MODULUS {
                    return Err("RSA keys need 2048 bits at least".to_owned());
                }
                Self::library(Family::Rsa, DecodingKey::from_rsa_raw_components(n, &e))
            }
            "EC" => {
                let length = match text("crv").unwrap_or_default() {
                    "P-256" => 32,
                    "P-384" => 48,
                    "P-521" => 66,
                    _ => return Err("the JWK's curve is not supported".to_owned()),
                };
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() > length || y.len() > length {
                    return Err("the JWK's point is not of its curve".to_owned());
                }
                let mut point = vec![0; 1 + 2 * length];
                point[0] = 4;
                point[1 + length - x.len()..=length].copy_from_slice(&x);
                point[1 + 2 * length - y.len()..].copy_from_slice(&y);
                Self::point(&point)?
            }
            "OKP" if text("crv") == Some("Ed25519") => {
                let x = bytes("x")?;
                if x.len() != 32 {
                    return Err("the JWK's Ed25519 key cannot be read".to_owned());
                }
                Self::library(Family::Ed25519, DecodingKey::from_ed_der(&x))
            }
            "oct" => {
                let secret = bytes("k")?;
                if secret.len() < Algorithm::Hs256.least_secret() {
                    return Err("Key size too small; should be at least 32 characters".to_owned());
                }
                Self::library(Family::Hmac, DecodingKey::from_secret(&secret))
            }
            _ => return Err("the JWK's type is not supported".to_owned()),
        };
        if algorithm.is_some_and(|algorithm| algorithm.family() != key.family) {
            return Err("the JWK's algorithm does not fit its type".to_owned());
        }
        key.algorithm = algorithm;
        key.id = text("kid").map(str::to_owned);
        Ok(key)
    }

    fn secret_length(&self) -> Option<usize> {
        match (&self.material, self.family) {
            (Material::Library(key), Family::Hmac) => key.try_get_as_bytes().ok().map(<[u8]>::len),
            _ => None,
        }
    }

    /// Whether this key made the signature; never for another family's algorithm, nor for another than the key names.
    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &str) -> bool {
        if algorithm.family() != self.family || self.algorithm.is_some_and(|own| own != algorithm) {
            return false;
        }
        if self
            .secret_length()
            .is_some_and(|length| length < algorithm.least_secret())
        {
            return false;
        }
        match &self.material {
            Material::Library(key) => algorithm.of_library().is_some_and(|algorithm| {
                provider::install();
                jsonwebtoken::crypto::verify(signature, message, key, algorithm).unwrap_or(false)
            }),
            Material::P521(key) => URL_SAFE_NO_PAD
                .decode(signature)
                .ok()
                .and_then(|bytes| p521::ecdsa::Signature::from_slice(&bytes).ok())
                .is_some_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// Base64 of a key: for URLs and without padding, or, as some issuers have it, with the other alphabet or padded.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .or_else(|_| STANDARD.decode(text))
        .ok()
}

/// Bytes of the modulus of a PKCS#1 public key: `SEQUENCE { INTEGER n, … }`.
fn modulus_length(der: &[u8]) -> Option<usize> {
    let (tag, body) = element(der)?;
    let (inner, number) = element(body)?;
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    (tag == 0x30 && inner == 2).then(|| number.len() - zeros)
}

/// Tag and content of the first DER element.
fn element(der: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    Some((*tag, rest.get(..length)?))
}

/// The keys of one secret at one time.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    version: u64,
    /// Its keys are those of another place, until the right ones have come.
    stands_in: bool,
}

/// What a set says to a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A key made it.
    Verified,
    /// No key made it.
    Refused,
    /// No key made it, and none has the token's `kid`, or it has none, or the keys are not the right ones yet: a newer
    /// key may have made it.
    UnknownKey,
    /// There are no keys at all.
    Empty,
}

/// Counts sets, so that each has a version of its own.
static VERSIONS: AtomicU64 = AtomicU64::new(1);

impl KeySet {
    /// Of these keys.
    pub fn new(keys: Vec<Key>) -> Self {
        Self {
            keys,
            version: VERSIONS.fetch_add(1, Ordering::Relaxed),
            stands_in: false,
        }
    }

    /// These keys in the place of others that have not come yet: what they do not verify, the others may.
    #[must_use]
    pub fn standing_in(&self) -> Self {
        Self {
            stands_in: true,
            ..Self::new(self.keys.clone())
        }
    }

    /// Whether its keys are those of another place.
    pub fn stands_in(&self) -> bool {
        self.stands_in
    }

    /// Whether a key of another set is not in this one: what it verified is to be judged again.
    pub fn lacks_any_of(&self, other: &Self) -> bool {
        other.keys.iter().any(|their| !self.keys.contains(their))
    }

    /// Before any are there.
    pub fn empty() -> Self {
        Self::new(Vec::new())
    }

    /// Reads a JWK set (`{"keys":[…]}`); keys that cannot be used are left out and counted.
    ///
    /// # Errors
    /// Text that is no JWK set.
    pub fn of_jwks(text: &[u8]) -> Result<(Self, usize), String> {
        let value = json::parse(text)?;
        let keys = value
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("not a JWK set: it has no list \"keys\"")?;
        let usable: Vec<Key> = keys
            .iter()
            .take(MOST_KEYS)
            .filter_map(|jwk| Key::of_jwk(jwk).ok())
            .collect();
        let skipped = keys.len() - usable.len();
        Ok((Self::new(usable), skipped))
    }

    /// Differs between any two sets of a process.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether both hold the same keys, in the same order.
    pub fn same_keys(&self, other: &Self) -> bool {
        self.keys == other.keys
    }

    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        id: Option<&str>,
        message: &[u8],
        signature: &str,
    ) -> Verdict {
        if self.keys.is_empty() {
            return Verdict::Empty;
        }
        let named = id.is_some_and(|id| self.keys.iter().any(|key| key.id.as_deref() == Some(id)));
        let verified = self
            .keys
            .iter()
            .filter(|key| !named || key.id.as_deref() == id)
            .any(|key| key.verifies(algorithm, message, signature));
        match (verified, named) {
            (true, _) => Verdict::Verified,
            (false, true) if !self.stands_in => Verdict::Refused,
            (false, _) => Verdict::UnknownKey,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let material = match (&self.material, &other.material) {
            (Material::P521(own), Material::P521(their)) => {
                own.to_encoded_point(false) == their.to_encoded_point(false)
            }
            (Material::Library(own), Material::Library(their)) => match (own.kind(), their.kind()) {
                (DecodingKeyKind::SecretOrDer(own), DecodingKeyKind::SecretOrDer(their)) => own == their,
                (
                    DecodingKeyKind::RsaModulusExponent { n, e },
                    DecodingKeyKind::RsaModulusExponent {
                        n: their_n,
                        e: their_e,
                    },
                ) => n == their_n && e == their_e,
                _ => false,
            },
            _ => false,
        };
        material && self.id == other.id && self.family == other.family && self.algorithm == other.algorithm
    }
}

impl Eq for Key {}
