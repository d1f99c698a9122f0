//! What a pod is asked for besides its generation: whether it is held, what it refused or could not keep, which secrets it
//! has.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use delivery::{RefusedSet, RefusedSetting};
use tokio::sync::watch;

use super::State;
use crate::generation::Generation;

/// See the module.
#[derive(Debug)]
pub(super) struct Standing {
    held: AtomicBool,
    /// With its arrival: only a set that came later makes it a thing of the past.
    refused: Mutex<Option<(u64, RefusedSet)>>,
    secrets: Mutex<Option<String>>,
    refused_settings: Mutex<Vec<RefusedSetting>>,
    /// Why what is served is not kept.
    unkept: Mutex<Option<String>>,
    /// Counts up whenever the report may have changed.
    changes: watch::Sender<u64>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            held: AtomicBool::new(false),
            refused: Mutex::default(),
            secrets: Mutex::default(),
            refused_settings: Mutex::default(),
            unkept: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// What the admin port reports may have changed.
    pub fn tell(&self) {
        self.standing.changes.send_modify(|changes| *changes += 1);
    }

    /// Learns when what the admin port reports may have changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.standing.changes.subscribe()
    }

    /// Whether no new set is to be taken.
    pub fn is_held(&self) -> bool {
        self.standing.held.load(Ordering::Acquire)
    }

    /// Takes no new set, or takes them again.
    pub fn hold(&self, held: bool) {
        self.standing.held.store(held, Ordering::Release);
        self.tell();
    }

    /// The latest set that was not taken, if it came after the one of this generation.
    pub fn refused_after(&self, generation: &Generation) -> Option<RefusedSet> {
        let refused = locked(&self.standing.refused);
        let (arrival, refused) = refused.as_ref()?;
        (*arrival > generation.provenance.arrival).then(|| refused.clone())
    }

    /// A set was not taken. A later one that was not taken either stays the one that is told of.
    pub(super) fn refuse(&self, refused: RefusedSet, arrival: u64) {
        let mut latest = locked(&self.standing.refused);
        if latest.as_ref().is_none_or(|(of, _)| *of <= arrival) {
            *latest = Some((arrival, refused));
        }
        drop(latest);
        self.tell();
    }

    /// How manieth the latest set was that was taken or refused.
    pub(super) fn latest_arrival(&self) -> u64 {
        let taken = self.current().provenance.arrival;
        let refused = locked(&self.standing.refused);
        refused.as_ref().map_or(taken, |(of, _)| taken.max(*of))
    }

    /// What came after this arrival and was not taken is not there any more.
    pub(super) fn forgive_after(&self, arrival: u64) {
        let mut latest = locked(&self.standing.refused);
        if latest.take_if(|(of, _)| *of > arrival).is_some() {
            drop(latest);
            self.tell();
        }
    }

    /// The version of the Secret in use.
    pub fn secrets_version(&self) -> Option<String> {
        locked(&self.standing.secrets).clone()
    }

    /// Settings of the Secret whose last value stays in use.
    pub fn refused_settings(&self) -> Vec<RefusedSetting> {
        locked(&self.standing.refused_settings).clone()
    }

    pub(super) fn set_refused_settings(&self, refused: Vec<RefusedSetting>) {
        *locked(&self.standing.refused_settings) = refused;
        self.tell();
    }

    /// Why the set that is served is not kept for a restart.
    pub fn unkept(&self) -> Option<String> {
        locked(&self.standing.unkept).clone()
    }

    /// Whether the set that is served is kept for a restart; nothing where none is to be.
    pub fn is_kept(&self) -> Option<bool> {
        let is_wanted = self.settings.state_dir.is_some() && self.current().provenance.counter.is_some();
        is_wanted.then(|| locked(&self.standing.unkept).is_none())
    }

    /// What is served from now on is kept, or why it is not.
    pub(super) fn set_unkept(&self, unkept: Option<String>) {
        let mut known = locked(&self.standing.unkept);
        if *known != unkept {
            *known = unkept;
            drop(known);
            self.tell();
        }
    }

    pub(super) fn set_secrets_version(&self, version: String) {
        *locked(&self.standing.secrets) = Some(version);
        self.tell();
    }
}
