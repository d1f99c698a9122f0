//! Every setting of the operator: flag, variable, default.

use std::net::SocketAddr;

use crate::observe::Level;

/// The command line.
#[derive(Debug, clap::Parser)]
#[command(
    name = "rowlock-operator",
    about = "Runs Rowlock engines from custom resources",
    version
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Watch custom resources and run their engines.
    Run(Box<Settings>),
    /// Print the definitions of the custom resources.
    Crds,
}

/// The settings of `run`.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Comma list of the namespaces to look at; empty means all of the cluster.
    #[arg(long, env = "ROWLOCK_NAMESPACES", value_delimiter = ',', default_value = "")]
    pub namespaces: Vec<String>,
    /// The namespace of the operator itself, where its lease is; empty means the one of the credentials.
    #[arg(long, env = "POD_NAMESPACE", default_value = "")]
    pub own_namespace: String,
    /// The name of this instance in the lease; empty means one made up.
    #[arg(long, env = "POD_NAME", default_value = "")]
    pub identity: String,
    /// The name of the lease that instances compete for.
    #[arg(long, env = "ROWLOCK_LEASE", default_value = "rowlock-operator")]
    pub lease: String,
    /// Seconds after which another instance takes over from one that died.
    #[arg(long, env = "ROWLOCK_LEASE_SECONDS", default_value_t = 8, value_parser = clap::value_parser!(u64).range(3..=300))]
    pub lease_seconds: u64,
    /// The name of the ClusterRole that allows to read Secrets where it is bound, for what people are told.
    #[arg(
        long,
        env = "ROWLOCK_SECRETS_ROLE",
        default_value = "rowlock-operator-secrets"
    )]
    pub secrets_role: String,
    /// The image of engines that name none.
    #[arg(long, env = "ROWLOCK_ENGINE_IMAGE", default_value_t = format!("rowlock:{}", env!("CARGO_PKG_VERSION")))]
    pub engine_image: String,
    /// Address of `/healthz`, `/readyz` and `/metrics`.
    #[arg(long, env = "ROWLOCK_OPERATOR_LISTEN", default_value = "0.0.0.0:8082")]
    pub listen: SocketAddr,
    /// Port of the engines' admin API.
    #[arg(long, env = "ROWLOCK_ENGINE_ADMIN_PORT", default_value_t = 8081)]
    pub engine_admin_port: u16,
    /// Custom resources at most; with more, nothing is published until some are gone. Default: what fits into the memory limit.
    #[arg(long, env = "ROWLOCK_MAX_OBJECTS")]
    pub max_objects: Option<usize>,
    /// Bytes of memory that the program may take; 0: there is no limit.
    #[arg(long, env = "ROWLOCK_MEMORY_LIMIT", default_value_t = 0)]
    pub memory_limit: u64,
    /// The least level that is logged: `debug`, `info`, `warn` or `error`.
    #[arg(long, env = "ROWLOCK_LOG_LEVEL", default_value = "info")]
    pub log_level: Level,
}

/// Namespaces at most: each costs about thirty watches.
const MOST_NAMESPACES: usize = 100;

/// Custom resources at most where nothing limits the memory.
const MOST_OBJECTS: usize = 100_000;
/// Bytes of memory that the program takes without any objects, and for moments besides.
const MEMORY_AT_REST: u64 = 40 << 20;
/// Bytes of memory for each object at most, while a set is compiled and published: `bench/operator` measures 14 KiB.
pub(crate) const MEMORY_OF_OBJECT: u64 = 20 << 10;

/// Why settings cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many namespaces.
    #[error(
        "--namespaces lists {0} namespaces, {MOST_NAMESPACES} at most can be watched one by one: leave it empty to watch all"
    )]
    Namespaces(usize),
    /// No room for any object.
    #[error(
        "--memory-limit {0} leaves no room for custom resources: the operator takes {MEMORY_AT_REST} bytes without any"
    )]
    Memory(u64),
}

