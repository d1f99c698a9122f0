//! Starting the program, talking to it, stopping it.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::Value;

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program with an environment of its own.
pub(crate) fn rowlock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rowlock"));
    command.args(arguments).env_clear();
    command
}

/// What a command that ends by itself said.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        status: output.status,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    log: Mutex<Log>,
}

/// What it logs.
struct Log {
    /// What it logged before the address, which may be looked for later.
    before_address: VecDeque<Value>,
    after: Receiver<Value>,
}

impl Log {
    fn next(&mut self, end: Instant) -> Result<Value, RecvTimeoutError> {
        let left = end.saturating_duration_since(Instant::now());
        let earlier = self.before_address.pop_front();
        earlier.map_or_else(|| self.after.recv_timeout(left), Ok)
    }
}

impl Server {
    /// `serve` with this metadata database, which is the source `default` as well.
    pub(crate) fn start(database: &TestDatabase, arguments: &[&str]) -> Self {
        let url = database.url();
        let mut all = vec!["serve", "--server-port", "0", "--database-url", &url];
        all.extend_from_slice(arguments);
        Self::start_with(&all)
    }

    /// With this command line.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::spawn(&mut rowlock(arguments))
    }

    /// This command, which serves.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::spawn_telling(command, Stdio::inherit())
    }

    /// The same, with another place for what it says on standard error.
    pub(crate) fn spawn_telling(command: &mut Command, stderr: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (send, after) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let log = Log {
            before_address: VecDeque::new(),
            after,
        };
        let mut server = Self {
            child,
            port: 0,
            log: Mutex::new(log),
        };
        // What is started beside the listener may log before or after it.
        let mut earlier = VecDeque::new();
        let line = server.log_line("the address", |line| {
            let found = line["detail"]["info"]["address"].is_string();
            if !found {
                earlier.push_back(line.clone());
            }
            found
        });
        let address = line["detail"]["info"]["address"].as_str().unwrap();
        server.port = address.rsplit(':').next().unwrap().parse().unwrap();
        server.log.get_mut().unwrap().before_address = earlier;
        server
    }

    /// The next log line that is as wanted.
    pub(crate) fn log_line(&self, what: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.log.lock().unwrap().next(end) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(error) => panic!("no log line with {what}: {error}"),
            }
        }
    }

    /// Sends a request and gives status and body.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut stream = self.connect();
        write_request(&mut stream, method, path, headers, body);
        read_response(&mut stream)
    }

    /// A connection to it.
    /// The generation that an answer is said to be from.
    pub(crate) fn generation_of(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Option<String> {
        let mut stream = self.connect();
        write_request(&mut stream, method, path, headers, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let mut lines = answer.lines().take_while(|line| !line.is_empty());
        lines.find_map(|line| line.strip_prefix("x-rowlock-generation: ").map(str::to_owned))
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The same with a JSON answer.
    pub(crate) fn json(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let (status, body) = self.send("POST", path, headers, &body.to_string());
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// The answer to what must be accepted of whoever asks.
    pub(crate) fn accepted(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.json(path, &[], body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the server does not stop");
            crate::wait::pause();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is used for one request after the other.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Posts, and waits for status and JSON; an error when the server is gone.
    pub(crate) fn post(
        &mut self,
        path: &str,
        headers: &[(&str, String)],
        body: &Value,
    ) -> io::Result<(u16, Value)> {
        self.begin(path, headers, body)?;
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(gone)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(gone());
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        Ok((status, serde_json::from_slice(&answer).unwrap()))
    }

    /// Sends a request and does not wait for the answer.
    pub(crate) fn begin(&mut self, path: &str, headers: &[(&str, String)], body: &Value) -> io::Result<()> {
        let body = body.to_string();
        let mut text = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.push_str(&body);
        self.0.get_mut().write_all(text.as_bytes())
    }
}

/// Writes a request whose answer ends the connection.
pub(crate) fn write_request(
    stream: &mut TcpStream,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) {
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(body);
    stream.write_all(text.as_bytes()).unwrap();
}

/// Reads an answer to the end of the connection.
pub(crate) fn read_response(stream: &mut TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .unwrap_or_else(|| panic!("no status in {text:?}"));
    (status.parse().unwrap(), body.to_owned())
}
