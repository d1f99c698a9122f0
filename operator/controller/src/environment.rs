//! The settings of an engine as environment variables, and as keys of its Secret where the value is one. Pure.

mod part;

use std::collections::{BTreeMap, HashMap};

use compile::SecretKey;
use crd::engine::{Api, Auth, CorsMode, Enforcement, EngineSpec, FunctionPermissions, LogLevel, LogType};
use crd::source::NamingConvention;
use crd::value::ValueFrom;
use indexmap::IndexMap;
use serde_json::Value;

use crate::render::CONTAINER;

pub use part::{Part, Piece};
use part::{TooLong, named, put_in};

/// Variables that are the operator's own.
const RESERVED: &[&str] = &[
    "ROWLOCK_ORIGIN",
    "ROWLOCK_STATE_DIR",
    "ROWLOCK_SECRETS_DIR",
    "ROWLOCK_SECRETS_NAME",
    "ROWLOCK_ADMIN_PORT",
    "ROWLOCK_ADMIN_TOKEN",
    "HASURA_GRAPHQL_SERVER_PORT",
    "HOSTNAME",
];

/// The settings of an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables of the container, in order: a value may mention earlier ones as `$(NAME)`.
    pub variables: IndexMap<String, String>,
    /// Variables that are keys of the engine's Secret.
    pub secret: BTreeMap<String, Part>,
    /// Whether nothing here says what an admin has to show. The engine itself would then take everybody for one.
    pub is_open: bool,
}

/// What an admin has to show, by any of its names.
const ADMIN_SECRETS: &[&str] = &[
    "HASURA_GRAPHQL_ADMIN_SECRET",
    "HASURA_GRAPHQL_ADMIN_SECRETS",
    "HASURA_GRAPHQL_ACCESS_KEY",
];

/// A setting that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Reads the settings of an engine in a namespace.
pub fn environment(spec: &EngineSpec, namespace: &str) -> (Environment, Vec<Problem>) {
    let mut made = Maker {
        namespace,
        environment: Environment::default(),
        whole: HashMap::new(),
        problems: Vec::new(),
    };
    // First what the user gives: fields may refer to it.
    made.given(spec);
    made.problems.extend(taken_in_template(spec));
    made.fields(spec);
    if let Some(auth) = &spec.auth {
        made.auth(auth);
    }
    made.template(spec);
    made.environment.is_open = made.is_open(spec);
    (made.environment, made.problems)
}

struct Maker<'n> {
    namespace: &'n str,
    environment: Environment,
    /// The variables of the container, with all that they name put in.
    whole: HashMap<String, String>,
    problems: Vec<Problem>,
}

