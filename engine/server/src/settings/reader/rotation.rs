//! What is taken of variables that changed: each setting by itself, so that one that is wrong keeps no other from its new
//! value. An admin secret that got out is not to stay good because a key of tokens beside it cannot be read.

use clap::ArgMatches;
use delivery::RefusedSetting;

use super::authentication::{ADMIN, OTHERS};
use super::{Error, Given};
use crate::settings::list::{ALL, Setting};
use crate::settings::{Authentication, Environment};

/// What holds after a change.
#[derive(Debug)]
pub struct Rotated {
    /// Who may ask.
    pub authentication: Authentication,
    /// The variables that this was read from: new ones, and last ones where a new one is not taken.
    pub variables: Environment,
    /// What is not taken.
    pub refused: Vec<RefusedSetting>,
}

/// Reads who may ask. `last` has the variables that it was read from before.
///
/// # Errors
/// The last variables are wrong themselves.
pub(super) fn rotated(
    matches: &ArgMatches,
    environment: &Environment,
    last: &Environment,
) -> Result<Rotated, Error> {
    let given = Given::new(matches, environment);
    let mut refused = Vec::new();
    let mut variables = environment.clone();
    for key in ADMIN.iter().chain(OTHERS) {
        if let Err(error) = given.check_alone(key) {
            refused.push(error.refused(key));
            variables = variables.restored(names(&[key]), last);
        }
    }
    let has_admin = |variables: &Environment| {
        let secrets = Given::new(matches, variables).admin_secrets();
        secrets.is_ok_and(|secrets| !secrets.is_empty())
    };
    // Without any secret everybody would be an admin: that is not decided by a key that got lost.
    if !has_admin(&variables) && has_admin(last) {
        refused.push(RefusedSetting {
            variable: "HASURA_GRAPHQL_ADMIN_SECRET".to_owned(),
            message: "there is no admin secret any more".to_owned(),
        });
        variables = variables.restored(names(ADMIN), last);
    }
    let authentication = match Given::new(matches, &variables).authentication() {
        Ok(authentication) => authentication,
        // They do not go together.
        Err(error) => {
            refused.push(error.refused(if has_admin(&variables) {
                "HASURA_GRAPHQL_AUTH_HOOK"
            } else {
                "HASURA_GRAPHQL_ADMIN_SECRET"
            }));
            variables = variables.restored(names(OTHERS), last);
            Given::new(matches, &variables).authentication()?
        }
    };
    Ok(Rotated {
        authentication,
        variables,
        refused,
    })
}

/// The variables of these settings.
fn names(keys: &[&str]) -> impl Iterator<Item = &'static str> {
    let settings = ALL.iter().filter(|setting| keys.contains(&setting.key));
    settings.flat_map(Setting::variables)
}

