//! The command lines.

use clap::{Arg, Command};

fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// `rowlock import`
pub fn import_command() -> Command {
    Command::new("import")
        .about("Turn Hasura metadata into custom resources")
        .after_help("The exit status is 2 if something could not be carried; what, is told line by line.")
        .arg(
            option(
                "metadata",
                "DIR|FILE|URL",
                "A metadata directory, a document (JSON or YAML), or a running server",
            )
            .required(true),
        )
        .arg(
            option(
                "out",
                "DIR",
                "Where the custom resources go: an empty folder, or none yet",
            )
            .required(true),
        )
        .arg(option(
            "namespace",
            "NAME",
            "The namespace of the objects [default: none is written]",
        ))
        .arg(option("engine", "NAME", "The name of the Engine").default_value("rowlock"))
        .arg(
            option("admin-secret", "SECRET", "The admin secret of the running server")
                .env("HASURA_GRAPHQL_ADMIN_SECRET")
                .hide_env_values(true),
        )
}

/// `rowlock export`
pub fn export_command() -> Command {
    Command::new("export")
        .about("Turn custom resources into Hasura metadata")
        .after_help("The exit status is 2 if something could not be carried; what, is told line by line.")
        .arg(
            Arg::new("resources")
                .value_name("DIR|FILE|-")
                .required(true)
                .help(
                    "Custom resources: a folder, a file, or the standard input, as from kubectl get -o yaml",
                ),
        )
        .arg(option(
            "out",
            "DIR",
            "Write a metadata directory there instead of a document to the standard output",
        ))
        .arg(option(
            "engine",
            "[NAMESPACE/]NAME",
            "The Engine that is exported, where there are several",
        ))
}
