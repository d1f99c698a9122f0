//! The document to import: from a folder, a file, or a server that runs.

use std::path::Path;
use std::time::Duration;

use http::header::LOCATION;
use metadata::Document;
use reqwest::{Response, Url, redirect};
use serde_json::{Value, json};

use super::Error;
use crate::generation::source_state::describe;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a server's answer at most.
const MOST_BYTES: usize = 512 << 20;

/// Reads a document; a warning is a key that it has and nobody knows.
pub(super) fn document(from: &str, admin_secret: Option<&str>) -> Result<Document, Error> {
    let wrong = |message: String| Error::Source {
        what: from.to_owned(),
        message,
    };
    let value = if from.starts_with("http://") || from.starts_with("https://") {
        let runtime = crate::run::runtime().map_err(|error| wrong(describe(&error)))?;
        runtime.block_on(of_server(from, admin_secret)).map_err(wrong)?
    } else if Path::new(from).is_dir() {
        of_folder(Path::new(from)).map_err(wrong)?
    } else {
        let text = std::fs::read_to_string(from).map_err(|error| wrong(error.to_string()))?;
        metadata::directory::read_yaml(from, &text).map_err(|error| wrong(describe(&error)))?
    };
    let value = unwrapped(value);
    match Document::parse(&value) {
        Ok((document, _)) => Ok(document),
        Err(error) => Err(wrong(format!("{}: {}", error.path, error.message))),
    }
}

/// A document, also as the metadata API of version 2 gives it (`resource_version`, `metadata`), takes it
/// (`allow_inconsistent_metadata`, `metadata`), or as a whole request to replace it.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut whole) if whole.get("type").is_some_and(|name| name == "replace_metadata") => {
            unwrapped(whole.remove("args").unwrap_or_default())
        }
        Value::Object(mut whole) if !whole.contains_key("sources") && whole.contains_key("metadata") => {
            whole.remove("metadata").unwrap_or_default()
        }
        value => value,
    }
}

fn of_folder(folder: &Path) -> Result<Value, String> {
    let files = metadata::directory::walk(folder).map_err(|error| describe(&error))?;
    metadata::directory::from_files(&files).map_err(|error| describe(&error))
}

/// `export_metadata` of a running server; `url` is where it is, with or without the path of the metadata API. Redirects are
/// not followed: the admin secret is for the server that was named.
async fn of_server(url: &str, admin_secret: Option<&str>) -> Result<Value, String> {
    // Fails only where one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let base = url.trim_end_matches('/').trim_end_matches("/v1/metadata");
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|error| describe(&error))?;
    let mut request = client
        .post(format!("{base}/v1/metadata"))
        .header("content-type", "application/json")
        .body(json!({"type": "export_metadata", "version": 2, "args": {}}).to_string());
    if let Some(secret) = admin_secret {
        request = request.header(crate::auth::ADMIN_SECRET, secret);
    }
    let mut answer = request.send().await.map_err(|error| describe(&error))?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(redirected(&answer));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| describe(&error))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err(format!("it answers with more than {MOST_BYTES} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    let value: Value = serde_json::from_slice(&body)
        .map_err(|error| format!("it answers with status {status} and no JSON ({error})"))?;
    if status.is_success() {
        return Ok(value);
    }
    let message = value
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or("no reason is given");
    Err(format!("it answers with status {status}: {message}"))
}

/// Where a server sends us, without what may be secret in a URL.
fn redirected(answer: &Response) -> String {
    let location = answer
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok());
    let target = location.and_then(|location| answer.url().join(location).ok());
    match target.map(without_secrets) {
        Some(target) => format!("it redirects to {target}: give that URL"),
        None => format!("it answers with status {} and no other URL", answer.status()),
    }
}

/// A URL as it may be shown: no user, no password, no query.
fn without_secrets(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    // Only URLs without a host refuse these, and they have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_admin_secret_goes_nowhere_else() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let target = elsewhere.local_addr().unwrap();
        let named = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", named.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            for location in [
                &format!("location: http://u:canary@{target}/v1/metadata?key=canary\r\n"),
                "location: /hasura/v1/metadata\r\n",
                "",
            ] {
                let (mut socket, _) = named.accept().unwrap();
                let _ = socket.read(&mut [0; 1024]);
                let answer = format!(
                    "HTTP/1.1 307 Temporary Redirect\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
                );
                socket.write_all(answer.as_bytes()).unwrap();
            }
        });
        for expected in [
            format!("it redirects to http://{target}/v1/metadata: give that URL"),
            format!("it redirects to {url}/hasura/v1/metadata: give that URL"),
            "it answers with status 307 Temporary Redirect and no other URL".to_owned(),
        ] {
            let error = document(&url, Some("canary")).unwrap_err();
            assert_eq!(error.to_string(), format!("{url} cannot be read: {expected}"));
        }
        served.join().unwrap();
        assert!(elsewhere.accept().is_err());
    }

    #[test]
    fn documents_are_found_in_what_the_metadata_api_gives_and_takes() {
        let document = json!({"version": 3, "sources": []});
        for value in [
            document.clone(),
            json!({"resource_version": 4, "metadata": document}),
            json!({"allow_inconsistent_metadata": true, "metadata": document}),
            json!({"type": "replace_metadata", "args": document}),
            json!({"type": "replace_metadata", "version": 2, "args": {"metadata": document}}),
        ] {
            assert_eq!(unwrapped(value), document);
        }
    }
}
