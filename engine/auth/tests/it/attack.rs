//! Tokens that somebody made to get in. Each is refused, and no refusal tells what the token held.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::signing::*;

fn claims() -> String {
    payload(&json!({})).to_string()
}

fn refused(one: &One, token: &str) -> String {
    let told = one.tell(token, None);
    assert!(
        told.starts_with("InvalidJwt: ") || told.starts_with("JwtInvalidClaims: "),
        "{told}"
    );
    assert!(!told.contains("x-hasura-user-id=7"));
    told
}

#[test]
fn no_signature() {
    let one = One::hs256(&json!({}));
    for name in ["none", "None", "NONE", "nOnE", "", "HS1", "HS256 "] {
        let header = json!({"alg": name}).to_string();
        refused(&one, &raw(&header, &claims(), &Signer::Nothing));
        refused(&one, &raw(&header, &claims(), &Signer::hs256()));
    }
    for header in [
        "{}",
        "[]",
        "1",
        "\"HS256\"",
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        "{",
    ] {
        refused(&one, &raw(header, &claims(), &Signer::hs256()));
    }
    assert_eq!(
        refused(&one, &raw(r#"{"alg":"HS256"}"#, &claims(), &Signer::Nothing)),
        "InvalidJwt: Could not verify JWT: JWSError JWSInvalidSignature"
    );
}

#[test]
fn the_public_key_as_a_shared_secret() {
    let one = One::new(&json!({"type": "RS256", "key": RSA_PUBLIC}));
    let der = {
        let inner: String = RSA_PUBLIC
            .lines()
            .filter(|line| !line.starts_with("---"))
            .collect();
        base64::engine::general_purpose::STANDARD.decode(inner).unwrap()
    };
    for secret in [
        RSA_PUBLIC.as_bytes().to_vec(),
        RSA_PUBLIC.trim().as_bytes().to_vec(),
        der,
        Vec::new(),
    ] {
        for algorithm in ["HS256", "RS256"] {
            let signer = Signer::Hmac(ring::hmac::HMAC_SHA256, secret.clone());
            refused(&one, &token(algorithm, &payload(&json!({})), &signer));
        }
    }
}

#[test]
fn keys_within_the_token() {
    let one = One::new(&json!({"type": "RS256", "key": RSA_PUBLIC}));
    let signer = Signer::ec(&ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    let point = signer.public();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])});
    for extra in [
        json!({"jwk": jwk}),
        json!({"jku": "https://evil.example/keys"}),
        json!({"x5u": "https://evil.example/cert"}),
        json!({"x5c": ["MIIB"]}),
        json!({"kid": "../../../../dev/null"}),
        json!({"kid": "' or 1=1 --"}),
        json!({"kid": {"$ne": null}}),
        json!({"kid": "x".repeat(10_000)}),
        json!({"crit": ["exp"]}),
        json!({"crit": ["b64"], "b64": false}),
    ] {
        for algorithm in ["ES256", "RS256", "HS256"] {
            let mut header = extra.clone();
            header["alg"] = json!(algorithm);
            refused(&one, &raw(&header.to_string(), &claims(), &signer));
        }
    }
}

#[test]
fn said_twice() {
    let one = One::hs256(&json!({}));
    let signer = Signer::hs256();
    refused(&one, &raw(r#"{"alg":"HS256","alg":"none"}"#, &claims(), &signer));
    let twice = r#"{"https://hasura.io/jwt/claims":{"x-hasura-default-role":"a","x-hasura-allowed-roles":["a"]},
        "https://hasura.io/jwt/claims":{"x-hasura-default-role":"admin","x-hasura-allowed-roles":["admin"]}}"#;
    refused(&one, &raw(r#"{"alg":"HS256"}"#, twice, &signer));
    for (first, second) in [
        ("x-hasura-user-id", "x-hasura-user-id"),
        ("x-hasura-user-id", "X-Hasura-User-Id"),
        ("x-hasura-allowed-roles", "X-HASURA-ALLOWED-ROLES"),
    ] {
        let payload = format!(
            r#"{{"https://hasura.io/jwt/claims":{{"x-hasura-default-role":"a","x-hasura-allowed-roles":["a"],
                "{first}":"1","{second}":"2"}}}}"#
        );
        refused(&one, &raw(r#"{"alg":"HS256"}"#, &payload, &signer));
    }
}

#[test]
fn letters_that_only_look_alike_are_no_session_variables() {
    let one = One::hs256(&json!({}));
    let mut claims = payload(&json!({}));
    claims["https://hasura.io/jwt/claims"]["x-haſura-user-id"] = json!("8");
    claims["https://hasura.io/jwt/claims"]["х-hasura-user-id"] = json!("9");
    let token = token("HS256", &claims, &Signer::hs256());
    assert_eq!(one.tell(&token, None), "user x-hasura-user-id=7");
}

#[test]
fn bytes_that_postgres_cannot_hold() {
    let one = One::hs256(&json!({}));
    let mut claims = payload(&json!({}));
    claims["https://hasura.io/jwt/claims"]["x-hasura-user-id"] = json!("7\u{0}8");
    claims["https://hasura.io/jwt/claims"]
        .as_object_mut()
        .unwrap()
        .shift_remove("X-Hasura-User-Id");
    refused(&one, &token("HS256", &claims, &Signer::hs256()));
    let signed = format!("{}.{}", encode(br#"{"alg":"HS256"}"#), encode(b"{\"\xff\":1}"));
    let signature = encode(&Signer::hs256().sign(signed.as_bytes()));
    refused(&one, &format!("{signed}.{signature}"));
}

#[test]
fn forms() {
    let one = One::hs256(&json!({}));
    let good = token("HS256", &payload(&json!({})), &Signer::hs256());
    assert!(one.tell(&good, None).starts_with("user"));
    let parts: Vec<&str> = good.split('.').collect();
    for wrong in [
        String::from("x"),
        String::from(".."),
        String::from("."),
        format!("{good}."),
        format!("{good}.{}", parts[2]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}="),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{}.{}.{}A", parts[0], parts[1], parts[2]),
        good.replace('.', "%2e"),
    ] {
        refused(&one, &wrong);
    }
    assert_eq!(
        refused(&one, "x"),
        "InvalidJwt: Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 1)"
    );
}

#[test]
fn sizes() {
    let one = One::hs256(&json!({}));
    let long = token(
        "HS256",
        &payload(&json!({"pad": "x".repeat(100_000)})),
        &Signer::hs256(),
    );
    refused(&one, &long);
    refused(&one, &"a.".repeat(30_000));
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    refused(&one, &raw(r#"{"alg":"HS256"}"#, &deep, &Signer::hs256()));
    let mut many = payload(&json!({}));
    for at in 0..2000 {
        many["https://hasura.io/jwt/claims"][format!("x-hasura-{at}")] = json!("");
    }
    refused(&one, &token("HS256", &many, &Signer::hs256()));
    let bit = {
        let good = token("HS256", &payload(&json!({})), &Signer::hs256());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[0] ^= 1;
        format!("{signed}.{}", encode(&bytes))
    };
    refused(&one, &bit);
}
