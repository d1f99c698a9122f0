//! Data that stays.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use embedded::{Error, Launch, Progress, Server};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("rowlock-embedded-{name}-{}", std::process::id())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(directory: &Directory) -> (Server, Vec<Progress>) {
    let mut steps = Vec::new();
    let server = Launch::persistent(&directory.0)
        .start(&mut |step| steps.push(step))
        .unwrap();
    (server, steps)
}

fn has_database(server: &Server, name: &str) -> bool {
    // Creating what exists already succeeds; a missing database cannot be connected to. Without a driver, ask the
    // files: one directory per database.
    let before = databases(server);
    server.ensure_database(name).unwrap();
    databases(server) == before
}

fn databases(server: &Server) -> usize {
    let base = std::env::temp_dir().join(format!("rowlock-embedded-data-{}", std::process::id()));
    assert!(server.port() > 0);
    fs::read_dir(base.join("data/base")).unwrap().count()
}

#[test]
fn data_survives_a_restart_and_initdb_runs_once() {
    let directory = Directory::new("data");
    let (server, steps) = start(&directory);
    assert!(
        steps
            .iter()
            .any(|step| matches!(step, Progress::Initializing { .. })),
        "{steps:?}"
    );
    assert!(!has_database(&server, "kept"));
    assert!(server.stop());

    let (server, steps) = start(&directory);
    assert!(
        !steps
            .iter()
            .any(|step| matches!(step, Progress::Initializing { .. })),
        "{steps:?}"
    );
    assert!(has_database(&server, "kept"));
}

#[test]
fn two_servers_do_not_share_data() {
    let directory = Directory::new("twice");
    let (_server, _) = start(&directory);
    let second = Launch::persistent(&directory.0).start(&mut |_| ());
    assert!(
        matches!(&second, Err(Error::Exited { log }) if log.contains("postmaster.pid")),
        "{second:?}"
    );
}

#[test]
fn a_port_in_use_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let refused = Launch::temporary().port(port).start(&mut |_| ());
    assert!(
        matches!(refused, Err(Error::PortInUse { port: named }) if named == port),
        "{refused:?}"
    );
}

#[test]
fn a_wrong_setting_shows_the_end_of_the_log() {
    let refused = Launch::temporary()
        .setting("no_such_setting", "1")
        .start(&mut |_| ());
    assert!(
        matches!(&refused, Err(Error::Exited { log }) if log.contains("no_such_setting")),
        "{refused:?}"
    );
}
