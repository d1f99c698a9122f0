//! Throws mangled headers, tokens, claims, configurations and hook answers at the crate. Nothing may panic, and nothing
//! that was not signed may come out as somebody.
//!
//! `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.

use std::time::{Duration, Instant};

use auth::location::Location;
use auth::{JwtSecret, KeySet, hook};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

use crate::signing::*;

/// A small generator (xorshift); the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// Cuts, doubles, swaps and overwrites bytes.
    fn mangle(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.next().to_le_bytes()[0]),
                2 => {
                    let piece = bytes[..at].to_vec();
                    bytes.extend_from_slice(&piece);
                }
                3 if at < bytes.len() => bytes[at] = b".\"{}[]:,=;$'\\ \0\xff"[self.below(16)],
                _ if at < bytes.len() => {
                    bytes.remove(at);
                }
                _ => {}
            }
            bytes.truncate(4096);
        }
        bytes
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn rounds(mut round: impl FnMut(&mut Random)) {
    let mut random = Random(setting("ROWLOCK_FUZZ_SEED", 7) | 1);
    let until = Instant::now() + Duration::from_secs(setting("ROWLOCK_FUZZ_SECONDS", 2));
    while Instant::now() < until {
        round(&mut random);
    }
}

#[test]
fn tokens_and_headers() {
    let one = One::hs256(&json!({}));
    let good = token("HS256", &payload(&json!({})), &Signer::hs256());
    let cookie = Location::Cookie("t".to_owned());
    let jar = One::hs256(&json!({"header": {"type": "Cookie", "name": "t"}}));
    rounds(|random| {
        let value = random.mangle(format!("Bearer {good}").as_bytes());
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("authorization"), value)]);
            if let Ok(Some(found)) = one.verifier.find(&headers) {
                let same = found.token == good;
                let told = tell(one.verifier.verify(found, &one.keys, None, NOW));
                assert_eq!(told.starts_with("user"), same, "{told}");
            }
        }
        let value = random.mangle(format!("a=1; t={good}; b=2").as_bytes());
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let headers = HeaderMap::from_iter([(HeaderName::from_static("cookie"), value)]);
            let _ = cookie.find(&headers);
            if let Ok(Some(found)) = jar.verifier.find(&headers) {
                let same = found.token == good;
                let told = tell(jar.verifier.verify(found, &jar.keys, None, NOW));
                assert_eq!(told.starts_with("user"), same, "{told}");
            }
        }
    });
}

#[test]
fn signed_claims() {
    let one = One::hs256(&json!({}));
    let map = One::hs256(&json!({"claims_map": {
        "x-hasura-allowed-roles": {"path": "$['https://hasura.io/jwt/claims']['x-hasura-allowed-roles']"},
        "x-hasura-default-role": {"path": "$.sub"}}}));
    let seed = payload(&json!({})).to_string();
    rounds(|random| {
        let bytes = random.mangle(seed.as_bytes());
        let signed = format!("{}.{}", encode(br#"{"alg":"HS256"}"#), encode(&bytes));
        let token = format!("{signed}.{}", encode(&Signer::hs256().sign(signed.as_bytes())));
        for one in [&one, &map] {
            let told = one.tell(&token, None);
            assert!(!told.contains('\0'));
        }
    });
}

#[test]
fn configurations_keys_and_answers() {
    let configuration = json!({
        "type": "HS256", "key": SECRET, "audience": ["a"], "issuer": "i", "allowed_skew": 5,
        "header": {"type": "Cookie", "name": "n"},
        "claims_map": {"x-hasura-allowed-roles": {"path": "$.a['b'][0]", "default": ["x"]}, "x-hasura-default-role": "x"},
    })
    .to_string();
    let keys =
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "oct", "k": SECRET}]})
            .to_string();
    let answer =
        json!({"X-Hasura-Role": "user", "Cache-Control": "max-age=60", "x-hasura-a": "b"}).to_string();
    rounds(|random| {
        let text = random.mangle(configuration.as_bytes());
        if let Ok(text) = std::str::from_utf8(&text) {
            let _ = JwtSecret::parse(text);
        }
        let pem = random.mangle(RSA_CERTIFICATE.as_bytes());
        if let Ok(pem) = std::str::from_utf8(&pem) {
            let _ = JwtSecret::parse(&json!({"type": "RS256", "key": pem}).to_string());
        }
        let _ = KeySet::of_jwks(&random.mangle(keys.as_bytes()));
        if let Ok(answer) = hook::read(200, &random.mangle(answer.as_bytes()), NOW) {
            assert!(answer.variables.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    });
}
