//! Which instance leads: the one that holds the Lease and renews it. An instance that ends gives it back, so that
//! another takes over at once; one that dies loses it when its time is over.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::lead::{self, Lead};
use crate::observe::{Event, Observer};
use crate::retry;

/// What an instance that looks at the lease is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It holds it: renew.
    Renew,
    /// Nobody holds it any more: take it.
    Take,
    /// Another one holds it.
    Wait,
}

/// Decides. `unchanged` is for how long the lease has been seen as it is: clocks of other machines are not trusted.
pub fn step(spec: &LeaseSpec, identity: &str, unchanged: Duration) -> Step {
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    let seconds = spec
        .lease_duration_seconds
        .and_then(|seconds| u64::try_from(seconds).ok());
    if holder == identity {
        Step::Renew
    } else if holder.is_empty() || unchanged > Duration::from_secs(seconds.unwrap_or_default()) {
        Step::Take
    } else {
        Step::Wait
    }
}

/// Competes for the lease.
#[derive(Debug)]
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    duration: Duration,
    /// What may be written, and until when.
    lead: Lead,
    observer: Observer,
    leads: watch::Sender<bool>,
    seen: Option<(String, Instant)>,
}

impl Candidate {
    /// Does not lead yet.
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: &str,
        duration: Duration,
        lead: Lead,
        observer: Observer,
    ) -> (Self, watch::Receiver<bool>) {
        let (leads, receiver) = watch::channel(false);
        let candidate = Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            duration,
            lead,
            observer,
            leads,
            seen: None,
        };
        (candidate, receiver)
    }

    /// Competes until `stop` turns true, and gives the lease back then.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        // A leader that cannot renew must have stopped before another may begin.
        let renew = self.duration / 4;
        let deadline = self.duration * 3 / 4;
        let mut renewed = lead::now();
        loop {
            let leading = *self.leads.borrow();
            let limit = if leading {
                deadline.saturating_sub(lead::now().saturating_sub(renewed))
            } else {
                self.duration
            };
            // Others count from when the lease is written, which is before its answer arrives.
            let asked = lead::now();
            let look = tokio::time::timeout(limit.max(Duration::from_millis(1)), self.look());
            let stopped = stop.wait_for(|stop| *stop);
            let outcome = tokio::select! {
                outcome = look => outcome,
                _ = stopped => break,
            };
            match outcome {
                Ok(Ok(true)) => {
                    renewed = asked;
                    self.lead.set(Some(asked + deadline));
                    self.set(true, "");
                }
                Ok(Ok(false)) => self.set(false, "another instance holds the lease"),
                Ok(Err(error)) => self.failed(&retry::message(&error)),
                Err(_) => self.failed("the API server does not answer"),
            }
            if *self.leads.borrow() && lead::now().saturating_sub(renewed) >= deadline {
                self.set(false, "the lease could not be renewed in time");
            }
            // Others look more often than the leader renews, so that one that gave up is followed at once.
            let pause = if *self.leads.borrow() {
                renew
            } else {
                renew.min(Duration::from_secs(1))
            };
            let stopped = stop.wait_for(|stop| *stop);
            if tokio::time::timeout(pause, stopped).await.is_ok() {
                break;
            }
        }
        if *self.leads.borrow() {
            self.set(false, "the program ends");
            let give_back = tokio::time::timeout(Duration::from_secs(2), self.give_back());
            if !matches!(give_back.await, Ok(Ok(()))) {
                self.failed("it could not be given back");
            }
        }
    }

    fn set(&self, leads: bool, reason: &str) {
        if !leads {
            self.lead.set(None);
        }
        if self
            .leads
            .send_if_modified(|now| std::mem::replace(now, leads) != leads)
        {
            let identity = &self.identity;
            self.observer.emit(&if leads {
                Event::Leading { identity }
            } else {
                Event::NotLeading { reason }
            });
        }
    }

    fn failed(&self, message: &str) {
        self.observer.emit(&Event::LeaseFailed {
            message: format!("lease {}: {message}", self.name),
        });
    }

    /// Whether this instance holds the lease now.
    async fn look(&mut self) -> Result<bool, kube::Error> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(self.name.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.spec(0)),
            };
            return taken(self.leases.create(&PostParams::default(), &lease).await);
        };
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == version => *since,
            _ => Instant::now(),
        };
        self.seen = Some((version, since));
        let before = lease.spec.take().unwrap_or_default();
        let transitions = before.lease_transitions.unwrap_or_default();
        let spec = match step(&before, &self.identity, since.elapsed()) {
            Step::Wait => return Ok(false),
            Step::Renew => LeaseSpec {
                acquire_time: before.acquire_time,
                ..self.spec(transitions)
            },
            Step::Take => self.spec(transitions.saturating_add(1)),
        };
        lease.spec = Some(spec);
        // With the resource version that was read: of two that take it one succeeds.
        taken(
            self.leases
                .replace(&self.name, &PostParams::default(), &lease)
                .await,
        )
    }

    fn spec(&self, transitions: i32) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.duration.as_secs()).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    async fn give_back(&self) -> Result<(), kube::Error> {
        let mut lease = self.leases.get(&self.name).await?;
        if let Some(spec) = lease.spec.as_mut() {
            if spec.holder_identity.as_ref() != Some(&self.identity) {
                return Ok(());
            }
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
        }
        self.leases
            .replace(&self.name, &PostParams::default(), &lease)
            .await
            .map(drop)
    }
}

/// A write that another one was faster than is no failure.
fn taken(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(error) if retry::code(&error) == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_taken_when_nobody_renews_it() {
        let held = |holder: Option<&str>| LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: Some(8),
            ..LeaseSpec::default()
        };
        let second = Duration::from_secs;
        assert_eq!(step(&held(Some("a")), "a", second(100)), Step::Renew);
        assert_eq!(step(&held(Some("b")), "a", second(8)), Step::Wait);
        assert_eq!(step(&held(Some("b")), "a", second(9)), Step::Take);
        assert_eq!(step(&held(Some("")), "a", second(0)), Step::Take);
        assert_eq!(step(&held(None), "a", second(0)), Step::Take);
    }
}
