//! `rowlock dev` as a new user meets it: started on an empty directory, asked what the README asks.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use embedded::test::TestDatabase;
use serde_json::Value;

/// A running `dev` on a directory of its own; both go with it.
struct Dev {
    child: Child,
    output: Vec<String>,
    errors: PathBuf,
    address: SocketAddr,
    data: PathBuf,
}

impl Dev {
    fn start(name: &str) -> Self {
        let data = std::env::temp_dir().join(format!("rowlock-dev-{name}-{}", std::process::id()));
        Self::start_on(data)
    }

    fn start_on(data: PathBuf) -> Self {
        Self::start_with(data, &[])
    }

    fn start_with(data: PathBuf, more: &[&str]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let errors = data.with_extension(format!("{}.stderr", address.port()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_rowlock"))
            .stderr(fs::File::create(&errors).unwrap())
            .args(["dev", "--port", &address.port().to_string(), "--data"])
            .arg(&data)
            .args(more)
            // Not the checkout: the sample that the program carries is served.
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let last = line.starts_with("Ctrl-C");
            output.push(line);
            if last {
                break;
            }
        }
        assert!(
            output.iter().any(|line| line.starts_with("Ctrl-C")),
            "it ended early: {output:#?} {}",
            fs::read_to_string(&errors).unwrap()
        );
        Self {
            child,
            output,
            errors,
            address,
            data,
        }
    }

    /// Ctrl-C, and the end of everything.
    fn interrupt(&mut self) -> bool {
        let process = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", "INT", &process])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().success()
    }

    fn post(&self, headers: &[(String, String)], body: &str) -> Value {
        self.post_to("/v1/graphql", headers, body)
    }

    fn post_to(&self, path: &str, headers: &[(String, String)], body: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.interrupt();
        }
        let _ = fs::remove_dir_all(&self.data);
        let _ = fs::remove_file(&self.errors);
    }
}

/// A `curl` of the README and the answer that is printed below it.
struct Example {
    headers: Vec<(String, String)>,
    body: String,
    answer: String,
}

fn examples(text: &str) -> Vec<Example> {
    let mut blocks: Vec<(&str, String)> = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => open = Some((language, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, block))) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    let pairs = blocks
        .windows(2)
        .filter(|pair| pair[0].1.starts_with("curl ") && pair[1].0 == "json");
    pairs
        .map(|pair| {
            // Words in single quotes, each after its option.
            let parts: Vec<_> = pair[0].1.split('\'').collect();
            let mut headers = Vec::new();
            let mut body = String::new();
            for option in parts.chunks_exact(2) {
                match option[0].split_whitespace().last() {
                    Some("-H") => {
                        let (name, value) = option[1].split_once(": ").unwrap();
                        headers.push((name.to_owned(), value.to_owned()));
                    }
                    Some("-d") => option[1].clone_into(&mut body),
                    other => panic!("{other:?} in the README's {}", pair[0].1),
                }
            }
            Example {
                headers,
                body,
                answer: pair[1].1.clone(),
            }
        })
        .collect()
}

#[test]
fn the_readme_tells_the_truth() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let examples = examples(&readme);
    assert!(examples.len() >= 5, "{} examples", examples.len());
    let mut dev = Dev::start("readme");
    for example in examples {
        let answer = dev.post(&example.headers, &example.body);
        let expected: Value = serde_json::from_str(&example.answer).unwrap_or_else(|error| {
            panic!("{error} in the answer to {}, which is\n{answer:#}", example.body)
        });
        assert_eq!(answer, expected, "{}", example.body);
    }
    let command = dev
        .output
        .iter()
        .find(|line| line.trim_start().starts_with("curl"))
        .unwrap();
    let body = command.split('\'').nth(3).unwrap();
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    assert_eq!(
        dev.post(&headers, body)["data"]["album"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "{command}"
    );
    assert!(dev.interrupt(), "Ctrl-C is an orderly end");
    let told = fs::read_to_string(&dev.errors).unwrap();
    assert!(
        told.contains("24 objects") && !told.contains("to look at"),
        "{told}"
    );
}

#[test]
fn data_survives_and_an_edited_file_is_served() {
    let mut first = Dev::start("restart");
    assert!(
        first
            .output
            .iter()
            .any(|line| line.contains("filled the sample database")),
        "{:#?}",
        first.output
    );
    assert!(first.interrupt());
    let data = std::mem::take(&mut first.data);
    drop(first);

    let second = Dev::start_on(data);
    assert!(
        !second
            .output
            .iter()
            .any(|line| line.contains("filled the sample")),
        "{:#?}",
        second.output
    );
    let headers = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-hasura-role".to_owned(), "visitor".to_owned()),
    ];
    let body = r#"{"query": "{ album(limit: 1) { price } }"}"#;
    assert!(second.post(&headers, body).get("errors").is_some());
    let file = second.data.join("resources/album.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let edited = text.replace(
        "columns: [id, artist_id, title, released]",
        "columns: [id, title, released, price]",
    );
    assert_ne!(edited, text);
    fs::write(&file, edited).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while second.post(&headers, body).get("errors").is_some() {
        assert!(
            std::time::Instant::now() < deadline,
            "the edited file is not served"
        );
    }
}

#[test]
fn nothing_is_created_in_a_database_of_ones_own() {
    let database = TestDatabase::create("dev_own");
    let url = database.url();
    let schemas = |dev: &Dev| {
        let sql = r#"{"type": "run_sql", "args": {"sql": "select nspname from pg_namespace where nspname = 'hdb_catalog'"}}"#;
        dev.post_to("/v2/query", &[], sql)["result"]
            .as_array()
            .unwrap()
            .len()
            - 1
    };
    let data = std::env::temp_dir().join(format!("rowlock-dev-own-{}", std::process::id()));
    let mut first = Dev::start_with(data, &["--database-url", &url]);
    assert!(
        first
            .output
            .iter()
            .any(|line| line.contains("nothing is created in it")),
        "{:#?}",
        first.output
    );
    let table = r#"{"type": "run_sql", "args": {"sql": "create table item (id int primary key)"}}"#;
    first.post_to("/v2/query", &[], table);
    let track = r#"{"type": "pg_track_table", "args": {"table": "item"}}"#;
    assert_eq!(first.post_to("/v1/metadata", &[], track)["message"], "success");
    assert_eq!(schemas(&first), 0);
    assert!(first.interrupt());
    let data = std::mem::take(&mut first.data);
    drop(first);

    let body = r#"{"query": "{ item { id } }"}"#;
    let mut second = Dev::start_with(data, &["--database-url", &url]);
    assert_eq!(second.post(&[], body)["data"]["item"], serde_json::json!([]));
    assert!(second.interrupt());
    let data = std::mem::take(&mut second.data);
    drop(second);

    // As asked for, and from then on without asking.
    let mut third = Dev::start_with(data, &["--database-url", &url, "--store-metadata"]);
    assert_eq!(schemas(&third), 1);
    assert!(third.interrupt());
    let data = std::mem::take(&mut third.data);
    drop(third);
    let fourth = Dev::start_with(data, &["--database-url", &url]);
    assert!(
        fourth
            .output
            .iter()
            .any(|line| line.contains("metadata found in your database")),
        "{:#?}",
        fourth.output
    );
}

#[test]
fn a_port_in_use_ends_it_with_a_message() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_rowlock"))
        .args(["dev", "--port", &port])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains(&format!("port {port} is in use")), "{text}");
}
