//! The origin `directory`: a folder that is read again whenever something in it changes, or in a Secret's file elsewhere.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use compile::LastAccepted;
use notify::{RecursiveMode, Watcher};
use tokio::sync::{mpsc, watch};

use super::State;
use crate::directory::{self, Contents};
use crate::generation::aside::{Urgency, aside};
use crate::settings::SecretFile;

/// A burst of file changes is taken as one: nothing is read before the folder was quiet for so long.
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
        if contents.places.is_empty() && findings.is_empty() {
            return;
        }
        let page = directory::page(&folder.display().to_string(), contents.places.len(), &findings);
        let mut told = self.told_findings();
        if *told != page {
            let _ = std::io::stderr().write_all(page.as_bytes());
            *told = page;
        }
    }

    async fn read_folder(&self, folder: &Path) {
        let writer = self.lock().await;
        let current = self.current();
        let read = || {
            let last = LastAccepted::read(&current.document, &current.provenance.published());
            directory::read(folder, &self.settings.directory, &last)
        };
        let mut contents = match aside(Urgency::Gentle, read) {
            Ok(contents) => contents,
            // The document that is served stays until the files can be read again.
            Err(message) => return self.trouble("processor", &message),
        };
        let variables = std::mem::take(&mut contents.variables);
        let environment = self.settings.environment.with(variables);
        let environment = self.settings.for_documents(environment);
        let same_variables = *self.environment() == environment;
        let same = contents.document == *current.document
            && contents.provenance.objects_hash == current.provenance.objects_hash;
        if !same_variables {
            self.environment.store(Arc::new(environment));
        }
        if !same || !same_variables {
            let document = std::mem::take(&mut contents.document);
            let provenance = Arc::new(std::mem::take(&mut contents.provenance));
            self.adopt(document, 0, &BTreeSet::new(), provenance).await;
        }
        drop(writer);
        self.look_again().await;
        self.tell_findings(folder, &contents);
    }
}

/// What is watched: a folder, and files of Secrets wherever they are.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    secrets: Vec<PathBuf>,
}

/// The name that a mounted volume's files change by, all at once.
const MOUNTED: &str = "..data";

impl Files {
    fn new(folder: &Path, secrets: &[SecretFile]) -> Self {
        // As the watcher names what changed: a folder that is watched by two names is told of by one of them.
        let real = |path: &Path| {
            let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            path.canonicalize().unwrap_or_else(|_| absolute())
        };
        // The file itself may be a link that leads elsewhere tomorrow.
        let named = |file: &Path| {
            let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            match (absolute.parent(), absolute.file_name()) {
                (Some(parent), Some(name)) => real(parent).join(name),
                _ => absolute,
            }
        };
        Self {
            folder: real(folder),
            secrets: secrets.iter().map(|secret| named(&secret.file)).collect(),
        }
    }

    /// The folders that have to be watched for the files: one that is replaced is another file by the same name.
    fn beside(&self) -> BTreeSet<PathBuf> {
        let folders = self.secrets.iter().filter_map(|file| file.parent());
        let beside = folders.filter(|folder| !folder.starts_with(&self.folder));
        beside.map(Path::to_owned).collect()
    }

    /// Whether a change at these paths may change what is served.
    fn concern(&self, paths: &[PathBuf]) -> bool {
        let is_wanted = |path: &PathBuf| {
            path.starts_with(&self.folder)
                || self.secrets.contains(path)
                || path.file_name().is_some_and(|name| name == MOUNTED)
        };
        // An event without a path says that some were lost.
        paths.is_empty() || paths.iter().any(is_wanted)
    }
}

/// Follows the folder until `stop`.
pub(super) async fn follow(state: Arc<State>, folder: PathBuf, mut stop: watch::Receiver<bool>) {
    // One waiting signal is as good as many.
    let (signal, mut signals) = mpsc::channel(1);
    let begin = signal.clone();
    let wanted = Files::new(&folder, &state.settings.directory.secrets);
    let (watched, beside) = (wanted.folder.clone(), wanted.beside());
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too.
        let is_change = |event: notify::Event| !event.kind.is_access() && wanted.concern(&event.paths);
        if event.map_or(true, is_change) {
            let _ = signal.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => return state.trouble("listener", &error.to_string()),
    };
    if let Err(error) = watcher.watch(&watched, RecursiveMode::Recursive) {
        return state.trouble("listener", &error.to_string());
    }
    for folder in beside {
        // The rest is followed nevertheless.
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            state.trouble("listener", &error.to_string());
        }
    }
    // What changed between the first reading and now, nobody told.
    let _ = begin.try_send(());
    loop {
        tokio::select! {
            change = signals.recv() => if change.is_none() { return },
            _ = stop.wait_for(|stop| *stop) => return,
        }
        while tokio::time::timeout(SETTLE, signals.recv())
            .await
            .is_ok_and(|signal| signal.is_some())
        {}
        state.read_folder(&folder).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_secrets_concern_it_and_their_neighbours_do_not() {
        let secret = |file: &str| SecretFile {
            name: "database".to_owned(),
            file: file.into(),
        };
        let files = Files::new(
            Path::new("/shop"),
            &[
                secret("/run/one/uri"),
                secret("/run/other/uri"),
                secret("/shop/uri"),
            ],
        );
        let beside: Vec<_> = files.beside().into_iter().collect();
        assert_eq!(beside, [Path::new("/run/one"), Path::new("/run/other")]);
        let concern = |paths: &[&str]| files.concern(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        for path in ["/shop/tables/album.yaml", "/run/one/uri", "/run/other/..data"] {
            assert!(concern(&["/run/one/neighbour", path]), "{path}");
        }
        assert!(concern(&[]), "some were lost");
        assert!(!concern(&["/run/one/neighbour", "/shopping/uri"]));
    }
}