impl Maker<'_> {
    /// The pod template may give the engine's container variables of its own. A whole set of them says nothing of what is
    /// in it.
    fn is_open(&self, spec: &EngineSpec) -> bool {
        let variables = of_template(spec);
        let own: Vec<&str> = variables
            .iter()
            .filter_map(|variable| variable["name"].as_str())
            .collect();
        !ADMIN_SECRETS.iter().any(|name| {
            self.environment.variables.contains_key(*name)
                || self.environment.secret.contains_key(*name)
                || own.contains(name)
        })
    }

    /// Kubernetes knows nothing of what the operator keeps in the Secret, and would leave its name as it is written.
    fn template(&mut self, spec: &EngineSpec) {
        for variable in of_template(spec) {
            let text = |key: &str| variable.get(key).and_then(Value::as_str).unwrap_or_default();
            let secret = &self.environment.secret;
            if let Some(named) = named(text("value")).find(|named| secret.contains_key(*named)) {
                self.problems.push(Problem {
                    path: format!(
                        "spec.template.spec.containers[name={CONTAINER}].env[name={}].value",
                        text("name")
                    ),
                    message: format!(
                        "$({named}) comes from a Secret, which Kubernetes does not put in here: give this variable in spec.env"
                    ),
                });
            }
        }
    }

    /// What the user gives by name stands; fields do not replace it.
    fn set(&mut self, name: &str, value: impl Into<String>) {
        if !self.environment.secret.contains_key(name) {
            self.environment
                .variables
                .entry(name.to_owned())
                .or_insert_with(|| value.into());
        }
    }

    fn key(&self, from: &ValueFrom) -> Option<SecretKey> {
        let reference = from.secret_key_ref.as_ref()?;
        Some(SecretKey {
            namespace: self.namespace.to_owned(),
            name: reference.name.clone(),
            key: reference.key.clone(),
        })
    }

    fn set_from(&mut self, name: &str, from: &ValueFrom) {
        match (self.key(from), &from.env) {
            (Some(key), _) => self.set_part(name, Part::One(key)),
            (None, Some(variable)) => self.set_variable(name, variable),
            (None, None) => {}
        }
    }

    /// Kubernetes puts in the values of earlier variables; what it does not know it would leave as it is written.
    fn set_variable(&mut self, name: &str, variable: &str) {
        if let Some(part) = self.environment.secret.get(variable).cloned() {
            self.set_part(name, part);
        } else if self.environment.variables.contains_key(variable) {
            if let Some(whole) = self.whole.get(variable).cloned() {
                self.whole.entry(name.to_owned()).or_insert(whole);
            }
            self.set(name, format!("$({variable})"));
        } else {
            self.unknown(variable);
        }
    }

    fn unknown(&mut self, variable: &str) {
        self.problems.push(Problem {
            path: "spec.env".to_owned(),
            message: format!(
                "the variable {variable} is referred to and not given here (before it is referred to): add it"
            ),
        });
    }

    fn given(&mut self, spec: &EngineSpec) {
        for variable in spec.env.iter().flatten() {
            let name = variable.name.as_str();
            if RESERVED.contains(&name) || delivery::secret::is_reference(name) {
                self.problems.push(Problem {
                    path: format!("spec.env[name={name}]"),
                    message: "the operator sets this variable itself: leave it out".to_owned(),
                });
            } else if !is_variable(name) {
                self.problems.push(Problem {
                    path: format!("spec.env[name={name}].name"),
                    message:
                        "a variable's name has letters, digits and _ only, and does not begin with a digit"
                            .to_owned(),
                });
            } else if let Some(value) = &variable.value {
                self.given_value(spec, name, value);
            } else if let Some(from) = &variable.value_from {
                self.set_from(name, from);
            }
        }
    }

    /// A value may name variables before it, `$(NAME)`.
    fn given_value(&mut self, spec: &EngineSpec, name: &str, value: &str) {
        let mut problem = |message: String| {
            self.problems.push(Problem {
                path: format!("spec.env[name={name}].value"),
                message,
            });
        };
        let (plain, secret) = (&self.environment.variables, &self.environment.secret);
        let is_given = |named: &str| spec.env.iter().flatten().any(|other| other.name == named);
        let mut unknown =
            named(value).filter(|named| !plain.contains_key(*named) && !secret.contains_key(*named));
        if let Some(later) = unknown.find(|named| is_given(named)) {
            return problem(format!(
                "$({later}) names a variable that is not given before this one: move it up (or write $$({later}) for the text)"
            ));
        }
        match put_in(value, &self.whole, secret) {
            Err(TooLong) => problem("with what it names put in it is longer than 64 KiB".to_owned()),
            Ok(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Key(_))) => {
                self.set_part(name, Part::Text(pieces));
            }
            Ok(pieces) => {
                let whole = pieces.into_iter().next();
                if let Some(Piece::Text(whole)) = whole {
                    self.whole.entry(name.to_owned()).or_insert(whole);
                }
                self.set(name, value);
            }
        }
    }

    fn set_part(&mut self, name: &str, part: Part) {
        if !self.environment.variables.contains_key(name) {
            self.environment.secret.entry(name.to_owned()).or_insert(part);
        }
    }

    fn fields(&mut self, spec: &EngineSpec) {
        if let Some(cors) = &spec.cors {
            match cors.mode {
                CorsMode::Domains => {
                    let domains = cors.domains.as_deref().unwrap_or_default();
                    self.origins(domains);
                    self.set("HASURA_GRAPHQL_CORS_DOMAIN", domains.join(","));
                }
                CorsMode::Disabled => self.set("HASURA_GRAPHQL_DISABLE_CORS", "true"),
            }
        }
        if let Some(logs) = &spec.logs {
            if let Some(types) = &logs.types {
                let names: Vec<&str> = types.iter().map(|kind| log_type(*kind)).collect();
                self.set("HASURA_GRAPHQL_ENABLED_LOG_TYPES", names.join(","));
            }
            if let Some(level) = logs.level {
                self.set("HASURA_GRAPHQL_LOG_LEVEL", log_level(level));
            }
        }
        if let Some(apis) = &spec.apis {
            let names: Vec<&str> = apis.iter().filter_map(|api| api_name(*api)).collect();
            self.set("HASURA_GRAPHQL_ENABLED_APIS", names.join(","));
        }
        if spec.allow_list == Some(Enforcement::Enforced) {
            self.set("HASURA_GRAPHQL_ENABLE_ALLOWLIST", "true");
        }
        // Of `remoteSchemaPermissions` nothing is set: pods refuse it as long as they serve no remote schemas, and it is
        // told as not supported.
        if let Some(permissions) = spec.function_permissions {
            let inferred = matches!(permissions, FunctionPermissions::Inferred);
            self.set("HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS", inferred.to_string());
        }
        if let Some(convention) = spec.default_naming_convention {
            let name = match convention {
                NamingConvention::HasuraDefault => "hasura-default",
                NamingConvention::GraphqlDefault => "graphql-default",
            };
            self.set("HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION", name);
        }
        // Without it a naming convention, of the engine or of a Source, is refused; by itself it does nothing.
        self.set("HASURA_GRAPHQL_EXPERIMENTAL_FEATURES", "naming_convention");
        if let Some(stringify) = spec.stringify_numeric_types {
            self.set("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES", stringify.to_string());
        }
    }

    /// Pods end at their start for an origin that is none.
    fn origins(&mut self, domains: &[String]) {
        // Alone it is any origin.
        if domains == ["*"] {
            return;
        }
        let wrong = domains
            .iter()
            .enumerate()
            .filter(|(_, domain)| !is_origin(domain));
        self.problems.extend(wrong.map(|(at, domain)| Problem {
            path: format!("spec.cors.domains[{at}]"),
            message: format!(
                "\"{domain}\" is no origin: write http:// or https://, a host (*.example.com for those below it) and a port if need be, nothing behind it"
            ),
        }));
    }

    fn auth(&mut self, auth: &Auth) {
        self.set_from("HASURA_GRAPHQL_ADMIN_SECRET", &auth.admin_secret_from);
        match auth.jwt.as_deref() {
            None | Some([]) => {}
            Some([one]) => self.set_from("HASURA_GRAPHQL_JWT_SECRET", one),
            Some(several) => self.several(several),
        }
        if let Some(role) = &auth.unauthorized_role {
            self.set("HASURA_GRAPHQL_UNAUTHORIZED_ROLE", role);
        }
        if let Some(webhook) = &auth.webhook {
            if let Some(url) = &webhook.url {
                self.set("HASURA_GRAPHQL_AUTH_HOOK", url);
            }
            if let Some(from) = &webhook.url_from {
                self.set_from("HASURA_GRAPHQL_AUTH_HOOK", from);
            }
            if let Some(mode) = webhook.mode {
                self.set("HASURA_GRAPHQL_AUTH_HOOK_MODE", format!("{mode:?}"));
            }
            if let Some(send) = webhook.send_request_body {
                self.set("HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY", send.to_string());
            }
        }
    }

    /// A JSON list of what several hold.
    fn several(&mut self, several: &[ValueFrom]) {
        let mut list = Vec::new();
        for from in several {
            match (&from.secret_key_ref, &from.env) {
                (Some(_), _) => list.extend(self.key(from).map(|key| vec![Piece::Key(key)])),
                (None, Some(variable)) => match self.environment.secret.get(variable) {
                    Some(part) => list.push(part.pieces()),
                    None if self.environment.variables.contains_key(variable) => {
                        let whole = self.whole.get(variable).cloned().unwrap_or_default();
                        list.push(vec![Piece::Text(whole)]);
                    }
                    None => self.unknown(variable),
                },
                (None, None) => {}
            }
        }
        let name = "HASURA_GRAPHQL_JWT_SECRETS";
        let is_key = |piece: &Piece| matches!(piece, Piece::Key(_));
        if list.iter().flatten().any(is_key) {
            let mut pieces = vec![Piece::Text("[".to_owned())];
            for (at, item) in list.into_iter().enumerate() {
                if at > 0 {
                    pieces.push(Piece::Text(",".to_owned()));
                }
                pieces.extend(item);
            }
            pieces.push(Piece::Text("]".to_owned()));
            return self.set_part(name, Part::Text(pieces));
        }
        let variables = several.iter().filter_map(|from| from.env.as_ref());
        let list: Vec<String> = variables.map(|variable| format!("$({variable})")).collect();
        self.set(name, format!("[{}]", list.join(",")));
    }
}

