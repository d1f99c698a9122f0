//! Good tokens of every kind, and the words of every refusal.

use auth::{JwtSecret, KeySet, Verifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature;
use serde_json::{Value, json};

use crate::signing::*;

const GOOD: &str = "user x-hasura-user-id=7";

#[test]
fn shared_secrets() {
    for (algorithm, ring) in [
        ("HS256", ring::hmac::HMAC_SHA256),
        ("HS384", ring::hmac::HMAC_SHA384),
        ("HS512", ring::hmac::HMAC_SHA512),
    ] {
        let one = One::new(&json!({"type": algorithm, "key": SECRET}));
        let signer = Signer::Hmac(ring, SECRET.as_bytes().to_vec());
        assert_eq!(
            one.tell(&token(algorithm, &payload(&json!({})), &signer), None),
            GOOD,
            "{algorithm}"
        );
    }
}

#[test]
fn rsa_keys_and_certificates() {
    for (algorithm, encoding) in [
        (
            "RS256",
            &signature::RSA_PKCS1_SHA256 as &'static dyn signature::RsaEncoding,
        ),
        ("RS384", &signature::RSA_PKCS1_SHA384),
        ("RS512", &signature::RSA_PKCS1_SHA512),
        ("PS256", &signature::RSA_PSS_SHA256),
        ("PS384", &signature::RSA_PSS_SHA384),
        ("PS512", &signature::RSA_PSS_SHA512),
    ] {
        let token = token(algorithm, &payload(&json!({})), &Signer::rsa(encoding));
        for key in [RSA_PUBLIC, RSA_CERTIFICATE] {
            let one = One::new(&json!({"type": "RS256", "key": key}));
            assert_eq!(one.tell(&token, None), GOOD, "{algorithm}");
        }
    }
}

#[test]
fn points() {
    const P256: &[u8] = &[
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    const ED: &[u8] = &[
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
    ];
    let signer = Signer::ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING);
    let one = One::new(&json!({"type": "ES256", "key": pem(P256, &signer.public())}));
    assert_eq!(
        one.tell(&token("ES256", &payload(&json!({})), &signer), None),
        GOOD
    );
    let signer = Signer::ed();
    let one = One::new(&json!({"type": "Ed25519", "key": pem(ED, &signer.public())}));
    assert_eq!(
        one.tell(&token("EdDSA", &payload(&json!({})), &signer), None),
        GOOD
    );
    let one = One::new(&json!({"type": "ES512", "key": P521_PUBLIC}));
    let good = token("ES512", &payload(&json!({})), &Signer::p521());
    assert_eq!(one.tell(&good, None), GOOD);
    let bent = token("ES512", &payload(&json!({"sub": "2"})), &Signer::p521());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, other) = bent.rsplit_once('.').unwrap();
    assert_eq!(
        one.tell(&format!("{signed}.{other}"), None),
        "InvalidJwt: Could not verify JWT: JWSError JWSInvalidSignature"
    );
}

#[test]
fn json_web_keys() {
    let signer = Signer::ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING);
    let point = signer.public();
    let jwk = json!({
        "kty": "EC", "crv": "P-384", "kid": "k", "use": "sig", "alg": "ES384",
        "x": encode(&point[1..49]), "y": encode(&point[49..]),
    });
    let good = token("ES384", &payload(&json!({})), &signer);
    for key in [jwk.clone(), Value::String(jwk.to_string())] {
        let one = One::new(&json!({"type": "ES384", "key": key}));
        assert_eq!(one.tell(&good, None), GOOD);
    }
    let (keys, skipped) = KeySet::of_jwks(
        json!({"keys": [{"kty": "EC", "crv": "P-384"}, 7, {"kty": "RSA", "use": "enc"}, jwk, {"kty": "other"}]})
            .to_string()
            .as_bytes(),
    )
    .unwrap();
    assert_eq!((keys.len(), skipped), (1, 4));
    let mut one = One::new(&json!({"type": "RS256", "jwk_url": "https://issuer.example/keys"}));
    assert_eq!(one.tell(&good, None), "no keys");
    one.keys = keys;
    assert_eq!(one.tell(&good, None), GOOD);
    // A kid that the set does not have: every key is tried.
    let named = raw(
        r#"{"alg":"ES384","kid":"other"}"#,
        &payload(&json!({})).to_string(),
        &signer,
    );
    assert_eq!(one.tell(&named, None), GOOD);
    assert!(KeySet::of_jwks(b"[]").is_err());
    // As some issuers write numbers: the other alphabet, padded.
    let mut padded = jwk;
    padded["x"] = json!(STANDARD.encode(&point[1..49]));
    padded["y"] = json!(STANDARD.encode(&point[49..]));
    one.keys = KeySet::of_jwks(json!({"keys": [padded]}).to_string().as_bytes())
        .unwrap()
        .0;
    assert_eq!(one.tell(&good, None), GOOD);
}

