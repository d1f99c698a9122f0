//! The configurations of `docs/authentication.md`, followed literally against a stand-in of each provider that signs what
//! the provider signs: RS256 tokens, with a key set as it publishes one.

use embedded::test::TestDatabase;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde_json::{Value, json};

use crate::process::Server;
use crate::stand_in::{StandIn, encode, ids, in_an_hour, payload, server};

/// The certificate of the key below, as a provider hands it out.
const CERTIFICATE: &str = include_str!("../../../auth/tests/it/keys/rsa.crt.pem");

/// A provider that signs with RSA.
struct Provider {
    at: StandIn,
    pair: KeyPair,
}

impl Provider {
    /// Its key set says how long it is good, and has a key that is not for signatures.
    fn start() -> Self {
        let pair = KeyPair::from_der(include_bytes!("../../../auth/tests/it/keys/rsa.der")).unwrap();
        let components = PublicKeyComponents::<Vec<u8>>::from(pair.public());
        let key = |kid: &str, used: &str, algorithm: &str| {
            json!({"kty": "RSA", "kid": kid, "use": used, "alg": algorithm,
                   "n": encode(&components.n), "e": encode(&components.e)})
        };
        let at = StandIn::start();
        at.answers(
            200,
            "cache-control: public, max-age=21600, must-revalidate, no-transform\r\n",
            &json!({"keys": [key("e", "enc", "RSA-OAEP"), key("r", "sig", "RS256")]}),
        );
        Self { at, pair }
    }

    fn bearer(&self, payload: &Value) -> String {
        let header = json!({"alg": "RS256", "kid": "r", "typ": "JWT"}).to_string();
        let payload = payload.to_string();
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("Bearer {signed}.{}", encode(&signature))
    }

    /// The page's configuration with the stand-in's address in place of the provider's.
    fn documented(&self, heading: &str) -> Value {
        let page = include_str!("../../../../docs/authentication.md");
        let section = page.split(&format!("\n### {heading}\n")).nth(1).unwrap();
        let text = section.split("HASURA_GRAPHQL_JWT_SECRET='").nth(1).unwrap();
        let mut secret: Value = serde_json::from_str(text.split('\'').next().unwrap()).unwrap();
        assert!(secret["jwk_url"].as_str().unwrap().starts_with("https://"));
        secret["jwk_url"] = format!("{}keys", self.at.url()).into();
        secret
    }

    /// What becomes of a token.
    fn tell(&self, server: &Server, payload: &Value) -> (u16, Value) {
        ids(server, &[("authorization", &self.bearer(payload))])
    }
}

fn with(payload: &Value, key: &str, value: Value) -> Value {
    let mut payload = payload.clone();
    payload[key] = value;
    payload
}

fn unverified(why: &str) -> (u16, Value) {
    (
        400,
        json!(["invalid-jwt", format!("Could not verify JWT: {why}")]),
    )
}

#[test]
fn auth0() {
    let provider = Provider::start();
    let issuer = "https://YOUR-TENANT.auth0.com/";
    let mut token = payload("2");
    token["iss"] = json!(issuer);
    token["sub"] = json!("auth0|5b1");
    token["azp"] = json!("client");
    token["scope"] = json!("openid profile email");
    token["aud"] = json!(["https://your-api", "https://YOUR-TENANT.auth0.com/userinfo"]);
    // By its key set, and by its certificate as its dashboard has it; `RS512` there is what Hasura's guide says.
    let by_certificate =
        json!({"type": "RS512", "key": CERTIFICATE, "audience": "https://your-api", "issuer": issuer});
    for (at, secret) in [provider.documented("Auth0"), by_certificate].iter().enumerate() {
        let database = TestDatabase::create(&format!("auth0_{at}"));
        let server = server(&database, &["--jwt-secret", &secret.to_string()]);
        let tell = |payload: &Value| provider.tell(&server, payload);
        assert_eq!(tell(&token), (200, json!([2, 3])), "{secret}");
        assert_eq!(
            tell(&with(&token, "aud", json!("https://your-api"))),
            (200, json!([2, 3]))
        );
        assert_eq!(
            tell(&with(&token, "aud", json!(["https://other-api"]))),
            unverified("JWTNotInAudience")
        );
        assert_eq!(
            tell(&with(&token, "iss", json!("https://YOUR-TENANT.auth0.com"))),
            unverified("JWTNotInIssuer"),
            "the slash belongs to it"
        );
        assert_eq!(
            tell(&with(&token, "exp", json!(1_600_000_000))),
            unverified("JWTExpired")
        );
        // The rule that adds the claims did not run.
        let mut bare = token.clone();
        bare.as_object_mut()
            .unwrap()
            .remove("https://hasura.io/jwt/claims");
        assert_eq!(
            tell(&bare),
            (
                400,
                json!([
                    "jwt-invalid-claims",
                    "claims key: 'https://hasura.io/jwt/claims' not found"
                ])
            )
        );
    }
}

