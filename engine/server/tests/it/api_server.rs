//! A stand-in for a Kubernetes API server on a port: ConfigMaps and Secrets of one namespace, listed, got and watched
//! by name. It can be switched off, which ends what is open and refuses what comes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

#[derive(Default)]
struct World {
    /// By collection and name.
    objects: BTreeMap<(String, String), Value>,
    version: u64,
    off: bool,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(crate) struct ApiServer {
    world: Arc<(Mutex<World>, Condvar)>,
    port: u16,
}

impl ApiServer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            world: Arc::default(),
            port: listener.local_addr().unwrap().port(),
        };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (server, stream) = (serving.clone(), stream.unwrap());
                std::thread::spawn(move || server.answer(stream));
            }
        });
        server
    }

    /// A kubeconfig that leads here.
    pub(crate) fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": format!("http://127.0.0.1:{}", self.port)}}],
            "users": [{"name": "test", "user": {}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "shop"}}],
        })
        .to_string()
    }

    /// Puts an object with this content, `data` and the like.
    pub(crate) fn put(&self, collection: &str, name: &str, content: &Value) {
        let (world, changed) = &*self.world;
        let mut world = world.lock().unwrap();
        world.version += 1;
        let mut object = content.clone();
        object["apiVersion"] = json!("v1");
        object["kind"] = json!(if collection == "secrets" {
            "Secret"
        } else {
            "ConfigMap"
        });
        object["metadata"] = json!({"name": name, "resourceVersion": world.version.to_string()});
        world
            .objects
            .insert((collection.to_owned(), name.to_owned()), object);
        changed.notify_all();
    }

    /// On or off.
    pub(crate) fn switch(&self, on: bool) {
        let (world, changed) = &*self.world;
        world.lock().unwrap().off = !on;
        changed.notify_all();
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(first)) = lines.next() else { return };
        for line in lines {
            if line.unwrap_or_default().is_empty() {
                break;
            }
        }
        let target = first.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.trim_start_matches("/api/v1/namespaces/shop/");
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let (world, _) = &*self.world;
        let named = parameter("fieldSelector").map(|text| text.trim_start_matches("metadata.name%3D"));
        let (status, body) = {
            let world = world.lock().unwrap();
            let object = |collection: &str, name: &str| {
                world
                    .objects
                    .get(&(collection.to_owned(), name.to_owned()))
                    .cloned()
            };
            match (named, path.split_once('/')) {
                _ if world.off => (
                    503,
                    json!({"kind": "Status", "status": "Failure", "message": "off", "code": 503}),
                ),
                (Some(_), _) if parameter("watch").is_some() => (0, Value::Null),
                (Some(name), _) => (
                    200,
                    json!({
                        "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": world.version.to_string()},
                        "items": object(path, name).into_iter().collect::<Vec<_>>(),
                    }),
                ),
                (None, Some((collection, name))) => match object(collection, name) {
                    Some(object) => (200, object),
                    None => (
                        404,
                        json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}),
                    ),
                },
                (None, None) => (
                    403,
                    json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403}),
                ),
            }
        };
        let head = |status: u16| {
            format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
        };
        if status > 0 {
            let _ = write!(stream, "{}{body}", head(status));
            return;
        }
        let seen = parameter("resourceVersion").unwrap_or("0").parse().unwrap_or(0);
        if write!(stream, "{}", head(200)).is_ok() {
            self.watch(&mut stream, path, named.unwrap_or_default(), seen);
        }
    }

    fn watch(&self, stream: &mut TcpStream, collection: &str, name: &str, mut seen: u64) {
        let (world, changed) = &*self.world;
        let key = (collection.to_owned(), name.to_owned());
        let mut world = world.lock().unwrap();
        while !world.off {
            let version = |object: &Value| -> u64 {
                object["metadata"]["resourceVersion"]
                    .as_str()
                    .unwrap()
                    .parse()
                    .unwrap()
            };
            let later = world
                .objects
                .get(&key)
                .filter(|object| version(object) > seen)
                .cloned();
            if let Some(object) = later {
                seen = version(&object);
                if writeln!(stream, "{}", json!({"type": "MODIFIED", "object": object})).is_err() {
                    return;
                }
            }
            world = changed.wait_timeout(world, Duration::from_millis(500)).unwrap().0;
        }
    }
}
