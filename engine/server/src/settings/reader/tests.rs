use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn read_line(line: &[&str], variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let matches = command_line::command()
        .try_get_matches_from(std::iter::once("rowlock").chain(line.iter().copied()))
        .unwrap();
    read(&matches, &environment(variables))
}

const URL: (&str, &str) = ("HASURA_GRAPHQL_DATABASE_URL", "postgresql://u:p@h/d");

#[test]
fn every_used_setting_is_read() {
    let matches = command_line::command()
        .try_get_matches_from(["rowlock", "serve"])
        .unwrap();
    let environment = environment(&[URL]);
    let given = Given::new(&matches, &environment);
    given.settings(Vec::new()).unwrap();
    let asked = given.asked.borrow();
    for setting in ALL {
        assert_eq!(
            asked.contains(setting.key),
            setting.standing == Standing::Used,
            "{}: asked for if and only if it is used",
            setting.key
        );
    }
}

#[test]
fn a_flag_beats_its_variable() {
    let settings = read_line(
        &["serve", "--server-port", "9000"],
        &[URL, ("HASURA_GRAPHQL_SERVER_PORT", "7000")],
    )
    .unwrap();
    assert_eq!(settings.http.port, 9000);
}

#[test]
fn a_wrong_value_names_its_variable() {
    let error = read_line(&["serve"], &[URL, ("HASURA_GRAPHQL_DEV_MODE", "1")]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Environment variable HASURA_GRAPHQL_DEV_MODE: Not a valid boolean text."),
        "{error}"
    );
}

#[test]
fn features_that_come_later_are_refused() {
    let error = read_line(
        &["serve"],
        &[URL, ("HASURA_GRAPHQL_ENABLE_LOG_COMPRESSION", "true")],
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Environment variable HASURA_GRAPHQL_ENABLE_LOG_COMPRESSION: not supported yet: log compression will come with a later version"
    );
    let redis = ("HASURA_GRAPHQL_RATE_LIMIT_REDIS_TLS_HOSTNAME", "x");
    let error = read_line(&["serve"], &[URL, redis]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not supported yet: another name in the certificate of Redis"),
        "{error}"
    );
    // Saying what holds anyway is no request for the feature.
    read_line(
        &["serve"],
        &[URL, ("HASURA_GRAPHQL_ENABLE_LOG_COMPRESSION", "no")],
    )
    .unwrap();
}