#[test]
fn firebase() {
    let provider = Provider::start();
    let mut token = payload("2");
    token["iss"] = json!("https://securetoken.google.com/YOUR-PROJECT");
    token["aud"] = json!("YOUR-PROJECT");
    token["sub"] = json!("2");
    token["user_id"] = json!("2");
    token["firebase"] = json!({"identities": {}, "sign_in_provider": "password"});
    let documented = provider.documented("Firebase");
    {
        let database = TestDatabase::create("firebase");
        let server = server(&database, &["--jwt-secret", &documented.to_string()]);
        let tell = |payload: &Value| provider.tell(&server, payload);
        assert_eq!(tell(&token), (200, json!([2, 3])));
        assert_eq!(
            tell(&with(&token, "aud", json!("ANOTHER-PROJECT"))),
            unverified("JWTNotInAudience")
        );
        assert_eq!(
            tell(&with(
                &token,
                "iss",
                json!("https://securetoken.google.com/ANOTHER-PROJECT")
            )),
            unverified("JWTNotInIssuer")
        );
    }
    // Without custom claims: everybody who signed in is a user, by what Firebase says on its own.
    let mut mapped = documented;
    mapped["claims_map"] = json!({
        "x-hasura-allowed-roles": {"path": "$.roles", "default": ["user"]},
        "x-hasura-default-role": "user",
        "x-hasura-user-id": {"path": "$.user_id"},
        "x-hasura-signed-in-by": {"path": "$.firebase.sign_in_provider"},
    });
    let database = TestDatabase::create("firebase_mapped");
    let server = server(&database, &["--jwt-secret", &mapped.to_string()]);
    let mut bare = token;
    bare.as_object_mut()
        .unwrap()
        .remove("https://hasura.io/jwt/claims");
    assert_eq!(provider.tell(&server, &bare), (200, json!([2, 3])));
    assert_eq!(
        provider.tell(&server, &with(&bare, "roles", json!(["editor"]))),
        (
            400,
            json!(["access-denied", "Your requested role is not in allowed roles"])
        )
    );
    bare.as_object_mut().unwrap().remove("user_id");
    assert_eq!(
        provider.tell(&server, &bare),
        (
            400,
            json!([
                "jwt-invalid-claims",
                "JWT claim from claims_map, \"x-hasura-user-id\" not found"
            ])
        )
    );
}

#[test]
fn keycloak() {
    let provider = Provider::start();
    let token = json!({
        "exp": in_an_hour(), "iss": "https://keycloak.example/realms/YOUR-REALM", "sub": "2", "typ": "Bearer",
        "realm_access": {"roles": ["offline_access", "user"]},
    });
    let database = TestDatabase::create("keycloak");
    let secret = provider.documented("Keycloak").to_string();
    let server = server(&database, &["--jwt-secret", &secret]);
    assert_eq!(provider.tell(&server, &token), (200, json!([2, 3])));
    assert_eq!(
        provider.tell(&server, &with(&token, "iss", json!("https://evil.example/"))),
        unverified("JWTNotInIssuer")
    );
    assert_eq!(
        provider.tell(&server, &with(&token, "realm_access", json!({}))),
        (
            400,
            json!([
                "jwt-missing-role-claims",
                "JWT claim does not contain \"x-hasura-allowed-roles\""
            ])
        )
    );
}
