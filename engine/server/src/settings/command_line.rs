//! The command line, made from the list of settings.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::list::{ALL, Form, Place, Setting};

/// `rowlock` with its subcommands.
pub fn command() -> Command {
    let mut command = Command::new("rowlock")
        .about("GraphQL engine for Postgres, compatible with Hasura v2")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        // `--host` and `-h` of other engines mean the database's host.
        // Parsed by `dev` itself; here for the list of commands.
        .subcommand(Command::new("dev").about(crate::dev::ABOUT))
        .subcommand(crate::transfer::import_command())
        .subcommand(crate::transfer::export_command())
        .subcommand(Command::new("version").about("Print the version"));
    let mut serve = Command::new("serve").about("Serve the GraphQL and metadata APIs");
    for setting in ALL {
        let Some(argument) = argument(setting) else {
            continue;
        };
        match setting.place {
            Place::Global => command = command.arg(argument.global(true)),
            Place::Serve => serve = serve.arg(argument),
        }
    }
    command.subcommand(serve)
}

fn argument(setting: &Setting) -> Option<Arg> {
    let flag = setting.flag?;
    let mut argument = Arg::new(setting.key)
        .long(flag)
        .help(setting.doc)
        .action(match setting.form {
            Form::List => ArgAction::Append,
            _ => ArgAction::Set,
        })
        .value_name(match setting.form {
            Form::Switch | Form::Boolean => "BOOLEAN",
            Form::Text => "TEXT",
            Form::Number => "NUMBER",
            Form::List => "NAME=FILE",
        });
    if let Some(short) = setting.short {
        argument = argument.short(short);
    }
    if setting.form == Form::Switch {
        argument = argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true");
    }
    Some(argument)
}

/// The flag's value, wherever on the line it stands.
pub fn given<'a>(matches: &'a ArgMatches, setting: &Setting) -> Option<&'a str> {
    setting.flag?;
    let here = |matches: &'a ArgMatches| {
        matches
            .try_get_one::<String>(setting.key)
            .ok()
            .flatten()
            .map(String::as_str)
    };
    matches
        .subcommand()
        .and_then(|(_, inner)| here(inner))
        .or_else(|| here(matches))
}

/// All values of a flag that may be given several times.
pub fn every<'a>(matches: &'a ArgMatches, setting: &Setting) -> Vec<&'a str> {
    let here = |matches: &'a ArgMatches| {
        let values = matches.try_get_many::<String>(setting.key).ok().flatten();
        values
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
    };
    let mut all = here(matches);
    all.extend(
        matches
            .subcommand()
            .into_iter()
            .flat_map(|(_, inner)| here(inner)),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_the_subcommand() {
        let matches = command()
            .try_get_matches_from([
                "rowlock",
                "--metadata-database-url",
                "postgresql://localhost/m",
                "serve",
                "--server-port",
                "9000",
                "--admin-secret",
                "s",
                "--stringify-numeric-types",
                "--enable-telemetry=false",
            ])
            .unwrap();
        let value = |key: &str| {
            ALL.iter()
                .find(|setting| setting.key == key)
                .and_then(|setting| given(&matches, setting))
        };
        assert_eq!(
            value("HASURA_GRAPHQL_METADATA_DATABASE_URL"),
            Some("postgresql://localhost/m")
        );
        assert_eq!(value("HASURA_GRAPHQL_SERVER_PORT"), Some("9000"));
        assert_eq!(value("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES"), Some("true"));
        assert_eq!(value("HASURA_GRAPHQL_ENABLE_TELEMETRY"), Some("false"));
        assert_eq!(value("HASURA_GRAPHQL_DEV_MODE"), None);
    }
}