#[test]
fn roles() {
    let one = One::hs256(&json!({}));
    let tell = |claims: Value, role| {
        let payload = payload(&json!({"https://hasura.io/jwt/claims": claims}));
        one.tell(&token("HS256", &payload, &Signer::hs256()), role)
    };
    let good = json!({"x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user"});
    assert_eq!(tell(good.clone(), None), "user");
    assert_eq!(tell(good.clone(), Some("editor")), "editor");
    let refused = "AccessDenied: Your requested role is not in allowed roles";
    assert_eq!(tell(good.clone(), Some("admin")), refused);
    assert_eq!(tell(good, Some("User")), refused);
    assert_eq!(
        tell(
            json!({"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": "b"}),
            None
        ),
        refused
    );
    assert_eq!(
        tell(json!({"x-hasura-default-role": "b"}), None),
        "JwtMissingRoleClaims: JWT claim does not contain \"x-hasura-allowed-roles\""
    );
    assert_eq!(
        tell(json!({"x-hasura-allowed-roles": ["b"]}), None),
        "JwtMissingRoleClaims: JWT claim does not contain \"x-hasura-default-role\""
    );
    assert_eq!(
        tell(
            json!({"x-hasura-allowed-roles": "b", "x-hasura-default-role": "b"}),
            None
        ),
        "JwtInvalidClaims: invalid \"x-hasura-allowed-roles\"; should be a list of roles: parsing [] failed, expected Array, but encountered String"
    );
    assert!(
        tell(
            json!({"x-hasura-allowed-roles": ["b"], "x-hasura-default-role": 1}),
            None
        )
        .ends_with(
            ": invalid \"x-hasura-default-role\"; should be a single role name: parsing String failed, expected String, but \
             encountered Number"
        )
    );
    assert_eq!(
        tell(
            json!({"x-hasura-allowed-roles": ["b"], "x-hasura-default-role": "b", "x-hasura-n": 1}),
            None
        ),
        "JwtInvalidClaims: x-hasura-* claims: parsing Text failed, expected String, but encountered Number"
    );
    // Whose role is not theirs learns nothing of other claims.
    assert_eq!(
        tell(
            json!({"x-hasura-allowed-roles": ["b"], "x-hasura-default-role": "b", "x-hasura-n": 1}),
            Some("c")
        ),
        refused
    );
    assert_eq!(
        tell(
            json!({"x-hasura-allowed-roles": ["b"], "x-hasura-default-role": "b", "x-hasura-role": "z", "n": 1,
                   "x-hasura-admin-secret": "s"}),
            None
        ),
        "b"
    );
}

#[test]
fn namespaces() {
    let claims = json!({"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": "a"});
    let tell = |configuration: Value, payload: Value| {
        One::hs256(&configuration).tell(&token("HS256", &payload, &Signer::hs256()), None)
    };
    assert_eq!(
        tell(json!({}), json!({})),
        "JwtInvalidClaims: claims key: 'https://hasura.io/jwt/claims' not found"
    );
    assert_eq!(tell(json!({"claims_namespace": "n"}), json!({"n": claims})), "a");
    let path = json!({"claims_namespace_path": "$.a.b"});
    assert_eq!(tell(path.clone(), json!({"a": {"b": claims}})), "a");
    assert_eq!(
        tell(path, json!({"a": {}})),
        "JwtInvalidClaims: claims not found at claims_namespace_path: '$.a.b'"
    );
    assert_eq!(tell(json!({"claims_namespace_path": "$"}), claims.clone()), "a");
    let text = json!({"claims_namespace": "n", "claims_format": "stringified_json"});
    assert_eq!(tell(text.clone(), json!({"n": claims.to_string()})), "a");
    assert_eq!(
        tell(text.clone(), json!({"n": claims})),
        "JwtInvalidClaims: expecting a string when claims_format is stringified_json"
    );
    assert!(tell(text, json!({"n": "{"})).starts_with("JwtInvalidClaims: expecting stringified json at: "));
    assert_eq!(
        tell(json!({"claims_namespace": "n"}), json!({"n": claims.to_string()})),
        "JwtInvalidClaims: expecting a json object when claims_format is json"
    );
}

