//! Clients that write without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ledger::{LINES, Ledger, Outcome};
use super::wait_for;
use crate::permissions::random::Random;
use crate::process::Connection;

const CLIENTS: u64 = 8;

/// Of a fixed number of rows: sent with its commit behind it.
const BOUNDED: &str = "mutation ($ticket: bigint!, $lines: [line_insert_input!]!, $note: note_insert_input!, $giver: Int!, \
    $taker: Int!, $amount: bigint!, $less: bigint!) { \
    insert_parcel_one(object: {ticket: $ticket, lines: {data: $lines}}) { id lines { id ticket } } \
    low: update_account_by_pk(pk_columns: {id: $giver}, _inc: {balance: $less}) { balance } \
    high: update_account_by_pk(pk_columns: {id: $taker}, _inc: {balance: $amount}) { balance } \
    insert_note(objects: [$note]) { affected_rows } }";

/// Of any number of rows: committed when the answer is there.
const UNBOUNDED: &str = "mutation ($ticket: bigint!, $lines: [line_insert_input!]!, $note: note_insert_input!, $giver: Int!, \
    $taker: Int!, $amount: bigint!, $less: bigint!) { \
    insert_parcel(objects: [{ticket: $ticket, lines: {data: $lines}}]) { returning { id lines { id ticket } } } \
    low: update_account(where: {id: {_eq: $giver}}, _inc: {balance: $less}) { returning { balance } } \
    high: update_account(where: {id: {_eq: $taker}}, _inc: {balance: $amount}) { returning { balance } } \
    insert_note(objects: [$note]) { affected_rows } }";

/// A statement that is a transaction by itself.
const SINGLE: &str = "mutation ($rows: [single_insert_input!]!) { insert_single(objects: $rows) { affected_rows returning { ticket } } }";

/// A mutation; whether its last part is refused.
fn mutation(random: &mut Random, ticket: u64) -> (Value, bool) {
    if random.percent(25) {
        let refused = random.percent(10);
        let row = |at: u64| json!({"ticket": ticket, "refused": refused && at + 1 == LINES});
        let rows: Vec<Value> = (0..LINES).map(row).collect();
        return (json!({"query": SINGLE, "variables": {"rows": rows}}), refused);
    }
    let text = if random.percent(50) { BOUNDED } else { UNBOUNDED };
    // The lower account first, so that nobody waits in a circle.
    let giver = random.below(63);
    let taker = giver + 1 + random.below(63 - giver);
    let (amount, refused) = (random.below(100), random.percent(10));
    let lines: Vec<Value> = (0..LINES).map(|_| json!({ "ticket": ticket })).collect();
    let note =
        json!({"ticket": ticket, "giver": giver, "taker": taker, "amount": amount, "refused": refused});
    let variables = json!({"ticket": ticket, "lines": lines, "note": note, "giver": giver, "taker": taker,
        "amount": amount, "less": -(amount as i64)});
    (json!({"query": text, "variables": variables}), refused)
}

#[derive(Default)]
struct Phase {
    /// Something may fail from now on.
    doomed: AtomicBool,
    stopping: AtomicBool,
}

/// Clients at work.
pub(crate) struct Load {
    ledger: Arc<Ledger>,
    phase: Arc<Phase>,
    /// Each gives what it was told in place of an answer before it was stopped.
    clients: Vec<JoinHandle<Option<String>>>,
    before: usize,
}

impl Load {
    pub(crate) fn start(port: u16, ledger: &Arc<Ledger>) -> Self {
        let phase = Arc::new(Phase::default());
        let client = |number: u64| {
            let (ledger, phase) = (ledger.clone(), phase.clone());
            let random = Random::new(ledger.written() as u64 * CLIENTS + number);
            std::thread::spawn(move || work(port, &ledger, &phase, random))
        };
        Self {
            before: ledger.written(),
            clients: (0..CLIENTS).map(client).collect(),
            ledger: ledger.clone(),
            phase,
        }
    }

    /// Waits until so many more mutations were answered.
    pub(crate) fn until_written(&self, count: usize) {
        wait_for("writing", || {
            let failed = self.clients.iter().any(JoinHandle::is_finished);
            failed || self.ledger.written() >= self.before + count
        });
    }

    /// From now on the server may be gone.
    pub(crate) fn expect_the_end(&self) {
        self.phase.doomed.store(true, Ordering::SeqCst);
    }

    /// Stops the clients; gives what failed before anything was to be expected.
    pub(crate) fn stop(self) -> Vec<String> {
        self.phase.stopping.store(true, Ordering::SeqCst);
        let clients = self.clients.into_iter();
        clients.filter_map(|client| client.join().unwrap()).collect()
    }
}

/// Writes until told to stop or until something fails.
fn work(port: u16, ledger: &Ledger, phase: &Phase, mut random: Random) -> Option<String> {
    let ended = |what: String| (!phase.doomed.load(Ordering::SeqCst)).then_some(what);
    let mut connection = match Connection::to(port) {
        Ok(connection) => connection,
        Err(error) => return ended(error.to_string()),
    };
    while !phase.stopping.load(Ordering::SeqCst) {
        let ticket = ledger.open();
        let (body, refused) = mutation(&mut random, ticket);
        let answer = match connection.post("/v1/graphql", &[], &body) {
            Ok((_, answer)) => answer,
            Err(error) => return ended(error.to_string()),
        };
        if answer["data"].is_object() {
            assert!(!refused, "{answer}");
            ledger.close(ticket, Outcome::Written);
        } else if answer["errors"][0]["extensions"]["code"] == "permission-error" {
            assert!(refused, "{answer}");
            ledger.close(ticket, Outcome::Refused);
        } else {
            return ended(answer.to_string());
        }
    }
    None
}

/// Sends a mutation and hangs up, at once or a little later.
pub(crate) fn begin_and_leave(port: u16, ledger: &Ledger, random: &mut Random) {
    let mut connection = Connection::to(port).unwrap();
    let (body, _) = mutation(random, ledger.open());
    connection.begin("/v1/graphql", &[], &body).unwrap();
    let moment = Duration::from_micros(random.below(8000) as u64);
    let begin = Instant::now();
    while begin.elapsed() < moment {
        std::thread::yield_now();
    }
}
