//! The way to a database, which need not be there at all times.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;

use crate::wait::pause;

/// What only one who reads a whole catalog asks.
pub(crate) const OF_CATALOGS: &[u8] = b"pg_relation_is_updatable";

/// See the module. While it is closed, connections are made and nothing gets through.
pub(crate) struct Way {
    pub(crate) url: String,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    open: AtomicBool,
    /// Connections on which somebody asks for a catalog get no further.
    keeps_catalogs: AtomicBool,
    /// How many there were.
    kept: AtomicUsize,
    /// What is asked with this in it waits until it is let through.
    held_back: Mutex<Option<&'static [u8]>>,
    /// How much there was of that.
    held: AtomicUsize,
    /// Milliseconds until a new connection gets through.
    slow: AtomicUsize,
}

impl Gate {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    fn keeps(&self, asked: &[u8]) -> bool {
        let is_kept = self.keeps_catalogs.load(Ordering::Acquire)
            && asked.windows(OF_CATALOGS.len()).any(|part| part == OF_CATALOGS);
        if is_kept {
            self.kept.fetch_add(1, Ordering::AcqRel);
        }
        is_kept
    }

    fn holds(&self, asked: &[u8]) -> bool {
        let text = *self.held_back.lock().unwrap();
        text.is_some_and(|text| asked.windows(text.len()).any(|part| part == text))
    }
}

impl Way {
    /// A way that is closed.
    pub(crate) fn closed(database: &TestDatabase) -> Self {
        let url = database.url();
        let (before, rest) = url.split_once('@').unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Gate::default());
        let way = Self {
            url: format!("{before}@127.0.0.1:{port}/{path}"),
            gate: Arc::clone(&gate),
        };
        let host = host.to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (host, gate) = (host.clone(), Arc::clone(&gate));
                std::thread::spawn(move || relay(&client, &host, &gate));
            }
        });
        way
    }

    pub(crate) fn is_open(&self, open: bool) {
        self.gate.open.store(open, Ordering::Release);
    }

    /// Whether the database answers, but hangs when its catalog is asked for.
    pub(crate) fn keeps_catalogs(&self, keeps: bool) {
        self.gate.keeps_catalogs.store(keeps, Ordering::Release);
    }

    /// Who asked for a catalog in vain.
    pub(crate) fn kept(&self) -> usize {
        self.gate.kept.load(Ordering::Acquire)
    }

    /// Statements with this text in them wait until there is none, and then go on.
    pub(crate) fn holds(&self, text: Option<&'static [u8]>) {
        *self.gate.held_back.lock().unwrap() = text;
    }

    /// How many of them waited.
    pub(crate) fn held(&self) -> usize {
        self.gate.held.load(Ordering::Acquire)
    }

    /// New connections take so long.
    pub(crate) fn is_slow(&self, by: Duration) {
        let by = usize::try_from(by.as_millis()).unwrap();
        self.gate.slow.store(by, Ordering::Release);
    }
}

fn relay(client: &TcpStream, host: &str, gate: &Arc<Gate>) {
    let begun = Instant::now();
    while !gate.is_open() || begun.elapsed().as_millis() < gate.slow.load(Ordering::Acquire) as u128 {
        pause();
    }
    let Ok(server) = TcpStream::connect(host) else {
        return;
    };
    let (answers, asker) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let of_answers = Arc::clone(gate);
    std::thread::spawn(move || pass(answers, asker, &of_answers, false));
    pass(client.try_clone().unwrap(), server, gate, true);
}

fn pass(mut from: TcpStream, mut to: TcpStream, gate: &Gate, asks: bool) {
    let mut bytes = [0; 8192];
    let mut asked = Vec::new();
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if asks {
            // What is looked for may come in two parts.
            asked.drain(..asked.len().saturating_sub(OF_CATALOGS.len()));
            asked.extend_from_slice(&bytes[..read]);
            if gate.keeps(&asked) {
                while gate.keeps_catalogs.load(Ordering::Acquire) {
                    pause();
                }
                break;
            }
            if gate.holds(&asked) {
                gate.held.fetch_add(1, Ordering::AcqRel);
                while gate.holds(&asked) {
                    pause();
                }
                asked.clear();
            }
        }
        while !gate.is_open() {
            pause();
        }
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