#[test]
fn claims_maps() {
    let map = json!({"claims_map": {
        "x-hasura-allowed-roles": {"path": "$.realm.roles"},
        "x-hasura-default-role": {"path": "$.realm.first", "default": "user"},
        "x-hasura-user-id": {"path": "$.sub"},
        "x-hasura-org": {"path": "$.org", "default": "none"},
        "x-hasura-fixed": "f",
    }});
    let one = One::hs256(&map);
    let tell = |payload: Value| one.tell(&token("HS256", &payload, &Signer::hs256()), None);
    assert_eq!(
        tell(json!({"sub": "7", "realm": {"roles": ["user"]}})),
        "user x-hasura-fixed=f x-hasura-org=none x-hasura-user-id=7"
    );
    assert_eq!(
        tell(json!({"sub": "7", "org": "o", "realm": {"roles": ["x"], "first": "x"}})),
        "x x-hasura-fixed=f x-hasura-org=o x-hasura-user-id=7"
    );
    assert_eq!(
        tell(json!({"realm": {"roles": ["user"]}})),
        "JwtInvalidClaims: JWT claim from claims_map, \"x-hasura-user-id\" not found"
    );
    assert_eq!(
        tell(json!({"sub": "7"})),
        "JwtMissingRoleClaims: JWT claim does not contain \"x-hasura-allowed-roles\""
    );
    let literal = One::hs256(&json!({"claims_map": {
        "x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user"}}));
    assert_eq!(
        literal.tell(&token("HS256", &json!({}), &Signer::hs256()), Some("editor")),
        "editor"
    );
}

#[test]
fn times_with_skew() {
    let one = One::hs256(&json!({"allowed_skew": 60}));
    let strict = One::hs256(&json!({}));
    let at =
        |claim: &str, offset: f64| token("HS256", &payload(&json!({claim: NOW + offset})), &Signer::hs256());
    let expired = "InvalidJwt: Could not verify JWT: JWTExpired";
    assert_eq!(strict.tell(&at("exp", 1.0), None), GOOD);
    assert_eq!(strict.tell(&at("exp", 0.0), None), expired);
    assert_eq!(one.tell(&at("exp", -59.0), None), GOOD);
    assert_eq!(one.tell(&at("exp", -61.0), None), expired);
    assert_eq!(
        strict.tell(&at("nbf", 1.0), None),
        "InvalidJwt: Could not verify JWT: JWTNotYetValid"
    );
    assert_eq!(one.tell(&at("nbf", 59.0), None), GOOD);
    assert_eq!(
        strict.tell(&at("iat", 1.0), None),
        "InvalidJwt: Could not verify JWT: JWTIssuedAtFuture"
    );
    let never = json!({"https://hasura.io/jwt/claims": payload(&json!({}))["https://hasura.io/jwt/claims"]});
    assert_eq!(strict.tell(&token("HS256", &never, &Signer::hs256()), None), GOOD);
    let null = token(
        "HS256",
        &payload(&json!({"exp": null, "iat": null, "nbf": null})),
        &Signer::hs256(),
    );
    assert_eq!(strict.tell(&null, None), GOOD);
    let text = token("HS256", &payload(&json!({"exp": "never"})), &Signer::hs256());
    assert!(
        strict
            .tell(&text, None)
            .contains("parsing NumericDate failed, expected Number")
    );
}

#[test]
fn kept_tokens_end_and_belong_to_their_keys() {
    let mut one = One::hs256(&json!({}));
    let token = token("HS256", &payload(&json!({})), &Signer::hs256());
    for _ in 0..3 {
        assert_eq!(one.tell(&token, None), GOOD);
        assert_eq!(one.tell(&token, Some("editor")), "editor x-hasura-user-id=7");
    }
    assert!(one.tell_at(&token, None, NOW + 600.0).ends_with("JWTExpired"));
    assert!(one.tell_at(&token, None, NOW + 600.0).ends_with("JWTExpired"));
    assert_eq!(one.tell(&token, None), GOOD);
    one.keys = One::new(&json!({"type": "HS256", "key": SECRET.replace("a-", "b-")})).keys;
    assert!(one.tell(&token, None).ends_with("JWSInvalidSignature"));
}