/// The variables that the pod template gives the engine's container.
fn of_template(spec: &EngineSpec) -> Vec<Value> {
    let template = spec.template.as_ref();
    let containers = template.and_then(|template| template.0.get("spec")?.get("containers")?.as_array());
    let own = containers
        .into_iter()
        .flatten()
        .filter(|container| container["name"] == CONTAINER);
    let sets = own.filter_map(|container| container.get("env")?.as_array());
    sets.flatten().cloned().collect()
}

/// What the pod template gives the engine's container would take the place of what the operator sets there: pods with
/// another port, say, would never become ready.
fn taken_in_template(spec: &EngineSpec) -> Vec<Problem> {
    let variables = of_template(spec);
    let names = variables.iter().filter_map(|variable| variable["name"].as_str());
    let taken = names.filter(|name| RESERVED.contains(name) || delivery::secret::is_reference(name));
    taken
        .map(|name| Problem {
            path: format!("spec.template.spec.containers[name={CONTAINER}].env[name={name}]"),
            message: "the operator sets this variable itself: leave it out".to_owned(),
        })
        .collect()
}

fn is_variable(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(first) && name.bytes().all(|byte| first(byte) || byte.is_ascii_digit())
}

fn log_type(kind: LogType) -> &'static str {
    match kind {
        LogType::Startup => "startup",
        LogType::HttpLog => "http-log",
        LogType::WebhookLog => "webhook-log",
        LogType::WebsocketLog => "websocket-log",
        LogType::QueryLog => "query-log",
        LogType::ExecutionLog => "execution-log",
        LogType::LivequeryPollerLog => "livequery-poller-log",
        LogType::ActionHandlerLog => "action-handler-log",
        LogType::DataConnectorLog => "data-connector-log",
        LogType::JwkRefreshLog => "jwk-refresh-log",
        LogType::ValidateInsertInputLog => "validate-insert-input-log",
    }
}

fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

/// None: it has no endpoints yet, which is told as not supported.
fn api_name(api: Api) -> Option<&'static str> {
    match api {
        Api::GraphQL => Some("graphql"),
        Api::Metadata => Some("metadata"),
        Api::Config => Some("config"),
        Api::Metrics => Some("metrics"),
        Api::PgDump | Api::Developer => None,
    }
}

/// Whether the engine takes it as an origin that pages may call from.
fn is_origin(text: &str) -> bool {
    let text = text.trim().trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let rest = host.strip_prefix("*.").unwrap_or(host);
        !rest.is_empty() && !rest.contains(['*', '/', ',']) && !rest.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(spec: Value) -> (Environment, Vec<Problem>) {
        environment(&serde_json::from_value(spec).expect("a spec"), "n")
    }

    fn key(name: &str, key: &str) -> SecretKey {
        SecretKey {
            namespace: "n".to_owned(),
            name: name.to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn values_of_secrets_never_stand_in_variables() {
        let reference = |name: &str| json!({"secretKeyRef": {"name": "s", "key": name}});
        let (environment, problems) = of(json!({
            "auth": {"adminSecretFrom": reference("admin"), "jwt": [reference("a"), reference("b")], "unauthorizedRole": "anyone"},
            "env": [{"name": "LITERAL", "value": "x"}, {"name": "OTHER", "valueFrom": reference("other")}],
        }));
        assert_eq!(problems, []);
        assert_eq!(
            environment.secret["HASURA_GRAPHQL_ADMIN_SECRET"],
            Part::One(key("s", "admin"))
        );
        assert_eq!(
            environment.secret["HASURA_GRAPHQL_JWT_SECRETS"],
            Part::Text(vec![
                Piece::Text("[".to_owned()),
                Piece::Key(key("s", "a")),
                Piece::Text(",".to_owned()),
                Piece::Key(key("s", "b")),
                Piece::Text("]".to_owned()),
            ])
        );
        assert_eq!(environment.secret["OTHER"], Part::One(key("s", "other")));
        let names: Vec<&str> = environment.variables.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "LITERAL",
                "HASURA_GRAPHQL_EXPERIMENTAL_FEATURES",
                "HASURA_GRAPHQL_UNAUTHORIZED_ROLE"
            ]
        );
    }

    #[test]
    fn only_who_names_no_admin_secret_at_all_is_open() {
        let reference = json!({"secretKeyRef": {"name": "s", "key": "admin"}});
        for (spec, expected) in [
            (json!({}), true),
            (json!({"env": [{"name": "OTHER", "value": "x"}]}), true),
            (json!({"auth": {"adminSecretFrom": reference}}), false),
            (
                json!({"env": [{"name": "HASURA_GRAPHQL_ADMIN_SECRETS", "valueFrom": reference}]}),
                false,
            ),
            // Which the engine itself refuses: nobody becomes an admin by an empty text.
            (
                json!({"env": [{"name": "HASURA_GRAPHQL_ADMIN_SECRET", "value": ""}]}),
                false,
            ),
            (
                json!({"template": {"spec": {"containers": [{"name": "engine", "env": [{"name": "HASURA_GRAPHQL_ACCESS_KEY", "value": "x"}]}]}}}),
                false,
            ),
            // Another container's are not the engine's, and of a whole set nobody knows what is in it.
            (
                json!({"template": {"spec": {"containers": [{"name": "side", "env": [{"name": "HASURA_GRAPHQL_ACCESS_KEY", "value": "x"}]}]}}}),
                true,
            ),
            (
                json!({"template": {"spec": {"containers": [{"name": "engine", "envFrom": [{"secretRef": {"name": "all"}}]}]}}}),
                true,
            ),
        ] {
            assert_eq!(of(spec.clone()).0.is_open, expected, "{spec}");
        }
    }

    #[test]
    fn variables_of_variables_are_expanded_by_kubernetes() {
        let given = |name: &str| json!({"name": name, "value": "x"});
        let (environment, problems) = of(json!({
            "auth": {"adminSecretFrom": {"env": "A"}, "jwt": [{"env": "B"}, {"env": "C"}]},
            "env": [given("A"), given("B"), given("C")],
        }));
        assert_eq!(problems, []);
        assert_eq!(environment.variables["HASURA_GRAPHQL_ADMIN_SECRET"], "$(A)");
        assert_eq!(environment.variables["HASURA_GRAPHQL_JWT_SECRETS"], "[$(B),$(C)]");
    }

    #[test]
    fn a_value_that_names_a_secret_is_one() {
        let secret =
            |name: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": name}}});
        let given = |name: &str, value: &str| json!({"name": name, "value": value});
        let (environment, problems) = of(json!({
            "env": [
                given("HOST", "h"), secret("PW"), given("URL", "postgres://u:$(PW)@$(HOST)/d"), given("PLAIN", "$(HOST)$$(PW)"),
                given("K", "$(PLAIN)"),
            ],
            "auth": {"adminSecretFrom": {"env": "URL"}, "jwt": [{"env": "K"}, {"env": "PW"}]},
        }));
        assert_eq!(problems, []);
        let text = |text: &str| Piece::Text(text.to_owned());
        let password = Piece::Key(key("s", "PW"));
        let url = Part::Text(vec![text("postgres://u:"), password.clone(), text("@h/d")]);
        assert_eq!(environment.secret["URL"], url);
        assert_eq!(environment.secret["HASURA_GRAPHQL_ADMIN_SECRET"], url);
        assert_eq!(
            environment.secret["HASURA_GRAPHQL_JWT_SECRETS"],
            Part::Text(vec![text("["), text("h$(PW)"), text(","), password, text("]")])
        );
        assert_eq!(
            environment.variables["PLAIN"], "$(HOST)$$(PW)",
            "Kubernetes puts it in"
        );
        let (_, problems) = of(
            json!({"env": [given("URL", "u:$(PW)"), secret("PW"), given("OTHER", "$(KUBERNETES_SERVICE_HOST)")]}),
        );
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["spec.env[name=URL].value"]);
        let template =
            json!({"spec": {"containers": [{"name": "engine", "env": [given("URL", "u:$(PW)")]}]}});
        let (_, problems) = of(json!({"env": [secret("PW")], "template": template}));
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            ["spec.template.spec.containers[name=engine].env[name=URL].value"]
        );
    }

    #[test]
    fn any_origin_may_be_said_alone() {
        let cors = |domains: Value| of(json!({"cors": {"mode": "Domains", "domains": domains}}));
        let (environment, problems) = cors(json!(["*"]));
        assert_eq!(
            (problems, &*environment.variables["HASURA_GRAPHQL_CORS_DOMAIN"]),
            (Vec::new(), "*")
        );
        assert_eq!(cors(json!([" https://a/ "])).1, []);
        assert_eq!(cors(json!(["*", "https://a"])).1.len(), 1);
    }

    #[test]
    fn an_admin_secret_is_never_the_text_of_a_reference() {
        let auth = json!({"adminSecretFrom": {"env": "A"}});
        let (environment, problems) = of(json!({"auth": auth}));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(!environment.variables.contains_key("HASURA_GRAPHQL_ADMIN_SECRET"));
        let from = json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}});
        let (environment, problems) = of(json!({"auth": auth, "env": [from]}));
        assert_eq!(problems, []);
        assert_eq!(
            environment.secret["HASURA_GRAPHQL_ADMIN_SECRET"],
            Part::One(key("s", "k"))
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        let (environment, problems) = of(json!({
        "env": [{"name": "ROWLOCK_ORIGIN", "value": "x"}, {"name": "a b", "value": "x"}, {"name": "A", "value": "x"}],
            "auth": {"adminSecretFrom": {"env": "A"}, "jwt": [{"env": "B"}, {"secretKeyRef": {"name": "s", "key": "k"}}]},
            "cors": {"mode": "Domains", "domains": ["https://a.example", "https://*.b.example:1", "c.example", "https://d/e"]},
        }));
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "spec.env[name=ROWLOCK_ORIGIN]",
                "spec.env[name=a b].name",
                "spec.cors.domains[2]",
                "spec.cors.domains[3]",
                "spec.env"
            ]
        );
        assert!(!environment.variables.contains_key("ROWLOCK_ORIGIN"));
    }

    /// Another container may have what it likes.
    #[test]
    fn the_template_does_not_replace_what_the_operator_sets() {
        let container =
            |name: &str, variable: &str| json!({"name": name, "env": [{"name": variable, "value": "9999"}]});
        let problems = |containers: Value| {
            let (_, problems) = of(json!({"template": {"spec": {"containers": containers}}}));
            let paths = problems.into_iter().map(|problem| problem.path);
            paths.collect::<Vec<_>>()
        };
        for name in RESERVED
            .iter()
            .copied()
            .chain(["ROWLOCK_SECRET_0123456789ABCDEF"])
        {
            assert_eq!(
                problems(json!([container("side", name), container("engine", name)])),
                [format!(
                    "spec.template.spec.containers[name=engine].env[name={name}]"
                )]
            );
        }
        assert!(problems(json!([container("engine", "HASURA_GRAPHQL_LOG_LEVEL")])).is_empty());
        assert!(problems(json!({"name": "engine"})).is_empty());
    }

    #[test]
    fn fields_are_settings_and_what_is_given_by_name_stands() {
        let (environment, _) = of(json!({
            "cors": {"mode": "Domains", "domains": ["https://a", "https://b"]},
            "logs": {"types": ["startup"], "level": "Warn"},
            "apis": ["GraphQL", "Metrics"],
            "allowList": "Enforced", "remoteSchemaPermissions": "Off", "functionPermissions": "Explicit",
            "env": [{"name": "HASURA_GRAPHQL_LOG_LEVEL", "value": "debug"}],
        }));
        let text = environment
            .variables
            .iter()
            .map(|(name, value)| format!("{}={value}", name.trim_start_matches("HASURA_GRAPHQL_")))
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(
            text,
            "LOG_LEVEL=debug CORS_DOMAIN=https://a,https://b ENABLED_LOG_TYPES=startup ENABLED_APIS=graphql,metrics \
             ENABLE_ALLOWLIST=true INFER_FUNCTION_PERMISSIONS=false EXPERIMENTAL_FEATURES=naming_convention"
        );
    }
}
