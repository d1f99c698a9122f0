//! Against servers of the test's own on the loopback interface.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Serves one canned answer to every connection, and gives its URL.
async fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = [0; 1024];
            let _ = socket.read(&mut read).await;
            if answer.is_empty() {
                // Never answers; the socket stays open as long as the test.
                std::mem::forget(socket);
            } else {
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        }
    });
    format!("http://{address}/")
}

async fn get(url: &str) -> Result<Incoming, Error> {
    let client = Client::new(&settings::Outbound::default()).unwrap();
    client
        .send(Outgoing {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            timeout: Duration::from_millis(500),
            longest: 10,
        })
        .await
}

#[tokio::test]
async fn answers_and_bounds() {
    let url = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    let answer = get(&url).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, b"ok".as_slice()));
    let url = serve("HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n01234567890").await;
    assert!(matches!(get(&url).await, Err(Error::TooLong(10))));
    let url =
        serve("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n").await;
    assert!(matches!(get(&url).await, Err(Error::TooLong(10))));
    let url = serve("").await;
    assert!(matches!(get(&url).await, Err(Error::Timeout)));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let url = serve(
        "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(get(&url).await.unwrap().status, 302);
}

/// Names as a resolver of an attacker's would have them.
fn evil_lookup(name: &str) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
    let addresses: &[&str] = match name {
        "metadata.evil.example" => &["169.254.169.254:0"],
        "mapped.evil.example" => &["[::ffff:169.254.169.254]:0", "[fd00:ec2::254]:0"],
        "both.evil.example" => &["169.254.169.254:0", "127.0.0.1:0"],
        _ => &["127.0.0.1:0"],
    };
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Box::pin(async move { Ok(addresses) })
}

#[tokio::test]
async fn names_are_checked_by_their_addresses() {
    let client = Client::with_lookup(&settings::Outbound::default(), evil_lookup).unwrap();
    let get = |url: String| {
        let client = client.clone();
        async move {
            let outgoing = Outgoing {
                method: Method::GET,
                url: &url,
                headers: HeaderMap::new(),
                body: None,
                timeout: Duration::from_secs(60),
                longest: 10,
            };
            client.send(outgoing).await
        }
    };
    for name in ["metadata.evil.example", "mapped.evil.example"] {
        let told = get(format!("http://{name}/latest/meta-data")).await;
        assert!(matches!(told, Err(Error::Forbidden)), "{name} {told:?}");
    }
    // Only the addresses that are allowed are connected to.
    let url = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
    for name in ["both.evil.example", "good.example"] {
        assert_eq!(get(url.replace("127.0.0.1", name)).await.unwrap().status, 200);
    }
    let url = serve(
        "HTTP/1.1 307 Moved\r\nlocation: http://metadata.evil.example/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!(
        get(url.replace("127.0.0.1", "good.example"))
            .await
            .unwrap()
            .status,
        307
    );
}

#[tokio::test]
async fn forbidden_addresses_and_schemes() {
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[fe80::1]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0/",
    ] {
        assert!(matches!(get(url).await, Err(Error::Forbidden)), "{url}");
    }
    for url in ["file:///etc/passwd", "ftp://127.0.0.1/", "nonsense", ""] {
        assert!(matches!(get(url).await, Err(Error::Url)), "{url}");
    }
}