#[test]
fn audience_and_issuer() {
    let signer = Signer::hs256();
    let tell = |configuration: Value, more: Value| {
        One::hs256(&configuration).tell(&token("HS256", &payload(&more), &signer), None)
    };
    let outside = "InvalidJwt: Could not verify JWT: JWTNotInAudience";
    for configured in [json!("mine"), json!(["other", "mine"])] {
        let configuration = json!({"audience": configured});
        assert_eq!(tell(configuration.clone(), json!({"aud": "mine"})), GOOD);
        assert_eq!(tell(configuration.clone(), json!({"aud": ["x", "mine"]})), GOOD);
        assert_eq!(tell(configuration.clone(), json!({"aud": "Mine"})), outside);
        assert_eq!(tell(configuration.clone(), json!({"aud": []})), outside);
        assert_eq!(tell(configuration.clone(), json!({})), GOOD);
        assert_eq!(tell(configuration, json!({"aud": null})), GOOD);
    }
    let configuration = json!({"issuer": "https://issuer.example/"});
    let stranger = "InvalidJwt: Could not verify JWT: JWTNotInIssuer";
    assert_eq!(
        tell(configuration.clone(), json!({"iss": "https://issuer.example/"})),
        GOOD
    );
    assert_eq!(
        tell(configuration.clone(), json!({"iss": "https://issuer.example"})),
        stranger
    );
    assert_eq!(tell(configuration, json!({})), GOOD);
    assert_eq!(tell(json!({}), json!({"iss": "any", "aud": "any"})), GOOD);
    assert_eq!(tell(json!({}), json!({"aud": []})), outside, "for nobody");
}

#[test]
fn registered_claims_are_texts() {
    let signer = Signer::hs256();
    let tell = |configuration: &Value, more: Value| {
        One::hs256(configuration).tell(&token("HS256", &payload(&more), &signer), None)
    };
    for (claim, value, reason) in [
        (
            "iss",
            json!(1),
            "StringOrURI failed, expected String, but encountered Number",
        ),
        (
            "sub",
            json!({}),
            "StringOrURI failed, expected String, but encountered Object",
        ),
        (
            "aud",
            json!(true),
            "StringOrURI failed, expected String, but encountered Boolean",
        ),
        (
            "aud",
            json!(["x", 1]),
            "StringOrURI failed, expected String, but encountered Number",
        ),
        (
            "jti",
            json!(["x"]),
            "Text failed, expected String, but encountered Array",
        ),
    ] {
        let told = format!(
            "InvalidJwt: Could not verify JWT: JWTClaimsSetDecodeError \"Error in $.{claim}: parsing {reason}\""
        );
        // Whether somebody looks at it or not.
        for configuration in [json!({}), json!({"issuer": "x", "audience": "x"})] {
            assert_eq!(tell(&configuration, json!({claim: value})), told);
            assert_eq!(tell(&configuration, json!({claim: null})), GOOD);
        }
    }
    // A role of the token's own says nothing, but is a variable like all others.
    let claims = |role: Value| {
        json!({"https://hasura.io/jwt/claims": {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user",
            "x-hasura-user-id": "7", "x-hasura-role": role}})
    };
    assert_eq!(tell(&json!({}), claims(json!("admin"))), GOOD);
    assert_eq!(
        tell(&json!({}), claims(json!(1))),
        "JwtInvalidClaims: x-hasura-* claims: parsing Text failed, expected String, but encountered Number"
    );
}

#[test]
fn an_issuer_is_compared_before_the_signature() {
    let one = One::hs256(&json!({"issuer": "mine"}));
    let forged = token(
        "HS256",
        &payload(&json!({"iss": "theirs"})),
        &Signer::Hmac(ring::hmac::HMAC_SHA256, vec![7; 32]),
    );
    assert_eq!(
        one.tell(&forged, None),
        "InvalidJwt: Could not verify JWT: JWTNotInIssuer"
    );
}

