//! The origin `directory`: a folder that is read again whenever something in it changes, or in a Secret's file elsewhere, or in
//! the databases, by which it is judged.
//!
//! The system tells of most changes at once. What it does not tell of (a link to a folder that leads elsewhere now, a folder
//! that took the place of another one, what is mounted from elsewhere) a look every second finds.

mod stamp;
mod taken;
mod watched;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metadata::Document;
use notify::RecommendedWatcher;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::State;
use crate::directory::{self, Contents, Readable};
use crate::generation::SourceState;
use crate::generation::aside::{Urgency, aside};
use crate::settings::SecretFile;
use stamp::Stamp;

/// Pause between two looks at the files.
const PAUSE: Duration = Duration::from_secs(1);

/// A look at very many files takes at most one part in so many of the time.
const SHARE: u32 = 20;

/// How often it is looked at most whether the files have come to rest.
const UNREST: u32 = 25;

/// Pauses before a folder that does not fit the databases is judged again: rows of an enum table, say, are nobody's to tell.
const AGAIN: Duration = Duration::from_secs(5);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// A burst of file changes is taken as one: nothing is read before the files stayed as they are for so long.
const SETTLE: Duration = Duration::from_millis(200);

impl State {
    /// Tells a person what became of the files, on standard error, unless that was told last.
    pub(super) fn tell_findings(&self, folder: &Path, contents: &Contents) {
        let generation = self.current();
        let environment = &self.settings.environment;
        let is_missing = |variable: &str| environment.get(variable).is_none();
        let mut findings = contents.findings.clone();
        findings.retain(|finding| finding.variable.as_deref().is_none_or(is_missing));
        let left_out = directory::of_generation(&generation, contents);
        directory::without_last_forms(&mut findings, &left_out);
        findings.extend(left_out);
        findings.sort();
        findings.dedup();
        let mut told = self.told_findings();
        if contents.places.is_empty() && findings.is_empty() {
            // The same slip made again is told again.
            told.clear();
            return;
        }
        let page = directory::page(&folder.display().to_string(), contents.places.len(), &findings);
        if *told != page {
            let _ = std::io::stderr().write_all(page.as_bytes());
            *told = page;
        }
    }

    /// Reads the folder and serves what it comes to; whether the databases have something against what is in it.
    ///
    /// # Errors
    /// Why it cannot be read; what is served stays.
    async fn read_folder(&self, folder: &Path, readable: &mut Readable) -> Result<bool, String> {
        let load = || directory::load(folder, &self.settings.directory, readable);
        let loaded = aside(Urgency::Gentle, load)?;
        // Whoever exchanges a folder may have made the new one and not filled it yet.
        if loaded.is_empty() && *self.current().document != Document::default() {
            return Err("there are no files of custom resources or metadata in it any more".to_owned());
        }
        let contents = self.take_folder(&loaded).await;
        readable.clone_from(loaded.readable());
        self.look_soon();
        self.tell_findings(folder, &contents);
        Ok(contents.is_opposed)
    }

    /// What is known of the databases, by source.
    fn fingerprints(&self) -> BTreeMap<String, Option<String>> {
        let current = self.current();
        let known = |source: &SourceState| Some(source.catalog.as_ref()?.catalog.fingerprint.clone());
        let sources = current.sources.iter();
        sources
            .map(|(name, source)| (name.clone(), known(source)))
            .collect()
    }
}

/// Looks at the files of a folder, and remembers what it told of them.
struct Following {
    state: Arc<State>,
    folder: PathBuf,
    signal: mpsc::Sender<()>,
    watcher: Option<RecommendedWatcher>,
    seen: Option<Stamp>,
    /// How long the last look took.
    took: Duration,
    /// What was told last, of watching and of reading.
    told: [Option<String>; 2],
    /// The files as they could be read last.
    readable: Readable,
}

