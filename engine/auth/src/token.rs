//! A token's text → its verified payload: form, signature, times, issuer, audience.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::config::JwtSecret;
use crate::error::Error;
use crate::json;
use crate::key::{KeySet, Verdict};

/// Bytes of a token at most: what is longer is not even looked at.
pub const LONGEST_TOKEN: usize = 64 << 10;

/// Why a payload is not to be had.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The token is refused.
    Refused(Error),
    /// A newer key may have made it.
    UnknownKey,
    /// There are no keys yet.
    NoKeys,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// The parts of a compact token.
struct Compact<'t> {
    algorithm: Algorithm,
    key_id: Option<String>,
    signed: &'t str,
    payload: &'t str,
    signature: &'t str,
}

/// The payload of a token that is good at `now`.
pub(crate) fn verify(token: &str, secret: &JwtSecret, keys: &KeySet, now: f64) -> Result<Value, Failure> {
    let compact = Compact::parse(token)?;
    let verdict = keys.verify(
        compact.algorithm,
        compact.key_id.as_deref(),
        compact.signed.as_bytes(),
        compact.signature,
    );
    match verdict {
        Verdict::Verified => {}
        Verdict::Refused => return Err(bad_signature().into()),
        Verdict::UnknownKey => return Err(Failure::UnknownKey),
        Verdict::Empty => return Err(Failure::NoKeys),
    }
    let payload = payload(compact.payload)?;
    check_claims(&payload, secret, now)?;
    Ok(payload)
}

/// The refusal of a signature that no key made.
pub(crate) fn bad_signature() -> Error {
    Error::unverified("JWSError JWSInvalidSignature")
}

impl<'t> Compact<'t> {
    fn parse(token: &'t str) -> Result<Self, Error> {
        if token.len() > LONGEST_TOKEN {
            return Err(Error::unverified("the token is too long"));
        }
        let parts = token.split('.').count();
        let split = token
            .rsplit_once('.')
            .and_then(|(signed, signature)| Some((signed, signature, signed.split_once('.')?)));
        let Some((signed, signature, (header, payload))) = split.filter(|_| parts == 3) else {
            return Err(Error::unverified(&format!(
                "JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got {parts})"
            )));
        };
        let header = URL_SAFE_NO_PAD
            .decode(header)
            .ok()
            .and_then(|bytes| json::parse(&bytes).ok())
            .ok_or_else(|| {
                Error::unverified("JWSError (JSONDecodeError \"the header is not valid JSON\")")
            })?;
        // Extensions that must be understood are not.
        if header.get("crit").is_some() {
            return Err(Error::unverified("JWSError JWSCritUnprotected"));
        }
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("none") => return Err(Error::unverified("JWSError JWSNoSignatures")),
            Some(name) => Algorithm::parse(name),
            None => None,
        };
        // Keys and addresses of keys in a header (`jwk`, `jku`, `x5c`, `x5u`) are never read: whoever made the token
        // made them too.
        let key_id = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            algorithm: algorithm.ok_or_else(|| {
                Error::unverified("JWSError (JSONDecodeError \"the algorithm is not known\")")
            })?,
            key_id,
            signed,
            payload,
            signature,
        })
    }
}

fn payload(text: &str) -> Result<Value, Error> {
    let undecodable = |reason: &str| Error::unverified(&format!("JWTClaimsSetDecodeError \"{reason}\""));
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| undecodable("the payload is not base64url"))?;
    match json::parse(&bytes) {
        Ok(payload @ Value::Object(_)) => Ok(payload),
        Ok(_) => Err(undecodable("the payload is not an object")),
        Err(reason) => Err(undecodable(reason)),
    }
}

/// The issuer that a token names, whoever made it: only good for choosing the keys that have to verify it.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > LONGEST_TOKEN {
        return None;
    }
    let payload = payload(token.split('.').nth(1)?).ok()?;
    payload.get("iss")?.as_str().map(str::to_owned)
}

fn check_claims(payload: &Value, secret: &JwtSecret, now: f64) -> Result<(), Error> {
    let skew = seconds_of(secret.allowed_skew);
    check_kinds(payload)?;
    let (expires, issued) = (date(payload, "exp")?, date(payload, "iat")?);
    let not_before = date(payload, "nbf")?;
    if expires.is_some_and(|expires| now >= expires + skew) {
        return Err(Error::unverified("JWTExpired"));
    }
    if issued.is_some_and(|issued| issued > now + skew) {
        return Err(Error::unverified("JWTIssuedAtFuture"));
    }
    if not_before.is_some_and(|not_before| now < not_before - skew) {
        return Err(Error::unverified("JWTNotYetValid"));
    }
    // As in Hasura, a claim that is not there is not checked.
    if let (Some(issuer), Some(claimed)) = (&secret.issuer, claim(payload, "iss"))
        && claimed.as_str() != Some(issuer)
    {
        return Err(Error::unverified("JWTNotInIssuer"));
    }
    if let Some(claimed) = claim(payload, "aud") {
        let is_for_nobody = claimed.as_array().is_some_and(Vec::is_empty);
        let is_for_others = |audience: &Vec<String>| !is_for(claimed, audience);
        if is_for_nobody || secret.audience.as_ref().is_some_and(is_for_others) {
            return Err(Error::unverified("JWTNotInAudience"));
        }
    }
    Ok(())
}

/// Claims that RFC 7519 makes texts are texts, whether somebody looks at them or not.
fn check_kinds(payload: &Value) -> Result<(), Error> {
    for (name, type_) in [
        ("iss", "StringOrURI"),
        ("sub", "StringOrURI"),
        ("aud", "StringOrURI"),
        ("jti", "Text"),
    ] {
        let other = match claim(payload, name) {
            Some(Value::Array(items)) if name == "aud" => items.iter().find(|item| !item.is_string()),
            found => found.filter(|found| !found.is_string()),
        };
        if let Some(other) = other {
            return Err(Error::unverified(&format!(
                "JWTClaimsSetDecodeError \"Error in $.{name}: parsing {type_} failed, expected String, but encountered {}\"",
                json::kind(other)
            )));
        }
    }
    Ok(())
}

fn claim<'p>(payload: &'p Value, name: &str) -> Option<&'p Value> {
    payload.get(name).filter(|claimed| !claimed.is_null())
}

fn is_for(claimed: &Value, audience: &[String]) -> bool {
    let known = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| audience.iter().any(|one| one == text))
    };
    match claimed {
        Value::Array(items) => items.iter().any(known),
        single => known(single),
    }
}

/// A time, if the claim is there.
fn date(payload: &Value, claim: &str) -> Result<Option<f64>, Error> {
    match payload.get(claim) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64().filter(|seconds| seconds.is_finite()) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Error::unverified(&format!(
                "JWTClaimsSetDecodeError \"Error in $.{claim}: parsing NumericDate failed, expected Number, but encountered {}\"",
                json::kind(value)
            ))),
        },
    }
}

/// When a verified token ends, with the allowed skew.
pub(crate) fn expires(payload: &Value, secret: &JwtSecret) -> Option<f64> {
    let expires = payload.get("exp")?.as_f64()?;
    Some(expires + seconds_of(secret.allowed_skew))
}

fn seconds_of(seconds: u64) -> f64 {
    // What a configuration may say is in this range, and exact.
    u32::try_from(seconds).map_or(f64::from(u32::MAX), f64::from)
}
