//! Who may ask, and whom the engine may ask.

use std::time::Duration;

use super::{Error, Given};
use crate::settings::value::{self, list};
use crate::settings::{Authentication, Hook, Origin, Outbound, RateLimitRedis, Secret};

/// How long a hook may take.
const HOOK_PATIENCE: Duration = Duration::from_secs(30);

/// Settings that say what an admin has to show.
pub(super) const ADMIN: &[&str] = &[
    "HASURA_GRAPHQL_ADMIN_SECRET",
    "HASURA_GRAPHQL_ACCESS_KEY",
    "HASURA_GRAPHQL_ADMIN_SECRETS",
];

/// Settings that say who others are.
pub(super) const OTHERS: &[&str] = &[
    "HASURA_GRAPHQL_UNAUTHORIZED_ROLE",
    "HASURA_GRAPHQL_JWT_SECRET",
    "HASURA_GRAPHQL_JWT_SECRETS",
    "HASURA_GRAPHQL_AUTH_HOOK",
    "HASURA_GRAPHQL_AUTH_HOOK_MODE",
    "HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY",
];

impl Given<'_> {
    /// Whether one of these settings can be read, whatever the others are.
    pub(super) fn check_alone(&self, key: &'static str) -> Result<(), Error> {
        match key {
            "HASURA_GRAPHQL_ADMIN_SECRETS" => self.parsed(key, admin_secrets).map(drop),
            "HASURA_GRAPHQL_JWT_SECRET" => self.parsed(key, jwt_secret).map(drop),
            "HASURA_GRAPHQL_JWT_SECRETS" => self.parsed(key, jwt_secrets).map(drop),
            "HASURA_GRAPHQL_AUTH_HOOK" => self.parsed(key, hook_url).map(drop),
            "HASURA_GRAPHQL_AUTH_HOOK_MODE" => self.parsed(key, hook_mode).map(drop),
            "HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY" => self.parsed(key, value::boolean).map(drop),
            _ => self.parsed(key, value::text).map(drop),
        }
    }

    pub(super) fn admin_secrets(&self) -> Result<Vec<Secret>, Error> {
        let mut secrets = Vec::new();
        for key in ["HASURA_GRAPHQL_ADMIN_SECRET", "HASURA_GRAPHQL_ACCESS_KEY"] {
            // The older name is only read where the newer one is absent.
            let secret = self.parsed(key, value::text)?;
            if let (Some(secret), true) = (secret, secrets.is_empty()) {
                secrets.push(Secret::new(secret));
            }
        }
        let more = self.parsed("HASURA_GRAPHQL_ADMIN_SECRETS", admin_secrets)?;
        let is_given = more.is_some();
        secrets.extend(more.into_iter().flatten().map(Secret::new));
        // Where it is the only word of one, a list of none would make everybody an admin: a template found nothing to put in.
        if is_given && secrets.is_empty() {
            return Err(Error::Variable {
                variable: "HASURA_GRAPHQL_ADMIN_SECRETS".to_owned(),
                reason: value::Error::Json("one admin secret at least, where no other is given"),
            });
        }
        Ok(secrets)
    }

    pub(super) fn authentication(&self) -> Result<Authentication, Error> {
        let admin_secrets = self.admin_secrets()?;
        let unauthorized_role = self.parsed("HASURA_GRAPHQL_UNAUTHORIZED_ROLE", value::text)?;
        let mut jwt = Vec::new();
        jwt.extend(self.parsed("HASURA_GRAPHQL_JWT_SECRET", jwt_secret)?);
        let more = self.parsed("HASURA_GRAPHQL_JWT_SECRETS", jwt_secrets)?;
        let single = jwt.len();
        jwt.extend(more.into_iter().flatten());
        let mut warnings = Vec::new();
        for (at, secret) in jwt.iter().enumerate() {
            let variable = if at < single {
                "HASURA_GRAPHQL_JWT_SECRET"
            } else {
                "HASURA_GRAPHQL_JWT_SECRETS"
            };
            for path in &secret.ignored {
                warnings.push((variable, format!("the key {path:?} means nothing and is ignored")));
            }
        }
        let jwt = auth::JwtSecret::merged(jwt);
        let post = self
            .parsed("HASURA_GRAPHQL_AUTH_HOOK_MODE", hook_mode)?
            .unwrap_or(false);
        let send_request_body = self.flag("HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY", true)?;
        let hook = self
            .parsed("HASURA_GRAPHQL_AUTH_HOOK", hook_url)?
            .map(|url| Hook {
                url,
                post,
                send_request_body,
                patience: HOOK_PATIENCE,
            });
        if admin_secrets.is_empty() && (hook.is_some() || !jwt.is_empty()) {
            return Err(Error::Rule(
                "authentication by token or webhook (--jwt-secret, --auth-hook) needs an admin secret \
                 (--admin-secret, HASURA_GRAPHQL_ADMIN_SECRET)",
            ));
        }
        if admin_secrets.is_empty() && unauthorized_role.is_some() {
            return Err(Error::Rule(
                "--unauthorized-role (HASURA_GRAPHQL_UNAUTHORIZED_ROLE) needs an admin secret (--admin-secret, \
                 HASURA_GRAPHQL_ADMIN_SECRET): without one everybody is an administrator",
            ));
        }
        // Whoever asks before the Secret has come would be an administrator.
        if admin_secrets.is_empty()
            && self.text("ROWLOCK_SECRETS_NAME").is_some()
            && self.text("ROWLOCK_SECRETS_DIR").is_none()
        {
            return Err(Error::Rule(
                "ROWLOCK_SECRETS_NAME alone leaves everything open until the Secret has come: mount it (ROWLOCK_SECRETS_DIR), \
                 or give an admin secret (--admin-secret, HASURA_GRAPHQL_ADMIN_SECRET)",
            ));
        }
        // In a cluster nobody is an admin by what a Secret lacks; the operator makes an admin secret where an Engine names none.
        let origin = self.parsed("ROWLOCK_ORIGIN", Origin::parse)?;
        if admin_secrets.is_empty() && matches!(origin, Some(Origin::ConfigMap(_))) {
            return Err(Error::Rule(
                "the origin `configmap` (--origin, ROWLOCK_ORIGIN) needs an admin secret (--admin-secret, \
                 HASURA_GRAPHQL_ADMIN_SECRET): without one everybody is an administrator",
            ));
        }
        if hook.is_some() && !jwt.is_empty() {
            return Err(Error::Rule(
                "--auth-hook and --jwt-secret cannot be given together",
            ));
        }
        if hook.is_some() && unauthorized_role.is_some() {
            return Err(Error::Rule(
                "--unauthorized-role cannot be given with --auth-hook: the hook decides on roles",
            ));
        }
        Ok(Authentication {
            admin_secrets,
            unauthorized_role,
            jwt,
            hook,
            warnings,
        })
    }

    pub(super) fn rate_limit_redis(&self) -> Result<Option<RateLimitRedis>, Error> {
        let tls = self.flag("HASURA_GRAPHQL_RATE_LIMIT_REDIS_USE_TLS", false)?;
        let url = self.parsed("HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL", value::text)?;
        Ok(url.map(|url| RateLimitRedis {
            url: Secret::new(url),
            tls,
        }))
    }

    pub(super) fn outbound(&self) -> Result<Outbound, Error> {
        let allowed_addresses = self.parsed("ROWLOCK_OUTBOUND_ALLOWED_ADDRESSES", |text| {
            list(text)
                .map(|item| {
                    let network = item
                        .parse::<ipnet::IpNet>()
                        .or_else(|_| item.parse().map(|address: std::net::IpAddr| address.into()))
                        .map_err(|_: std::net::AddrParseError| ());
                    network.map_err(|_| value::Error::Other(format!("{item:?} is no network")))
                })
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(Outbound {
            allowed_addresses: allowed_addresses.unwrap_or_default(),
            authorities: self.parsed("ROWLOCK_OUTBOUND_CA_FILE", value::text)?,
        })
    }
}

fn admin_secrets(text: &str) -> Result<Vec<String>, value::Error> {
    serde_json::from_str::<Vec<String>>(text)
        .ok()
        .filter(|secrets| secrets.iter().all(|secret| !secret.is_empty()))
        .ok_or(value::Error::Json("a JSON list of texts that are not empty"))
}

fn jwt_secret(text: &str) -> Result<auth::JwtSecret, value::Error> {
    auth::JwtSecret::parse(text).map_err(|error| value::Error::Other(error.to_string()))
}

fn jwt_secrets(text: &str) -> Result<Vec<auth::JwtSecret>, value::Error> {
    auth::JwtSecret::parse_list(text).map_err(|error| value::Error::Other(error.to_string()))
}

/// Whether the hook is asked by POST.
fn hook_mode(text: &str) -> Result<bool, value::Error> {
    match text.to_ascii_uppercase().as_str() {
        "GET" => Ok(false),
        "POST" => Ok(true),
        _ => Err(value::Error::Choice {
            choices: "GET, POST",
            text: text.to_owned(),
        }),
    }
}

fn hook_url(text: &str) -> Result<String, value::Error> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        _ => Err(value::Error::Other("not an http or https URL".to_owned())),
    }
}