impl Following {
    fn secrets(&self) -> &[SecretFile] {
        &self.state.settings.directory.secrets
    }

    /// Watches what is there by these names now.
    fn watch(&mut self) {
        // Before the next one: there are only so many.
        self.watcher = None;
        let (watcher, all) = watched::watch(&self.folder, self.secrets(), &self.signal);
        self.watcher = watcher;
        // That the folder is away, who reads it tells.
        let told = all.err().filter(|_| self.folder.exists()).map(|error| {
            format!("changes of files are looked for every second, as not all are told at once: {error}")
        });
        self.tell(0, "listener", told);
    }

    /// Tells of a trouble, once.
    fn tell(&mut self, place: usize, thread: &'static str, trouble: Option<String>) {
        let Some(told) = self.told.get_mut(place) else {
            return;
        };
        if let Some(message) = trouble.as_deref().filter(|_| *told != trouble) {
            self.state.trouble(thread, message);
        }
        *told = trouble;
    }

    fn stamp(&mut self) -> Stamp {
        let begin = Instant::now();
        let stamp = aside(Urgency::Gentle, || Stamp::of(&self.folder, self.secrets()));
        self.took = begin.elapsed();
        stamp
    }

    /// Waits until the files stay as they are.
    async fn settled(&mut self, mut stamp: Stamp) -> Stamp {
        for _ in 0..UNREST {
            tokio::time::sleep(SETTLE).await;
            let before = std::mem::replace(&mut stamp, self.stamp());
            if stamp == before {
                break;
            }
        }
        stamp
    }

    /// Reads the folder; whether the databases have something against what is in it.
    async fn read(&mut self) -> bool {
        let (is_opposed, message) = match self.state.read_folder(&self.folder, &mut self.readable).await {
            Ok(is_opposed) => (is_opposed, None),
            Err(message) => (false, Some(message)),
        };
        let folder = self.folder.display();
        let trouble = message.map(|message| format!("{folder}: {message}; what is served stays"));
        self.tell(1, "processor", trouble);
        is_opposed
    }
}

/// Follows the folder until `stop`.
pub(super) async fn follow(state: Arc<State>, folder: PathBuf, mut stop: watch::Receiver<bool>) {
    // One waiting signal is as good as many.
    let (signal, mut signals) = mpsc::channel(1);
    let mut changes = state.changes();
    let mut following = Following {
        state: Arc::clone(&state),
        folder,
        signal,
        watcher: None,
        seen: None,
        took: Duration::ZERO,
        told: [None, None],
        readable: Readable::new(),
    };
    following.watch();
    // What changed between the first reading and now, nobody told.
    let _ = following.signal.try_send(());
    let mut judged = BTreeMap::new();
    let mut pause = AGAIN;
    let mut again: Option<Instant> = None;
    loop {
        let rest = PAUSE.max(following.took * SHARE);
        let is_heard = tokio::select! {
            signal = signals.recv() => signal.is_some(),
            () = tokio::time::sleep(rest) => false,
            // It may be what is known of the databases.
            _ = changes.changed() => false,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let mut now = following.stamp();
        let seen = following.seen;
        if is_heard || seen != Some(now) {
            now = following.settled(now).await;
            while signals.try_recv().is_ok() {}
        }
        let is_changed = is_heard || seen != Some(now);
        if is_changed && !is_heard {
            // The watcher does not know of it: it may watch what is not there any more.
            following.watch();
        }
        let is_due = again.is_some_and(|at| at <= Instant::now());
        // Taken before it is judged: what changes meanwhile is judged again.
        let known = state.fingerprints();
        if !is_changed && !is_due && known == judged {
            continue;
        }
        pause = match is_due {
            true => (pause * 2).min(AGAIN_AT_MOST),
            false => AGAIN,
        };
        following.seen = Some(now);
        judged = known;
        let is_opposed = following.read().await;
        again = is_opposed.then(|| Instant::now() + pause);
    }
}
