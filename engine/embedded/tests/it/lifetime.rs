//! A server never outlives the process that started it.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use embedded::Launch;

/// Set in the process that this test starts: itself again.
const INNER: &str = "ROWLOCK_EMBEDDED_INNER";

#[test]
fn killing_the_process_stops_the_server() {
    if env::var_os(INNER).is_some() {
        let server = Launch::temporary().start(&mut |_| ()).unwrap();
        println!("port={}", server.port());
        // Until killed.
        loop {
            std::thread::park();
        }
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "lifetime::killing_the_process_stops_the_server",
            "--nocapture",
        ])
        .env(INNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let port: u16 = output
        .lines()
        .find_map(|line| {
            line.unwrap()
                .split_once("port=")
                .map(|(_, port)| port.trim().parse().unwrap())
        })
        .expect("the inner process starts a server");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(Instant::now() < deadline, "the server goes on listening");
        crate::wait::pause();
    }
}

#[test]
fn dropping_the_server_stops_it() {
    let server = Launch::temporary().start(&mut |_| ()).unwrap();
    let port = server.port();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