#[test]
fn two_tokens_are_ambiguous() {
    for (configuration, name) in [
        (json!({}), "authorization"),
        (json!({"header": {"type": "cookie", "name": "t"}}), "cookie"),
        (
            json!({"header": {"type": "CustomHeader", "name": "X-Token"}}),
            "x-token",
        ),
    ] {
        let one = One::hs256(&configuration);
        let token = token("HS256", &payload(&json!({})), &Signer::hs256());
        let value = match name {
            "authorization" => format!("Bearer {token}"),
            "cookie" => format!("t={token}"),
            _ => token,
        };
        let mut headers = http::HeaderMap::new();
        headers.append(name, value.parse().unwrap());
        assert!(one.verifier.find(&headers).unwrap().is_some());
        headers.append(name, value.parse().unwrap());
        let error = one.verifier.find(&headers).unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (
                auth::Code::InvalidHeaders,
                "Could not verify JWT: Multiple JWTs found"
            )
        );
    }
}

#[test]
fn an_old_and_a_new_key_at_the_same_time() {
    let other = SECRET.replace("a-", "b-");
    let list = |issuer: &str| {
        let text = json!([
            {"type": "HS256", "key": SECRET, "issuer": "one"},
            {"type": "HS512", "key": other, "issuer": issuer},
        ]);
        JwtSecret::merged(JwtSecret::parse_list(&text.to_string()).unwrap())
    };
    assert_eq!(list("two").len(), 2, "another issuer is another secret");
    let merged = list("one");
    assert_eq!(merged.len(), 1);
    let one = One {
        keys: merged[0].own_keys().unwrap(),
        verifier: Verifier::new(merged),
    };
    let second = Signer::Hmac(ring::hmac::HMAC_SHA256, other.clone().into_bytes());
    for signer in [Signer::hs256(), second] {
        assert_eq!(
            one.tell(&token("HS256", &payload(&json!({})), &signer), None),
            GOOD
        );
    }
    let stranger = Signer::Hmac(ring::hmac::HMAC_SHA256, SECRET.replace("a-", "c-").into_bytes());
    assert!(
        one.tell(&token("HS256", &payload(&json!({})), &stranger), None)
            .ends_with("JWSInvalidSignature")
    );
}

#[test]
fn several_secrets_by_place_and_issuer() {
    let other = SECRET.replace("a-", "b-");
    let secrets = JwtSecret::parse_list(
        &json!([
            {"type": "HS256", "key": SECRET, "issuer": "one"},
            {"type": "HS256", "key": other, "issuer": "two"},
            {"type": "HS256", "key": SECRET, "header": {"type": "Cookie", "name": "t"}},
        ])
        .to_string(),
    )
    .unwrap();
    let keys: Vec<KeySet> = secrets.iter().map(|secret| secret.own_keys().unwrap()).collect();
    let verifier = Verifier::new(secrets);
    let tell_headers = |headers: &http::HeaderMap| match verifier.find(headers) {
        Ok(Some(found)) => {
            format!(
                "{}: {}",
                found.secret,
                tell(verifier.verify(found, &keys[found.secret], None, NOW))
            )
        }
        Ok(None) => "no token".to_owned(),
        Err(error) => error.to_string(),
    };
    let second = Signer::Hmac(ring::hmac::HMAC_SHA256, other.into_bytes());
    let of = |issuer: &str, signer: &Signer| token("HS256", &payload(&json!({"iss": issuer})), signer);
    assert_eq!(
        tell_headers(&bearer(&of("one", &Signer::hs256()))),
        format!("0: {GOOD}")
    );
    assert_eq!(tell_headers(&bearer(&of("two", &second))), format!("1: {GOOD}"));
    // One that names no issuer could be anybody's.
    let unnamed = token("HS256", &payload(&json!({})), &second);
    assert_eq!(
        tell_headers(&bearer(&unnamed)),
        "Could not verify JWT: Multiple JWTs found"
    );
    assert!(tell_headers(&bearer(&of("two", &Signer::hs256()))).ends_with("JWSInvalidSignature"));
    assert_eq!(
        tell_headers(&bearer(&of("three", &second))),
        "Could not verify JWT: JWTNotInIssuer"
    );
    let mut both = bearer(&of("one", &Signer::hs256()));
    let cookie = format!("t={}", of("x", &Signer::hs256()));
    both.insert("cookie", cookie.parse().unwrap());
    assert_eq!(tell_headers(&both), "Could not verify JWT: Multiple JWTs found");
    both.remove("authorization");
    assert_eq!(tell_headers(&both), format!("2: {GOOD}"));
}
