//! Configurations as people write them, and what is said against wrong ones.

use auth::{JwtSecret, KeySource};
use serde_json::{Value, json};

use crate::signing::{P521_PUBLIC, RSA_PUBLIC, RSA_SMALL, SECRET};

fn refused(secret: &Value) -> String {
    let error = JwtSecret::parse(&secret.to_string()).unwrap_err().to_string();
    assert!(!error.contains(SECRET), "a message must not hold the key");
    error
}

#[test]
fn what_providers_document() {
    let auth0 = json!({"jwk_url": "https://example.auth0.com/.well-known/jwks.json"});
    let firebase = json!({
        "type": "RS256",
        "jwk_url": "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
        "audience": "project",
        "issuer": "https://securetoken.google.com/project",
    });
    for secret in [auth0, firebase] {
        let secret = JwtSecret::parse(&secret.to_string()).unwrap();
        assert!(matches!(secret.keys, KeySource::Url(_)));
    }
    // The product guide's.
    JwtSecret::parse(r#"{"type":"HS256","key":"super-secret-jwt-signing-key-min-32-chars"}"#).unwrap();
}

#[test]
fn what_is_told_of_it() {
    let secret = json!({"type": "HS256", "key": SECRET, "claims_namespace_path": "$.a"});
    let told = JwtSecret::parse(&secret.to_string()).unwrap().describe();
    assert_eq!(
        told,
        json!({"claims_namespace": "$.a", "claims_format": "json", "claims_map": null})
    );
}

#[test]
fn what_is_told_of_a_map() {
    let map = json!({"x-hasura-allowed-roles": {"path": "$.a", "default": ["user"]}, "x-hasura-default-role": "user",
        "x-hasura-user-id": {"path": "$.sub"}});
    let secret = json!({"type": "HS256", "key": SECRET, "claims_map": map});
    let told = JwtSecret::parse(&secret.to_string()).unwrap().describe();
    assert_eq!(told["claims_map"], map);
}

#[test]
fn a_skew_may_have_parts_of_a_second() {
    for (skew, seconds) in [
        (json!(0), 0),
        (json!(60), 60),
        (json!(60.0), 60),
        (json!(1.5), 2),
        (json!(172_800), 172_800),
        (json!(null), 0),
    ] {
        let secret = json!({"type": "HS256", "key": SECRET, "allowed_skew": skew});
        assert_eq!(
            JwtSecret::parse(&secret.to_string()).unwrap().allowed_skew,
            seconds
        );
    }
}

/// As in Hasura they do not matter; whoever reads the configuration is told of them.
#[test]
fn keys_that_mean_nothing() {
    let secret = json!({"type": "HS256", "key": SECRET, "audiences": "x", "header": {"type": "Authorization", "kind": 1},
        "claims_map": {"x-hasura-allowed-roles": {"path": "$.a", "defaults": []}, "x-hasura-default-role": "user"}});
    let ignored = |secret: &Value| JwtSecret::parse(&secret.to_string()).unwrap().ignored;
    let mut told = ignored(&secret);
    told.sort();
    assert_eq!(
        told,
        [
            "audiences",
            "claims_map.x-hasura-allowed-roles.defaults",
            "header.kind"
        ]
    );
    let plain = json!({"type": "HS256", "key": SECRET, "header": "Authorization"});
    assert_eq!(ignored(&plain), <[String; 0]>::default());
    let list = json!([plain, {"type": "HS256", "key": SECRET, "audiences": "x"}]);
    let list = JwtSecret::parse_list(&list.to_string()).unwrap();
    assert_eq!(list[1].ignored, ["[1].audiences"]);
    // They make no other secret of it.
    assert_eq!(JwtSecret::merged(list).len(), 1);
}

#[test]
fn wrong_ones() {
    let with = |key: &str, value: Value| {
        let mut secret = json!({"type": "HS256", "key": SECRET});
        secret[key] = value;
        refused(&secret)
    };
    assert_eq!(
        refused(&json!({"type": "HS256", "key": "short"})),
        "Key size too small; should be at least 32 characters"
    );
    assert_eq!(
        refused(&json!({"type": "HS512", "key": &SECRET[..63]})),
        "Key size too small; should be at least 64 characters"
    );
    assert_eq!(refused(&json!({})), "key and jwk_url both cannot be empty");
    assert_eq!(
        with("jwk_url", json!("https://x")),
        "key, jwk_url both cannot be present"
    );
    assert_eq!(with("type", json!("none")), "Key type: none is not supported");
    assert_eq!(with("type", json!(SECRET)), "the key type is not supported");
    assert_eq!(refused(&json!({"key": SECRET})), "the key \"type\" is missing");
    assert!(with("audience", json!(1)).starts_with("audience must be"));
    for skew in [json!(-1), json!(1e300), json!("60")] {
        assert!(with("allowed_skew", skew).starts_with("allowed_skew must be"));
    }
    assert!(with("header", json!({"type": "Cookie"})).contains("name"));
    assert!(with("header", json!({"type": "Query"})).starts_with("header: the type must be"));
    assert!(with("claims_format", json!("xml")).starts_with("claims_format must be"));
    assert!(with("claims_map", json!({})).contains("x-hasura-allowed-roles is missing"));
    assert!(with("claims_map", json!({"user": "x"})).contains("is no session variable"));
    assert!(
        refused(
            &json!({"type": "HS256", "key": SECRET, "claims_namespace": "a", "claims_namespace_path": "$.b"})
        )
        .contains("both cannot be set")
    );
    // A public key is no shared secret, and the other way round.
    assert!(refused(&json!({"type": "RS256", "key": SECRET})).contains("neither a PEM public key"));
    assert!(refused(&json!({"type": "RS256", "key": P521_PUBLIC})).contains("of this type"));
    assert!(refused(&json!({"type": "ES256", "key": RSA_PUBLIC})).contains("of this type"));
    assert!(refused(&json!({"type": "ES256", "key": P521_PUBLIC})).contains("does not fit"));
    assert_eq!(
        refused(&json!({"type": "RS256", "key": RSA_SMALL})),
        "RSA keys need 2048 bits at least"
    );
    assert!(refused(&json!({"jwk_url": "file:///etc/passwd"})).contains("http or https"));
    assert!(JwtSecret::parse("{\"type\":\"HS256\",\"type\":\"HS256\"}").is_err());
    assert!(JwtSecret::parse_list("[]").is_err());
}
