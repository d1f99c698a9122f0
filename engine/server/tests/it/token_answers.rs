//! Tokens as Hasura's own tests send them, each in every place and form that a configuration may ask for, on both
//! endpoints: status and whole body of every answer.

use embedded::test::TestDatabase;
use ring::hmac;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};
use crate::stand_in::{Issuer, SECRET, encode, in_an_hour};

/// Where a token stands, and where in it the claims are.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    CookieStringified,
    HeaderWithPath,
    Root,
    Mapped,
}

const FORMS: [Form; 5] = [
    Form::Plain,
    Form::CookieStringified,
    Form::HeaderWithPath,
    Form::Root,
    Form::Mapped,
];

impl Form {
    fn setting(self, issuer: &Issuer) -> Value {
        let mut setting = match self {
            Self::Plain => json!({}),
            Self::CookieStringified => {
                json!({"header": {"type": "Cookie", "name": "hasura_user"}, "claims_format": "stringified_json"})
            }
            Self::HeaderWithPath => json!({"header": {"type": "CustomHeader", "name": "hasura_user"},
                                           "claims_namespace_path": "$.hasura['claims%']"}),
            Self::Root => {
                json!({"header": {"type": "CustomHeader", "name": "X-Root"}, "claims_namespace_path": "$"})
            }
            Self::Mapped => json!({"header": {"type": "CustomHeader", "name": "X-Mapped"}, "claims_map": {
                "x-hasura-user-id": {"path": "$.['https://myapp.com/jwt/claims'].user.id"},
                "x-hasura-allowed-roles": {"path": "$.['https://myapp.com/jwt/claims'].role.allowed"},
                "x-hasura-default-role": {"path": "$.['https://myapp.com/jwt/claims'].role.default"},
            }}),
        };
        setting["type"] = json!("ES256");
        setting["key"] = issuer.jwk();
        setting
    }

    fn header(self, token: &str) -> (&'static str, String) {
        match self {
            Self::Plain => ("Authorization", format!("Bearer {token}")),
            Self::CookieStringified => ("Cookie", format!("hasura_user={token}")),
            Self::HeaderWithPath => ("hasura_user", token.to_owned()),
            Self::Root => ("x-root", token.to_owned()),
            Self::Mapped => ("x-mapped", token.to_owned()),
        }
    }

    /// A payload with these claims of Hasura.
    fn payload(self, claims: &Value) -> Value {
        let mut payload =
            json!({"sub": "1234567890", "name": "John Doe", "iat": 1_600_000_000, "exp": in_an_hour()});
        match self {
            Self::Plain => payload["https://hasura.io/jwt/claims"] = claims.clone(),
            Self::CookieStringified => payload["https://hasura.io/jwt/claims"] = claims.to_string().into(),
            Self::HeaderWithPath => payload["hasura"]["claims%"] = claims.clone(),
            Self::Root => {
                let (payload, claims) = (payload.as_object_mut().unwrap(), claims.as_object().unwrap());
                payload.extend(claims.clone());
            }
            Self::Mapped => {
                let claim = |name: &str| claims.get(format!("x-hasura-{name}")).cloned();
                let mut own = json!({"user": {}, "role": {}});
                for (part, key, name) in [
                    ("user", "id", "user-id"),
                    ("role", "allowed", "allowed-roles"),
                    ("role", "default", "default-role"),
                ] {
                    if let Some(value) = claim(name) {
                        own[part][key] = value;
                    }
                }
                payload["https://myapp.com/jwt/claims"] = own;
            }
        }
        payload
    }
}

