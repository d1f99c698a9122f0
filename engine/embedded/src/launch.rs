//! How a server is to be started: which data, which port, which settings.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::cluster::{Cluster, Durability, log_tail, random_word};
use crate::supervisor::{Stop, Supervisor};
use crate::{Error, Installation, Progress, Server};

/// How often another free port is tried when someone else took the one we found.
const PORT_ATTEMPTS: usize = 5;

/// A crashed server may have to replay its log first; a fresh one needs a tenth of a second.
const DEADLINE: Duration = Duration::from_secs(60);

/// Temporary directories begin with this; one left behind by a crash of the machine is known by it.
const TEMPORARY_PREFIX: &str = "rowlock-postgres-";

/// A leftover this old is removed at the next start.
const LEFTOVER_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A server to be started.
#[derive(Debug, Clone)]
pub struct Launch {
    base: Option<PathBuf>,
    port: Option<u16>,
    settings: Vec<(String, String)>,
    deadline: Duration,
}

impl Launch {
    /// A server whose data stays in `base` and is found there by the next start.
    #[must_use]
    pub fn persistent(base: impl Into<PathBuf>) -> Self {
        Self {
            base: Some(base.into()),
            port: None,
            settings: Vec::new(),
            deadline: DEADLINE,
        }
    }

    /// A server whose data goes when it stops. Nothing is flushed to disk: fast, and lost in a crash.
    #[must_use]
    pub fn temporary() -> Self {
        Self {
            base: None,
            port: None,
            settings: Vec::new(),
            deadline: DEADLINE,
        }
        .setting("fsync", "off")
        .setting("synchronous_commit", "off")
        .setting("full_page_writes", "off")
        // Tests run side by side, as many as the machine has cores.
        .setting("max_connections", "400")
        .setting("max_locks_per_transaction", "512")
    }

    /// Listens on this port of the loopback interface; without it, on any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// A setting of `postgresql.conf`.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long the server may take until it is ready; 60 s without this.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Finds or downloads Postgres, initialises the data if there is none, starts the server and waits until it
    /// answers.
    ///
    /// # Errors
    /// Every [`Error`] but those of creating databases.
    pub fn start(&self, progress: &mut dyn FnMut(Progress)) -> Result<Server, Error> {
        if let Some(port) = self.port
            && !is_free(port)
        {
            return Err(Error::PortInUse { port });
        }
        let account = Account::choose()?;
        let (cluster, temporary) = match &self.base {
            Some(base) => (Cluster::prepare(base, &account)?, None),
            None => {
                let parent = temporary_parent(&account);
                remove_leftovers(&parent);
                let directory = temporary_directory(&parent);
                (Cluster::prepare(&directory, &account)?, Some(Removal(directory)))
            }
        };
        let installation = match cluster.major() {
            Some(major) => Installation::of_major(major, &cluster.data(), progress)?,
            None => Installation::find_or_download(progress)?,
        };
        let durability = if temporary.is_some() {
            Durability::None
        } else {
            Durability::Safe
        };
        cluster.initialize(&installation, &account, durability, progress)?;
        let (supervisor, port) = self.run(&installation, &account, &cluster, durability, progress)?;
        progress(Progress::Ready { port });
        // From here on the supervisor removes the directory.
        if let Some(removal) = temporary {
            removal.forget();
        }
        Ok(Server::new(
            installation.version(),
            port,
            cluster.password()?,
            supervisor,
        ))
    }

    fn run(
        &self,
        installation: &Installation,
        account: &Account,
        cluster: &Cluster,
        durability: Durability,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Supervisor, u16), Error> {
        let mut attempt = 1;
        loop {
            let port = match self.port {
                Some(port) => port,
                None => free_port().map_err(Error::file("bind", "a free port"))?,
            };
            progress(Progress::Starting { port });
            let (stop, remove) = match durability {
                Durability::Safe => (Stop::Fast, None),
                Durability::None => (Stop::Immediate, Some(cluster.base())),
            };
            let log = cluster.log();
            let file = fs::File::create(&log).map_err(Error::file("create", &log))?;
            let mut reader = fs::File::open(&log).map_err(Error::file("read", &log))?;
            account.own(&log)?;
            let command = self.command(installation, cluster, port);
            let mut supervisor = Supervisor::start(account, &command, file, stop, remove)?;
            match self.wait_until_ready(&mut supervisor, &mut reader, &cluster.data(), port) {
                Ok(()) => return Ok((supervisor, port)),
                // Someone took the port between our look and the server's: look again.
                Err(Error::Exited { log })
                    if self.port.is_none() && attempt < PORT_ATTEMPTS && tells_of_port(&log) =>
                {
                    attempt += 1;
                }
                Err(error) => {
                    supervisor.stop(Duration::from_secs(5));
                    return Err(error);
                }
            }
        }
    }

