//! What is handed on, and what is not.

use std::time::Duration;

use delivery::name::{INDEX_KEY, METADATA_KEY};
use delivery::{Half, Index, Mark, Publication, Set, hash, publish};
use kubernetes::{SetNews, follow_sets};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api_server::ApiServer;

const NAME: &str = "shop-metadata";
const MAPS: &str = "configmaps";

fn small(counter: u64) -> Set {
    Set {
        counter,
        metadata: format!(r#"{{"version":3,"x":{counter}}}"#),
        objects: "[]".to_owned(),
    }
}

/// In three parts.
fn large(counter: u64) -> Set {
    let mut metadata = String::new();
    for number in 0..70_000_u64 {
        metadata.push_str(&hash(&(counter << 32 | number).to_be_bytes()));
    }
    Set {
        counter,
        metadata,
        objects: "[]".to_owned(),
    }
}

fn published(set: &Set, half: Half) -> Publication {
    publish(NAME, set, half).unwrap()
}

fn put_parts(server: &ApiServer, publication: &Publication) {
    for part in &publication.parts {
        server.put(
            MAPS,
            &part.name,
            json!({"binaryData": {"part": base64(&part.content)}}),
        );
    }
}

fn put_index(server: &ApiServer, publication: &Publication) {
    server.put(MAPS, NAME, json!({"data": publication.data}));
}

fn base64(bytes: &[u8]) -> Value {
    serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap()
}

fn handed_on(set: Set) -> SetNews {
    let mark = set.mark();
    SetNews::Set(set, mark)
}

struct Follower {
    news: mpsc::UnboundedReceiver<SetNews>,
}

impl Follower {
    fn start(server: &ApiServer, accepted: Option<Mark>) -> Self {
        let (sender, news) = mpsc::unbounded_channel();
        let connection = server.connection();
        tokio::spawn(async move {
            follow_sets(&connection, NAME, accepted, |news| drop(sender.send(news))).await;
        });
        Self { news }
    }

    async fn next(&mut self) -> SetNews {
        tokio::time::timeout(Duration::from_secs(20), self.news.recv())
            .await
            .unwrap()
            .unwrap()
    }

    async fn next_counter(&mut self) -> u64 {
        match self.next().await {
            SetNews::Set(set, mark) => {
                assert_eq!(mark, set.mark());
                set.counter
            }
            other => panic!("{other:?}"),
        }
    }

    async fn next_refusal(&mut self) -> (Option<u64>, String) {
        match self.next().await {
            SetNews::Refused { counter, message } => (counter, message),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn sets_are_handed_on_as_they_come() {
    let server = ApiServer::new();
    let mut follower = Follower::start(&server, None);
    assert_eq!(follower.next().await, SetNews::Missing);
    put_index(&server, &published(&small(1), Half::A));
    assert_eq!(follower.next().await, handed_on(small(1)));
    put_index(&server, &published(&small(2), Half::A));
    assert_eq!(follower.next().await, handed_on(small(2)));
    server.delete(MAPS, NAME);
    assert_eq!(follower.next().await, SetNews::Missing);
    put_index(&server, &published(&small(2), Half::A));
    assert_eq!(follower.next().await, SetNews::Same);
    put_index(&server, &published(&small(3), Half::A));
    assert_eq!(follower.next_counter().await, 3);
}

#[tokio::test]
async fn only_objects_that_it_was_told_of_are_read() {
    let server = ApiServer::new();
    let publication = published(&large(1), Half::A);
    put_parts(&server, &publication);
    put_index(&server, &publication);
    let mut follower = Follower::start(&server, None);
    assert_eq!(follower.next_counter().await, 1);
    for request in server.requests() {
        let by_selector = request.contains("fieldSelector=metadata.name%3Dshop-metadata");
        let by_name = (0..3).any(|part| request.ends_with(&format!("/configmaps/shop-metadata-a-{part}")));
        assert!(by_selector || by_name, "{request}");
    }
}

#[tokio::test]
async fn a_torn_set_is_refused_and_taken_when_it_is_whole() {
    let server = ApiServer::new();
    let (first, second) = (published(&large(1), Half::A), published(&large(2), Half::A));
    put_parts(&server, &first);
    put_index(&server, &first);
    let mut follower = Follower::start(&server, None);
    assert_eq!(follower.next_counter().await, 1);
    // The index of the second with two parts of the first.
    server.put(
        MAPS,
        &second.parts[0].name,
        json!({"binaryData": {"part": base64(&second.parts[0].content)}}),
    );
    put_index(&server, &second);
    let (counter, message) = follower.next_refusal().await;
    assert_eq!(counter, Some(2));
    assert_eq!(message, "part 1 is not what the index names");
    // Then it comes part by part: with one missing it is torn as well.
    server.delete(MAPS, &second.parts[2].name);
    server.put(
        MAPS,
        &second.parts[1].name,
        json!({"binaryData": {"part": base64(&second.parts[1].content)}}),
    );
    let (counter, message) = follower.next_refusal().await;
    assert_eq!(counter, Some(2));
    let missing = format!("the ConfigMap {} cannot be read: ", second.parts[2].name);
    assert!(message.starts_with(&missing), "{message}");
    put_parts(&server, &second);
    // It tries again by itself.
    loop {
        match follower.next().await {
            SetNews::Set(set, _) => break assert_eq!(set, large(2)),
            SetNews::Refused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_edited_or_is_earlier_is_refused() {
    let server = ApiServer::new();
    put_index(&server, &published(&small(5), Half::A));
    let mut follower = Follower::start(&server, None);
    assert_eq!(follower.next_counter().await, 5);

    let mut edited = published(&small(6), Half::A);
    edited.data.get_mut(METADATA_KEY).unwrap().push(' ');
    put_index(&server, &edited);
    let (counter, message) = follower.next_refusal().await;
    assert_eq!(
        (counter, &*message),
        (Some(6), "metadata.json is not what the index names")
    );
    // What is served is put back: nothing is wrong any more, and the same fault is told again.
    put_index(&server, &published(&small(5), Half::A));
    assert_eq!(follower.next().await, SetNews::Same);
    put_index(&server, &edited);
    assert_eq!(follower.next_refusal().await.0, Some(6));

    put_index(&server, &published(&small(4), Half::A));
    let (counter, message) = follower.next_refusal().await;
    assert_eq!(
        (counter, &*message),
        (Some(4), "its counter is below the one that is served (5)")
    );

    let other = Set {
        metadata: "{}".to_owned(),
        ..small(5)
    };
    put_index(&server, &published(&other, Half::A));
    let (counter, _) = follower.next_refusal().await;
    assert_eq!(counter, Some(5));

    server.put(MAPS, NAME, json!({"data": {INDEX_KEY: "{}"}}));
    assert_eq!(follower.next_refusal().await.0, None);

    put_index(&server, &published(&small(7), Half::A));
    assert_eq!(follower.next_counter().await, 7);
}

#[tokio::test]
async fn what_was_accepted_before_the_start_counts() {
    let server = ApiServer::new();
    let kept = published(&small(5), Half::A);
    let mark = Index::read(&kept.data).unwrap().mark();
    put_index(&server, &kept);
    let mut follower = Follower::start(&server, Some(mark.clone()));
    // The same set is no news: it was looked at when changes after it are asked for, and nothing was told.
    server.is_watched().await;
    put_index(&server, &published(&small(6), Half::A));
    assert_eq!(follower.next_counter().await, 6);

    put_index(&server, &published(&small(3), Half::A));
    let mut follower = Follower::start(&server, Some(mark));
    assert_eq!(follower.next_refusal().await.0, Some(3));
}

#[tokio::test]
async fn an_api_server_that_was_away_is_followed_again() {
    let server = ApiServer::new();
    put_index(&server, &published(&small(1), Half::A));
    let mut follower = Follower::start(&server, None);
    assert_eq!(follower.next_counter().await, 1);
    server.switch(false);
    assert!(matches!(follower.next().await, SetNews::Unreachable(_)));
    put_index(&server, &published(&small(2), Half::A));
    server.switch(true);
    loop {
        match follower.next().await {
            SetNews::Set(set, _) => break assert_eq!(set.counter, 2),
            SetNews::Unreachable(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A server that begins, or has too much to do, answers so: it is told at once, and asked again within seconds.
#[tokio::test]
async fn a_server_that_is_not_there_yet_is_told_at_once() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = sender.send(());
        }
    });
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    let connection = kubernetes::Connection::configured(config).unwrap();
    let (sender, mut news) = mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        follow_sets(&connection, NAME, None, |news| drop(sender.send(news))).await;
    });
    let patience = Duration::from_secs(10);
    let first = tokio::time::timeout(patience, news.recv())
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(first, SetNews::Unreachable(_)), "{first:?}");
    for _ in 0..5 {
        tokio::time::timeout(Duration::from_secs(20), asked.recv())
            .await
            .unwrap()
            .unwrap();
    }
    following.abort();
}