#[test]
fn tokens_and_hooks_need_an_admin_secret_and_exclude_each_other() {
    let jwt = r#"{"type":"HS256","key":"a-secret-of-thirty-two-characters"}"#;
    let admin = ("HASURA_GRAPHQL_ADMIN_SECRET", "s");
    let hook = ("HASURA_GRAPHQL_AUTH_HOOK", "https://hook.example/x");
    let refused = |arguments: &[&str], variables: &[(&'static str, &'static str)]| {
        let variables: Vec<_> = [URL].into_iter().chain(variables.iter().copied()).collect();
        read_line(arguments, &variables).unwrap_err().to_string()
    };
    assert!(refused(&["serve", "--jwt-secret", jwt], &[]).contains("needs an admin secret"));
    assert!(refused(&["serve"], &[hook]).contains("needs an admin secret"));
    assert!(refused(&["serve", "--unauthorized-role", "x"], &[]).contains("needs an admin secret"));
    let secret = ("ROWLOCK_SECRETS_NAME", "shop");
    assert!(refused(&["serve"], &[secret]).contains("until the Secret has come"));
    assert!(refused(&["serve", "--jwt-secret", jwt], &[hook, admin]).contains("cannot be given together"));
    assert!(
        refused(&["serve", "--unauthorized-role", "x"], &[hook, admin]).contains("the hook decides on roles")
    );
    let error = refused(
        &["serve", "--jwt-secret", r#"{"type":"HS256","key":"short"}"#],
        &[admin],
    );
    assert_eq!(
        error,
        "Command line flag --jwt-secret: Key size too small; should be at least 32 characters"
    );
    assert!(
        refused(&["serve", "--auth-hook", "hook.example"], &[admin]).contains("not an http or https URL")
    );
    let settings = read_line(
        &["serve", "--jwt-secret", jwt],
        &[
            URL,
            admin,
            ("HASURA_GRAPHQL_JWT_SECRETS", r#"[{"jwk_url":"https://x"}]"#),
        ],
    )
    .unwrap();
    assert_eq!(settings.authentication.jwt.len(), 2);
    assert!(
        !format!("{settings:?}").contains("thirty-two"),
        "keys are not shown"
    );
    let settings = read_line(
        &["serve"],
        &[URL, admin, hook, ("HASURA_GRAPHQL_AUTH_HOOK_TYPE", "post")],
    )
    .unwrap();
    assert!(
        settings
            .authentication
            .hook
            .is_some_and(|hook| hook.post && hook.send_request_body)
    );
}

#[test]
fn outgoing_requests() {
    let networks = ("ROWLOCK_OUTBOUND_ALLOWED_ADDRESSES", "169.254.170.0/24, fe80::1");
    let settings = read_line(&["serve"], &[URL, networks]).unwrap();
    assert_eq!(settings.outbound.allowed_addresses.len(), 2);
    assert!(read_line(&["serve"], &[URL, ("ROWLOCK_OUTBOUND_ALLOWED_ADDRESSES", "x")]).is_err());
}

#[test]
fn ignorable_settings_warn() {
    let settings = read_line(&["serve", "--stripes", "2"], &[URL]).unwrap();
    assert_eq!(settings.warnings.len(), 1);
    assert_eq!(settings.warnings[0].0, "HASURA_GRAPHQL_PG_STRIPES");
}

#[test]
fn the_catalog_needs_a_database() {
    assert!(matches!(read_line(&["serve"], &[]), Err(Error::Rule(_))));
    read_line(&["serve", "--origin", "directory:/tmp/metadata"], &[]).unwrap();
}

#[test]
fn the_database_may_be_given_in_parts() {
    let settings = read_line(
        &[
            "--host", "db", "--port", "6000", "-u", "me", "-p", "p@ss", "-d", "shop", "serve",
        ],
        &[],
    )
    .unwrap();
    let Some(DefaultSource {
        address: Address::Url(url),
        ..
    }) = settings.default_source
    else {
        panic!("no source");
    };
    assert_eq!(url.reveal(), "postgresql://me:p%40ss@db:6000/shop");
}

#[test]
fn the_variable_is_referred_to_not_copied() {
    let settings = read_line(&["serve"], &[URL]).unwrap();
    assert!(matches!(
        settings.default_source.map(|source| source.address),
        Some(Address::FromVariable)
    ));
}

#[test]
fn several_admin_secrets() {
    let settings = read_line(
        &["serve", "--admin-secret", "a"],
        &[URL, ("HASURA_GRAPHQL_ADMIN_SECRETS", r#"["b","c"]"#)],
    )
    .unwrap();
    assert_eq!(settings.authentication.admin_secrets.len(), 3);
    assert!(read_line(&["serve"], &[URL, ("HASURA_GRAPHQL_ADMIN_SECRETS", r#"[""]"#)]).is_err());
    let none = read_line(&["serve"], &[URL, ("HASURA_GRAPHQL_ADMIN_SECRETS", "[]")]).unwrap_err();
    assert_eq!(
        none.to_string(),
        "Environment variable HASURA_GRAPHQL_ADMIN_SECRETS: expecting one admin secret at least, where no other is given"
    );
    // The second one is taken out when the first one has changed.
    let first = read_line(
        &["serve", "--admin-secret", "a"],
        &[URL, ("HASURA_GRAPHQL_ADMIN_SECRETS", "[]")],
    );
    assert_eq!(first.unwrap().authentication.admin_secrets.len(), 1);
    assert!(read_line(&["serve"], &[URL, ("HASURA_GRAPHQL_ADMIN_SECRET", "")]).is_err());
}

#[test]
fn unknown_names_in_lists_are_refused() {
    for variable in [
        "HASURA_GRAPHQL_ENABLED_APIS",
        "HASURA_GRAPHQL_ENABLED_LOG_TYPES",
        "HASURA_GRAPHQL_EXPERIMENTAL_FEATURES",
        "HASURA_GRAPHQL_LOG_LEVEL",
        "HASURA_GRAPHQL_TX_ISOLATION",
        "HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION",
        "ROWLOCK_ORIGIN",
    ] {
        let error = read_line(&["serve"], &[URL, (variable, "nonsense")]).unwrap_err();
        assert!(error.to_string().contains(variable), "{error}");
    }
}

#[test]
fn secrets_do_not_print() {
    let settings = read_line(
        &["serve"],
        &[
            ("HASURA_GRAPHQL_DATABASE_URL", "postgresql://u:canary@h/d"),
            ("HASURA_GRAPHQL_ADMIN_SECRET", "canary"),
            ("HASURA_GRAPHQL_METRICS_SECRET", "canary"),
        ],
    )
    .unwrap();
    assert!(!format!("{settings:?}").contains("canary"));
}

/// Traces are not exported: whoever asks for them is told so, and served.
#[test]
fn variables_of_a_monitor() {
    let given = [
        URL,
        ("HASURA_GRAPHQL_ENABLE_APM", "true"),
        ("DD_AGENT_HOST", "10.0.0.1"),
        ("DD_SERVICE", "hasura-graphql"),
        ("DD_ENV", "production"),
    ];
    let settings = read_line(&["serve"], &given).unwrap();
    let warned: Vec<&str> = settings.warnings.iter().map(|(name, _)| *name).collect();
    let wanted: Vec<&str> = given[1..].iter().map(|(name, _)| *name).collect();
    assert_eq!(warned, wanted);
}

/// As in Hasura they do not matter, but nobody takes a misspelt check for one unseen.
#[test]
fn unknown_keys_of_a_jwt_secret_are_told() {
    let jwt = r#"{"type":"HS256","key":"a-secret-of-thirty-two-characters","audiences":"x"}"#;
    let more = r#"[{"type":"HS256","key":"a-secret-of-thirty-two-characters","isuer":"x"}]"#;
    let settings = read_line(
        &["serve", "--jwt-secret", jwt],
        &[
            URL,
            ("HASURA_GRAPHQL_ADMIN_SECRET", "s"),
            ("HASURA_GRAPHQL_JWT_SECRETS", more),
        ],
    )
    .unwrap();
    assert_eq!(
        settings.warnings,
        [
            (
                "HASURA_GRAPHQL_JWT_SECRET",
                "the key \"audiences\" means nothing and is ignored".to_owned()
            ),
            (
                "HASURA_GRAPHQL_JWT_SECRETS",
                "the key \"[0].isuer\" means nothing and is ignored".to_owned()
            ),
        ]
    );
}

/// What deployments of Hasura set in production, as its users write it down.
#[test]
fn variables_of_production() {
    let plain = [
        (
            "HASURA_GRAPHQL_DATABASE_URL",
            "postgres://user:password@host:5432/dbname",
        ),
        ("HASURA_GRAPHQL_ADMIN_SECRET", "strong-random-secret"),
        (
            "HASURA_GRAPHQL_JWT_SECRET",
            r#"{"type":"HS256","key":"super-secret-jwt-signing-key-min-32-chars"}"#,
        ),
        ("HASURA_GRAPHQL_UNAUTHORIZED_ROLE", "anonymous"),
        ("HASURA_GRAPHQL_ENABLE_CONSOLE", "false"),
        ("HASURA_GRAPHQL_DEV_MODE", "false"),
        ("HASURA_GRAPHQL_ENABLE_TELEMETRY", "false"),
        (
            "HASURA_GRAPHQL_ENABLED_LOG_TYPES",
            "startup, http-log, webhook-log, websocket-log, query-log",
        ),
        ("HASURA_GRAPHQL_LOG_LEVEL", "info"),
        ("HASURA_GRAPHQL_RATE_LIMIT_PER_MINUTE", "1000"),
        (
            "HASURA_GRAPHQL_CORS_DOMAIN",
            "https://myapp.com,https://admin.myapp.com",
        ),
        ("HASURA_GRAPHQL_PG_CONNECTIONS", "50"),
        ("HASURA_GRAPHQL_PG_TIMEOUT", "60"),
        ("HASURA_GRAPHQL_ENABLE_METRICS", "true"),
        ("HASURA_GRAPHQL_METRICS_SECRET", "metrics-secret"),
    ];
    let settings = read_line(&["serve"], &plain).unwrap();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(settings.rate_limit, Some(1000));
    assert_eq!(settings.authentication.jwt.len(), 1);
    assert_eq!(
        settings.authentication.unauthorized_role.as_deref(),
        Some("anonymous")
    );
    assert_eq!(
        (
            settings.pool.max_connections,
            settings.pool.idle_timeout.as_secs()
        ),
        (50, 60)
    );
    assert!(settings.http.apis.metrics && !settings.http.apis.console && !settings.dev_mode);
    let hook = [
        plain[0],
        plain[1],
        ("HASURA_GRAPHQL_AUTH_HOOK", "https://myapp.com/auth-webhook"),
        ("HASURA_GRAPHQL_AUTH_HOOK_MODE", "POST"),
    ];
    let settings = read_line(&["serve"], &hook).unwrap();
    assert!(
        settings
            .authentication
            .hook
            .is_some_and(|hook| hook.post && hook.send_request_body)
    );
}

#[test]
fn nobody_is_an_admin_of_a_pod_by_what_its_secret_lacks() {
    let folder = std::env::temp_dir().join(format!("rowlock-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.display().to_string();
    let pod = [
        ("ROWLOCK_ORIGIN", "configmap:shop-metadata"),
        ("ROWLOCK_SECRETS_DIR", path.as_str()),
        ("ROWLOCK_SECRETS_NAME", "shop-secrets"),
    ];
    let start = |files: &[(&str, &str)]| {
        for (name, value) in files {
            std::fs::write(folder.join(name), value).unwrap();
        }
        read_line(&["serve"], &pod).map_err(|error| error.to_string())
    };
    let open = "the origin `configmap` (--origin, ROWLOCK_ORIGIN) needs an admin secret (--admin-secret, \
                HASURA_GRAPHQL_ADMIN_SECRET): without one everybody is an administrator";
    assert_eq!(start(&[]).unwrap_err(), open);
    assert_eq!(start(&[("ROWLOCK_ADMIN_TOKEN", "t")]).unwrap_err(), open);
    let none = start(&[("HASURA_GRAPHQL_ADMIN_SECRETS", "[]")]).unwrap_err();
    assert!(none.contains("HASURA_GRAPHQL_ADMIN_SECRETS"), "{none}");
    let settings = start(&[("HASURA_GRAPHQL_ADMIN_SECRETS", r#"["a"]"#)]).unwrap();
    assert_eq!(settings.authentication.admin_secrets.len(), 1);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn documents_that_come_of_objects_see_no_secrets_of_the_programs() {
    let variables = [
        URL,
        ("HASURA_GRAPHQL_ADMIN_SECRET", "s"),
        ("ROWLOCK_SECRET_0123456789ABCDEF", "reference"),
        ("MINE", "mine"),
    ];
    let seen = |more: &[(&'static str, &'static str)]| {
        let variables: Vec<_> = variables.iter().chain(more).copied().collect();
        let settings = read_line(&["serve"], &variables).unwrap();
        let environment = settings.for_documents(settings.environment.clone());
        let seen = variables.iter().map(|(name, _)| environment.get(name).is_some());
        seen.collect::<Vec<_>>()
    };
    assert_eq!(seen(&[]), [true, true, true, true]);
    assert_eq!(seen(&[("ROWLOCK_SECRETS_NAME", "shop-secrets")]), [true; 5]);
    assert_eq!(
        seen(&[("ROWLOCK_ORIGIN", "configmap:shop-metadata")]),
        [true, false, true, true, false]
    );
}

/// The operator tells on the Engine why a pod ends, where more people read than may read a Secret.
#[test]
fn what_a_secret_holds_is_not_told() {
    let folder = std::env::temp_dir().join(format!("rowlock-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    let secrets = folder.display().to_string();
    let variables = [
        URL,
        ("HASURA_GRAPHQL_ADMIN_SECRET", "s"),
        ("ROWLOCK_SECRETS_DIR", secrets.as_str()),
    ];
    for variable in [
        "HASURA_GRAPHQL_PG_CONNECTIONS",
        "HASURA_GRAPHQL_PG_TIMEOUT",
        "HASURA_GRAPHQL_LOG_LEVEL",
        "HASURA_GRAPHQL_CORS_DOMAIN",
        "HASURA_GRAPHQL_TX_ISOLATION",
        "HASURA_GRAPHQL_JWT_SECRET",
        "HASURA_GRAPHQL_EXPERIMENTAL_FEATURES",
        "HASURA_GRAPHQL_ADMIN_SECRETS",
    ] {
        std::fs::write(folder.join(variable), "postgres://app:canary@db/d").unwrap();
        let error = read_line(&["serve"], &variables).unwrap_err().to_string();
        assert!(error.contains(variable) && !error.contains("canary"), "{error}");
        std::fs::remove_file(folder.join(variable)).unwrap();
    }
    std::fs::remove_dir(&folder).unwrap();
}