    fn command(&self, installation: &Installation, cluster: &Cluster, port: u16) -> Command {
        let mut command = Command::new(installation.program("postgres"));
        command.arg("-D").arg(cluster.data()).current_dir(cluster.base());
        // No Unix socket: its path may be longer than the 107 bytes the system allows.
        let fixed = [
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            ("unix_socket_directories", String::new()),
        ];
        for (name, value) in &fixed {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command
    }

    fn wait_until_ready(
        &self,
        supervisor: &mut Supervisor,
        log: &mut fs::File,
        data: &Path,
        port: u16,
    ) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            if is_ready(data, port) {
                return Ok(());
            }
            if supervisor.has_ended() {
                return Err(Error::Exited { log: log_tail(log) });
            }
            if started.elapsed() > self.deadline {
                return Err(Error::Deadline {
                    seconds: self.deadline.as_secs(),
                    log: log_tail(log),
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// `postmaster.pid` has the port in line 4 and the state in line 8. The connection tells a file left by a crash apart.
fn is_ready(data: &Path, port: u16) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else {
        return false;
    };
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.get(3) == Some(&port.to_string().as_str())
        && lines.get(7) == Some(&"ready")
        && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn tells_of_port(log: &str) -> bool {
    log.contains("could not bind") || log.contains("Address already in use")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The directory for temporary files, unless the user that runs the server may not enter it.
fn temporary_parent(account: &Account) -> PathBuf {
    let usual = std::env::temp_dir();
    match account.check_reach(&usual.join("any")) {
        Ok(()) => usual,
        Err(_) => PathBuf::from("/tmp"),
    }
}

fn temporary_directory(parent: &Path) -> PathBuf {
    let mut word = random_word();
    word.truncate(12);
    parent.join(format!("{TEMPORARY_PREFIX}{}-{word}", std::process::id()))
}

/// Removes temporary directories that a crash of the machine left behind: a day old, and no server lives in them.
fn remove_leftovers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX);
        let age = entry
            .metadata()
            .and_then(|found| found.modified())
            .ok()
            .and_then(|time| time.elapsed().ok());
        if ours && age.is_some_and(|age| age > LEFTOVER_AGE) && !is_inhabited(&entry.path()) {
            // Someone else's, or removed by someone else at the same time: not our concern.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_inhabited(base: &Path) -> bool {
    let text = fs::read_to_string(base.join("data/postmaster.pid")).unwrap_or_default();
    let process = text.lines().next().unwrap_or_default().trim();
    // Where there is no /proc we cannot tell, and keep it.
    !process.is_empty() && (!Path::new("/proc/self").exists() || Path::new("/proc").join(process).exists())
}

/// Removes a temporary directory if the start fails before a supervisor would.
struct Removal(PathBuf);

impl Removal {
    fn forget(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // It may be gone already.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_uninhabited_directories_of_ours_are_leftovers() {
        let parent = std::env::temp_dir().join(format!("rowlock-leftovers-{}", std::process::id()));
        let make = |name: &str, process: &str, age: Duration| {
            let base = parent.join(name);
            fs::create_dir_all(base.join("data")).unwrap();
            fs::write(base.join("data/postmaster.pid"), process).unwrap();
            let time = std::time::SystemTime::now() - age;
            fs::File::open(&base).unwrap().set_modified(time).unwrap();
        };
        let old = LEFTOVER_AGE * 2;
        make("rowlock-postgres-dead", "4194305\n", old);
        make(
            "rowlock-postgres-alive",
            &format!("{}\n", std::process::id()),
            old,
        );
        make("rowlock-postgres-young", "4194305\n", Duration::ZERO);
        make("someone-else", "4194305\n", old);
        remove_leftovers(&parent);
        let mut left: Vec<_> = fs::read_dir(&parent)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        fs::remove_dir_all(&parent).unwrap();
        assert_eq!(
            left,
            ["rowlock-postgres-alive", "rowlock-postgres-young", "someone-else"]
        );
    }
}
