//! The shell between this process and the server, so that the server never outlives us.
//!
//! ```text
//! this process ──stdin──▶ sh ──▶ postgres
//! ```
//!
//! The pipe closes when this process ends, whatever ended it (`exit`, a panic, `SIGKILL`); `sh` then sends the stop
//! signal, waits, and removes a temporary data directory. It runs in a process group of its own, so that Ctrl-C in a
//! terminal reaches only this process, which stops its server in order.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Error;
use crate::account::Account;

/// `$1` signal, `$2` directory to remove or empty, `$3…` the server and its arguments. The watcher reads with the
/// shell's own `read`, so killing it leaves no process behind.
const SCRIPT: &str = r#"
signal=$1; remove=$2; shift 2
exec 3<&0
"$@" </dev/null 3<&- & server=$!
( read -r _ <&3; kill -s "$signal" "$server" 2>/dev/null ) & watcher=$!
exec 3<&- </dev/null
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
if [ -n "$remove" ]; then cd / && rm -rf -- "$remove"; fi
exit "$status"
"#;

/// How the server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Roll back what runs, write a checkpoint: the next start is clean.
    Fast,
    /// At once, as in a crash: for data nobody will read again.
    Immediate,
}

/// A running server and the shell that watches it.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    /// The server runs as long as this is open.
    lifeline: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts `command` (program and arguments) as `account`, with its output in `log`.
    pub(crate) fn start(
        account: &Account,
        server: &Command,
        log: File,
        stop: Stop,
        remove: Option<&Path>,
    ) -> Result<Self, Error> {
        let again = log
            .try_clone()
            .map_err(Error::file("write", "the server's log"))?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(SCRIPT).arg("rowlock-postgres");
        shell.arg(match stop {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        });
        shell.arg(remove.unwrap_or(Path::new("")));
        shell.arg(server.get_program()).args(server.get_args());
        clean_environment(&mut shell);
        if let Some(directory) = server.get_current_dir() {
            shell.current_dir(directory);
        }
        account.apply(&mut shell);
        shell
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(again)
            .process_group(0);
        let mut child = shell.spawn().map_err(|source| Error::Spawn {
            program: "/bin/sh".into(),
            source,
        })?;
        let lifeline = child.stdin.take();
        Ok(Self { child, lifeline })
    }

    /// Whether the server has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Tells the server to stop and waits until it has; `false` if it has not after `patience`.
    pub(crate) fn stop(&mut self, patience: Duration) -> bool {
        drop(self.lifeline.take());
        let deadline = Instant::now() + patience;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

/// Variables of a surrounding Postgres session (`PGDATA`, `PGPORT`, `PGOPTIONS`, …) are not for our server.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
}
