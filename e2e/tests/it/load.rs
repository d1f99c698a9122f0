//! People who ask all the time while something happens, and what became of their requests.
//!
//! Some ask again as soon as they are answered: they take all that a machine has, and learn whether anything fails. Others
//! ask at a steady pace, whatever became of the request before, and count from the moment at which a request was due: so
//! nothing hides behind an answer that was late, and nobody waits merely because the machine is full of questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::answer::Client;
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;

/// Requests under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    people: Vec<JoinHandle<Outcome>>,
}

impl Drop for Load {
    /// A story that failed does not wait for people who would ask for ever.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// What became of them.
#[derive(Debug, Default)]
pub struct Outcome {
    pub latencies: Vec<Duration>,
    /// What was wrong, of the first ones.
    pub failures: Vec<String>,
    pub failed: usize,
    /// The generations that answered, each with what it answered.
    pub generations: BTreeMap<String, BTreeSet<String>>,
    /// How many generations answered each of the people.
    pub seen: Vec<usize>,
}

const MOST_FAILURES: usize = 5;

impl Load {
    /// Starts people who ask the same and expect one of these bodies, until they are told to stop.
    pub fn start(people: usize, client: &Client, address: &str, operation: &str, expected: &[Value]) -> Self {
        Self::of(people, usize::MAX, client, address, operation, expected)
    }

    /// One person at each of these addresses, who asks once in `every`, until they are told to stop.
    pub fn paced(
        addresses: &[String],
        every: Duration,
        client: &Client,
        operation: &str,
        expected: &[Value],
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let people = addresses.len().max(1);
        let person = |(at, address): (usize, &String)| {
            // One after the other within the pace, not all at the same moment.
            let first = every * u32::try_from(at).unwrap_or(0) / u32::try_from(people).unwrap_or(1);
            let client = client.apart().expect("a client");
            let person = Person::new(&stop, &client, address, operation, expected);
            // Waiting is exact to a millisecond in a runtime, and to microseconds in a thread. What is asked and answered stays
            // in the thread as well: each hand-over from one thread to another is a wait of its own on a machine that is busy.
            tokio::task::spawn_blocking(move || {
                let runtime = Builder::new_current_thread().enable_all().build();
                let runtime = runtime.expect("a runtime");
                let mut outcome = Outcome::default();
                let mut due = Instant::now() + first;
                while !person.stop.load(Ordering::Relaxed) {
                    while let Some(early) = due
                        .checked_duration_since(Instant::now())
                        .filter(|early| !early.is_zero())
                    {
                        std::thread::park_timeout(early);
                    }
                    runtime.block_on(person.ask(due, &mut outcome));
                    due += every;
                }
                outcome
            })
        };
        let people = addresses.iter().enumerate().map(person).collect();
        Self { stop, people }
    }

    /// The same, each so many times.
    pub fn of(
        people: usize,
        times: usize,
        client: &Client,
        address: &str,
        operation: &str,
        expected: &[Value],
    ) -> Self {
        let addresses = vec![address.to_owned(); people];
        Self::begin(&addresses, times, client, operation, expected)
    }

    fn begin(
        addresses: &[String],
        times: usize,
        client: &Client,
        operation: &str,
        expected: &[Value],
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let person = |address: &String| {
            let person = Person::new(&stop, client, address, operation, expected);
            tokio::spawn(async move {
                let mut outcome = Outcome::default();
                while outcome.latencies.len() < times && !person.stop.load(Ordering::Relaxed) {
                    person.ask(Instant::now(), &mut outcome).await;
                }
                outcome
            })
        };
        let people = addresses.iter().map(person).collect();
        Self { stop, people }
    }

    /// Ends it. Fails where any request failed, or none was made.
    pub async fn end(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        self.over().await
    }

    /// Waits until all are through. Fails as [`Self::end`] does.
    pub async fn over(mut self) -> Outcome {
        let mut outcome = Outcome::default();
        for person in std::mem::take(&mut self.people) {
            let one = person.await.expect("a person");
            outcome.latencies.extend(one.latencies);
            outcome.failures.extend(one.failures);
            outcome.failed += one.failed;
            outcome.seen.push(one.generations.len());
            for (generation, bodies) in one.generations {
                outcome.generations.entry(generation).or_default().extend(bodies);
            }
        }
        assert_eq!(
            outcome.failed,
            0,
            "of {}: {:?}",
            outcome.latencies.len(),
            outcome.failures
        );
        assert!(!outcome.latencies.is_empty(), "no request was made");
        for (generation, bodies) in &outcome.generations {
            assert_eq!(bodies.len(), 1, "{generation} answers so and so: {bodies:?}");
        }
        outcome
    }
}

/// Someone with a question.
struct Person {
    stop: Arc<AtomicBool>,
    client: Client,
    address: String,
    operation: String,
    expected: Vec<Value>,
}

impl Person {
    fn new(
        stop: &Arc<AtomicBool>,
        client: &Client,
        address: &str,
        operation: &str,
        expected: &[Value],
    ) -> Self {
        Self {
            stop: Arc::clone(stop),
            client: client.clone(),
            address: address.to_owned(),
            operation: operation.to_owned(),
            expected: expected.to_vec(),
        }
    }

    /// Asks once. It takes from `since` until the answer is there.
    async fn ask(&self, since: Instant, outcome: &mut Outcome) {
        let problem = match self.client.graphql(&self.address, &self.operation).await {
            Ok(answer) if answer.status == 200 && self.expected.contains(&answer.body) => {
                let bodies = outcome.generations.entry(answer.generation).or_default();
                bodies.insert(answer.body.to_string());
                None
            }
            Ok(answer) => Some(format!("{} {}", answer.status, answer.body)),
            Err(error) => Some(format!("{error:?}")),
        };
        outcome.latencies.push(since.elapsed());
        if let Some(problem) = problem {
            outcome.failed += 1;
            if outcome.failures.len() < MOST_FAILURES {
                outcome.failures.push(problem);
            }
        }
    }
}