/// Sends a token to both endpoints: `None` is let in, otherwise code and message of the refusal.
fn check(server: &Server, form: Form, token: &str, role: Option<&str>, expected: Option<(&str, &str)>) {
    let (name, value) = form.header(token);
    let mut headers = vec![(name, value.as_str())];
    headers.extend(role.map(|role| ("X-Hasura-Role", role)));
    let body = match expected {
        None => json!({"data": {"__typename": "query_root"}}),
        Some((code, message)) => {
            json!({"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]})
        }
    };
    for (path, refused) in [("/v1/graphql", 200), ("/v1alpha1/graphql", 400)] {
        let status = if expected.is_some() { refused } else { 200 };
        let answer = server.json(path, &headers, &json!({"query": "{ __typename }"}));
        assert_eq!(answer, (status, body.clone()), "{name} {path}");
    }
}

#[test]
fn answers_to_tokens() {
    let issuer = Issuer::new("one");
    let database = TestDatabase::create("token_answers");
    let settings: Vec<Value> = FORMS.iter().map(|form| form.setting(&issuer)).collect();
    let url = database.url();
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &url])
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("HASURA_GRAPHQL_JWT_SECRETS", Value::from(settings).to_string()),
    );
    let claims = json!({"x-hasura-user-id": "1", "x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user"});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    for form in FORMS {
        let sign = |claims: &Value| issuer.sign(&form.payload(claims));
        let tell = |token: &str, expected| check(&server, form, token, None, expected);
        tell(&sign(&claims), None);
        check(&server, form, &sign(&claims), Some("editor"), None);
        let role = Some(("access-denied", "Your requested role is not in allowed roles"));
        check(&server, form, &sign(&claims), Some("contractor"), role);
        tell(&sign(&with("x-hasura-default-role", json!("contractor"))), role);
        let missing = |message| Some(("jwt-missing-role-claims", message));
        tell(
            &sign(&without("x-hasura-allowed-roles")),
            missing("JWT claim does not contain \"x-hasura-allowed-roles\""),
        );
        tell(
            &sign(&without("x-hasura-default-role")),
            missing("JWT claim does not contain \"x-hasura-default-role\""),
        );
        let invalid = |message| Some(("jwt-invalid-claims", message));
        tell(
            &sign(&with("x-hasura-allowed-roles", json!("user"))),
            invalid(
                "invalid \"x-hasura-allowed-roles\"; should be a list of roles: parsing [] failed, expected Array, but \
                 encountered String",
            ),
        );
        tell(
            &sign(&with("x-hasura-allowed-roles", json!(["user", ""]))),
            invalid(
                "invalid \"x-hasura-allowed-roles\"; should be a list of roles: empty string not allowed",
            ),
        );
        let hint = if form == Form::Mapped {
            "a role"
        } else {
            "a single role name"
        };
        let number = format!(
            "invalid \"x-hasura-default-role\"; should be {hint}: parsing String failed, expected String, but encountered Number"
        );
        tell(&sign(&with("x-hasura-default-role", json!(1))), invalid(&number));
        tell(
            &sign(&with("x-hasura-user-id", json!(1))),
            invalid("x-hasura-* claims: parsing Text failed, expected String, but encountered Number"),
        );
        match form {
            Form::Mapped => tell(
                &sign(&without("x-hasura-user-id")),
                invalid("JWT claim from claims_map, \"x-hasura-user-id\" not found"),
            ),
            _ => tell(&sign(&without("x-hasura-user-id")), None),
        }
        let unverified = |message| Some(("invalid-jwt", message));
        let mut expired = form.payload(&claims);
        expired["exp"] = json!(in_an_hour() - 3660);
        tell(
            &issuer.sign(&expired),
            unverified("Could not verify JWT: JWTExpired"),
        );
        // Neither is asked for.
        let mut elsewhere = form.payload(&claims);
        elsewhere["aud"] = json!("hasura-test-suite");
        elsewhere["iss"] = json!("rubbish-issuer");
        tell(&issuer.sign(&elsewhere), None);
        // Another algorithm with another key.
        let signed = format!(
            "{}.{}",
            encode(br#"{"alg":"HS256","typ":"JWT"}"#),
            encode(form.payload(&claims).to_string().as_bytes())
        );
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"wrong"), signed.as_bytes());
        tell(
            &format!("{signed}.{}", encode(signature.as_ref())),
            unverified("Could not verify JWT: JWSError JWSInvalidSignature"),
        );
        tell(
            "x",
            unverified(
                "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 1)",
            ),
        );
        let nowhere = match form {
            Form::Plain | Form::CookieStringified => "claims key: 'https://hasura.io/jwt/claims' not found",
            Form::HeaderWithPath => "claims not found at claims_namespace_path: '$.hasura[\"claims%\"]'",
            Form::Root | Form::Mapped => continue,
        };
        tell(&issuer.sign(&json!({"exp": in_an_hour()})), invalid(nowhere));
    }
    // No token where one is looked for.
    let (status, answer) = server.json(
        "/v1alpha1/graphql",
        &[("x-other", "1")],
        &json!({"query": "{ a }"}),
    );
    assert_eq!(status, 400);
    assert_eq!(
        answer["errors"][0]["message"],
        "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"
    );
    for value in ["Basic eDp5", "Bearer", "Bearer a b"] {
        let (status, answer) = server.json(
            "/v1alpha1/graphql",
            &[("authorization", value)],
            &json!({"query": "{ a }"}),
        );
        assert_eq!(
            (status, &answer["errors"][0]),
            (
                400,
                &json!({"message": "Malformed Authorization header",
                        "extensions": {"path": "$", "code": "invalid-headers"}})
            )
        );
    }
}

/// What is checked of a token besides its signature, with the status of each.
#[test]
fn tokens_for_others() {
    let issuer = Issuer::new("one");
    let database = TestDatabase::create("token_others");
    let setting = json!({"type": "ES256", "key": issuer.jwk(), "audience": ["app", "other"],
        "issuer": "https://issuer.example", "allowed_skew": 600});
    let url = database.url();
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &url])
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("HASURA_GRAPHQL_JWT_SECRET", setting.to_string()),
    );
    let claims = json!({"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"});
    let now = in_an_hour() - 3600;
    let with = |name: &str, value: Value| {
        let mut payload = Form::Plain.payload(&claims);
        payload["aud"] = json!("app");
        payload["iss"] = json!("https://issuer.example");
        payload[name] = value;
        issuer.sign(&payload)
    };
    for (name, value, reason) in [
        ("aud", json!(["x", "other"]), None),
        ("aud", json!("x"), Some("JWTNotInAudience")),
        ("aud", json!([]), Some("JWTNotInAudience")),
        ("iss", json!("https://issuer.example/"), Some("JWTNotInIssuer")),
        ("exp", json!(now - 300), None),
        ("exp", json!(now - 900), Some("JWTExpired")),
        ("nbf", json!(now + 300), None),
        ("nbf", json!(now + 7200), Some("JWTNotYetValid")),
        ("iat", json!(now + 7200), Some("JWTIssuedAtFuture")),
        (
            "exp",
            json!("tomorrow"),
            Some(
                "JWTClaimsSetDecodeError \"Error in $.exp: parsing NumericDate failed, expected Number, but encountered String\"",
            ),
        ),
    ] {
        let told = reason.map(|reason| format!("Could not verify JWT: {reason}"));
        let expected = told.as_deref().map(|told| ("invalid-jwt", told));
        let token = with(name, value);
        check(&server, Form::Plain, &token, None, expected);
        // No role is asked for.
        check(&server, Form::Plain, &token, Some(""), expected);
    }
}
