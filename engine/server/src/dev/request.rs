//! The request that `dev` makes to its own server: one connection, the answer read to its end.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer answers are cut.
const LONGEST: u64 = 1 << 20;

/// `POST path` with JSON; the body of the answer.
pub(super) async fn post(
    address: SocketAddr,
    path: &str,
    secret: Option<&str>,
    body: &str,
) -> io::Result<String> {
    let mut head = format!("POST {path} HTTP/1.1\r\n");
    head.push_str(&format!(
        "host: {address}\r\nconnection: close\r\naccept-encoding: identity\r\n"
    ));
    head.push_str(&format!(
        "content-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    ));
    if let Some(secret) = secret {
        head.push_str(&format!("x-hasura-admin-secret: {secret}\r\n"));
    }
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes).await?;
    body_of(&String::from_utf8_lossy(&bytes))
        .map(str::to_owned)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an answer in HTTP"))
}

fn body_of(text: &str) -> Option<&str> {
    text.split_once("\r\n\r\n").map(|(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_follows_the_head() {
        assert_eq!(
            body_of("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"),
            Some("OK")
        );
        assert_eq!(body_of("SSH-2.0-x\r\n"), None);
    }
}