impl Error {
    /// The same of a setting whose last value stays in use. No secret of the value is in it.
    pub fn refused(&self, key: &str) -> RefusedSetting {
        let (variable, message) = match self {
            Self::Variable { variable, reason } => (variable.as_str(), reason.without_value()),
            Self::Flag { reason, .. } => (key, reason.without_value()),
            Self::Rule(rule) => (key, (*rule).to_owned()),
        };
        RefusedSetting {
            variable: variable.to_owned(),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::command_line;

    const ADMIN_SECRET: &str = "HASURA_GRAPHQL_ADMIN_SECRET";
    const JWT: &str = "HASURA_GRAPHQL_JWT_SECRET";
    const HOOK: &str = "HASURA_GRAPHQL_AUTH_HOOK";
    const KEY: &str = r#"{"type":"HS256","key":"a-secret-of-thirty-two-characters"}"#;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter();
        variables
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Admin secrets, whether there are tokens and a hook, and what is not taken.
    fn after(
        last: &[(&str, &str)],
        now: &[(&str, &str)],
    ) -> (Vec<String>, bool, bool, Vec<(String, String)>) {
        let matches = command_line::command()
            .try_get_matches_from(["rowlock", "serve"])
            .unwrap();
        let rotated = rotated(&matches, &of(now), &of(last)).unwrap();
        let authentication = rotated.authentication;
        let secrets = authentication.admin_secrets.iter();
        let refused = rotated.refused.into_iter();
        (
            secrets.map(|secret| secret.reveal().to_owned()).collect(),
            !authentication.jwt.is_empty(),
            authentication.hook.is_some(),
            refused
                .map(|refused| (refused.variable, refused.message))
                .collect(),
        )
    }

    #[test]
    fn a_wrong_value_keeps_no_other_setting_from_its_new_one() {
        let told = |variable: &str, message: &str| vec![(variable.to_owned(), message.to_owned())];
        let one = |secret: &str| vec![secret.to_owned()];
        let last = [(ADMIN_SECRET, "old"), (JWT, KEY)];
        let short = r#"{"type":"HS256","key":"hunter2"}"#;
        assert_eq!(
            after(&last, &[(ADMIN_SECRET, "new"), (JWT, short)]),
            (
                one("new"),
                true,
                false,
                told(JWT, "Key size too small; should be at least 32 characters")
            )
        );
        // The other way round.
        let (secrets, has_tokens, _, refused) = after(&last, &[(ADMIN_SECRET, "")]);
        assert_eq!((secrets, has_tokens), (one("old"), false));
        assert_eq!(refused, told(ADMIN_SECRET, "must not be empty"));
        // Of several admin secrets, too.
        let several = "HASURA_GRAPHQL_ADMIN_SECRETS";
        let last = [(ADMIN_SECRET, "old"), (several, r#"["other"]"#)];
        let (secrets, _, _, refused) = after(&last, &[(ADMIN_SECRET, "new"), (several, "[]")]);
        assert_eq!(secrets, ["new"], "the last one is taken out");
        assert_eq!(refused, []);
        let (secrets, _, _, refused) = after(&last, &[(several, "[]")]);
        assert_eq!(secrets, ["old", "other"]);
        assert_eq!(refused[0].1, "there is no admin secret any more");
        for wrong in ["[1]", "x"] {
            let (secrets, _, _, refused) = after(&last, &[(ADMIN_SECRET, "new"), (several, wrong)]);
            assert_eq!(secrets, ["new", "other"], "{wrong}");
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!(refused[0].0, several);
        }
        // A value in the place of another is not repeated.
        let mode = "HASURA_GRAPHQL_AUTH_HOOK_MODE";
        let hook = (HOOK, "http://hook");
        let (_, _, has_hook, refused) = after(
            &[(ADMIN_SECRET, "a")],
            &[(ADMIN_SECRET, "a"), hook, (mode, "hunter2")],
        );
        assert!(has_hook);
        assert_eq!(refused, told(mode, "expecting one of GET, POST"));
    }

    #[test]
    fn admin_secrets_that_vanish_stay() {
        let (secrets, has_tokens, _, refused) = after(&[(ADMIN_SECRET, "old")], &[(JWT, KEY)]);
        assert_eq!((secrets, has_tokens), (vec!["old".to_owned()], true));
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].1, "there is no admin secret any more");
        // Who never had one takes no tokens before there is one.
        let (secrets, has_tokens, _, refused) = after(&[], &[(JWT, KEY)]);
        assert_eq!((secrets.len(), has_tokens), (0, false));
        assert_eq!(refused[0].0, ADMIN_SECRET);
    }

    #[test]
    fn what_does_not_go_together_stays_as_it_was() {
        let (secrets, has_tokens, has_hook, refused) = after(
            &[(ADMIN_SECRET, "old"), (JWT, KEY)],
            &[(ADMIN_SECRET, "new"), (JWT, KEY), (HOOK, "http://hook")],
        );
        assert_eq!(
            (secrets, has_tokens, has_hook),
            (vec!["new".to_owned()], true, false)
        );
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].0, HOOK);
    }
}