impl Settings {
    /// Custom resources at most: no more than fit into the memory, where nobody says otherwise.
    ///
    /// # Errors
    /// None do.
    pub fn most_objects(&self) -> Result<usize, Error> {
        if let Some(most) = self.max_objects {
            return Ok(most);
        }
        let Some(memory) = self.memory_of_objects() else {
            return Ok(MOST_OBJECTS);
        };
        match usize::try_from(memory / MEMORY_OF_OBJECT).unwrap_or(MOST_OBJECTS) {
            0 => Err(Error::Memory(self.memory_limit)),
            fit => Ok(fit.min(MOST_OBJECTS)),
        }
    }

    /// Bytes of memory that there are for custom resources, and for what is made of them; none: nothing limits them.
    pub fn memory_of_objects(&self) -> Option<u64> {
        (self.memory_limit > 0).then(|| self.memory_limit.saturating_sub(MEMORY_AT_REST))
    }

    /// The namespaces to look at; none: all.
    pub fn scopes(&self) -> Result<Vec<Option<String>>, Error> {
        let mut named: Vec<&str> = self
            .namespaces
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
            .collect();
        named.sort_unstable();
        named.dedup();
        if named.len() > MOST_NAMESPACES {
            return Err(Error::Namespaces(named.len()));
        }
        if named.is_empty() {
            return Ok(vec![None]);
        }
        Ok(named.into_iter().map(|name| Some(name.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn settings(arguments: &[&str]) -> Settings {
        let all = ["rowlock-operator", "run"].iter().chain(arguments);
        match Arguments::try_parse_from(all).expect("a command line").command {
            Command::Run(settings) => *settings,
            Command::Crds => panic!("another command"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_namespace_is_all() {
        assert_eq!(settings(&[]).scopes(), Ok(vec![None]));
        assert_eq!(settings(&["--namespaces", ""]).scopes(), Ok(vec![None]));
        let two = vec![Some("a".to_owned()), Some("b".to_owned())];
        assert_eq!(settings(&["--namespaces", "b, a,b"]).scopes(), Ok(two));
        let many = (0..101)
            .map(|number| format!("n{number}"))
            .collect::<Vec<_>>()
            .join(",");
        assert_eq!(
            settings(&["--namespaces", &many]).scopes(),
            Err(Error::Namespaces(101))
        );
    }

    /// The chart's own limit takes the 10,000 objects that its documentation names.
    #[test]
    fn no_more_objects_are_taken_than_the_memory_holds() {
        let most = |arguments: &[&str]| settings(arguments).most_objects().unwrap_or(0);
        assert_eq!(most(&[]), MOST_OBJECTS);
        let of_chart = (256 << 20).to_string();
        assert!((10_000..12_000).contains(&most(&["--memory-limit", &of_chart])));
        assert_eq!(
            settings(&["--memory-limit", "1"]).most_objects(),
            Err(Error::Memory(1))
        );
        assert_eq!(most(&["--memory-limit", "1", "--max-objects", "7"]), 7);
        assert_eq!(most(&["--memory-limit", &of_chart, "--max-objects", "7"]), 7);
        assert_eq!(most(&["--memory-limit", &u64::MAX.to_string()]), MOST_OBJECTS);
    }

    /// `docs/operator.md` has a row for each setting.
    #[test]
    fn every_setting_is_documented() {
        let page = include_str!("../../../docs/operator.md");
        let command = Arguments::command();
        let run = command.find_subcommand("run").expect("run");
        for argument in run
            .get_arguments()
            .filter(|argument| argument.get_env().is_some())
        {
            let flag = format!("`--{}`", argument.get_long().expect("a flag"));
            let variable = argument
                .get_env()
                .and_then(|name| name.to_str())
                .expect("a variable");
            let row = page.lines().find(|line| line.starts_with(&format!("| {flag} |")));
            assert!(
                row.is_some_and(|row| row.contains(&format!("`{variable}`"))),
                "{flag} {variable}"
            );
        }
    }
}
