//! People who ask all the time while something happens, and what became of their requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use e2e::answer::Client;
use serde_json::Value;
use tokio::task::JoinHandle;

/// Requests under way.
pub struct Load {
    stop: Arc<AtomicBool>,
    people: Vec<JoinHandle<Outcome>>,
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
}

const MOST_FAILURES: usize = 5;

impl Load {
    /// Starts people who ask the same and expect one of these bodies, until they are told to stop.
    pub fn start(people: usize, client: &Client, address: &str, operation: &str, expected: &[Value]) -> Self {
        Self::of(people, usize::MAX, client, address, operation, expected)
    }

    /// One person at each of these addresses, until they are told to stop.
    pub fn at_each(addresses: &[String], client: &Client, operation: &str, expected: &[Value]) -> Self {
        Self::begin(addresses, usize::MAX, client, operation, expected)
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
            let (stop, client) = (Arc::clone(&stop), client.clone());
            let (address, operation) = (address.clone(), operation.to_owned());
            let expected = expected.to_vec();
            tokio::spawn(async move {
                let mut outcome = Outcome::default();
                while outcome.latencies.len() < times && !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let problem = match client.graphql(&address, &operation).await {
                        Ok(answer) if answer.status == 200 && expected.contains(&answer.body) => {
                            let bodies = outcome.generations.entry(answer.generation).or_default();
                            bodies.insert(answer.body.to_string());
                            None
                        }
                        Ok(answer) => Some(format!("{} {}", answer.status, answer.body)),
                        Err(error) => Some(format!("{error:?}")),
                    };
                    outcome.latencies.push(began.elapsed());
                    if let Some(problem) = problem {
                        outcome.failed += 1;
                        if outcome.failures.len() < MOST_FAILURES {
                            outcome.failures.push(problem);
                        }
                    }
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
    pub async fn over(self) -> Outcome {
        let mut outcome = Outcome::default();
        for person in self.people {
            let one = person.await.expect("a person");
            outcome.latencies.extend(one.latencies);
            outcome.failures.extend(one.failures);
            outcome.failed += one.failed;
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
