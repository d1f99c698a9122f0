//! A Postgres of its own that flushes what it writes, and can be killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use embedded::{Launch, Server};

use crate::process::PATIENCE;
use crate::wait::pause;

pub(crate) struct Postgres {
    base: PathBuf,
    port: u16,
    server: Option<Server>,
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let base = std::env::temp_dir().join(format!("rowlock-crash-{}", std::process::id()));
        let server = Launch::persistent(&base).start(&mut |_| ()).unwrap();
        Self {
            base,
            port: server.port(),
            server: Some(server),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.as_ref().unwrap().url("postgres")
    }

    /// Kills all of it, or the session that is at work now, or any session.
    pub(crate) fn kill(&self, whole: bool) {
        let text = std::fs::read_to_string(self.base.join("data/postmaster.pid")).unwrap();
        let first: u32 = text.lines().next().unwrap().trim().parse().unwrap();
        let children = children(first);
        let mut victims = Vec::new();
        let gone = if whole {
            victims.push(first);
            victims.extend(&children);
            victims.clone()
        } else {
            // Its title says what a process does; sessions name their database and what they are at.
            let session = |child: &&u32| title(**child).is_some_and(|title| title.contains("127.0.0.1("));
            let at_work = |child: &&u32| title(**child).is_some_and(|title| !title.contains("idle"));
            let sessions: Vec<u32> = children.iter().filter(session).copied().collect();
            let chosen = sessions.iter().find(at_work).or_else(|| sessions.first());
            victims.push(*chosen.unwrap());
            // The server ends all sessions when one of them was killed.
            sessions
        };
        for victim in victims {
            // One that is gone by itself is as good as killed.
            let _ = Command::new("kill")
                .args(["-KILL", &victim.to_string()])
                .output()
                .unwrap();
        }
        // What is asked from now on is asked of the server that comes after.
        let end = Instant::now() + PATIENCE;
        while gone
            .iter()
            .any(|process| title(*process).is_some_and(|title| !title.is_empty()))
        {
            assert!(Instant::now() < end, "killed processes go on: {gone:?}");
            pause();
        }
    }

    /// Starts it again after all of it was killed.
    pub(crate) fn restart(&mut self) {
        drop(self.server.take());
        let launch = Launch::persistent(&self.base).port(self.port);
        self.server = Some(launch.start(&mut |_| ()).unwrap());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = std::fs::remove_dir_all(&self.base);
    }
}

fn title(process: u32) -> Option<String> {
    let text = std::fs::read(format!("/proc/{process}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&text).replace('\0', " "))
}

fn children(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if parent(&entry.path()) == Some(of) {
            found.push(process);
        }
    }
    found
}

fn parent(process: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(process.join("stat")).ok()?;
    text.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}
