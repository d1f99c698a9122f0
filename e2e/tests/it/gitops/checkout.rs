//! A Git repository with an API in it, and a checkout of it as GitOps tools have one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

/// The repository that people commit to, and the checkout that tools apply.
pub struct Checkout {
    place: PathBuf,
}

impl Checkout {
    /// An empty repository, checked out.
    pub async fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a directory");
        let new = Self { place };
        git(
            &new.place,
            &["init", "--quiet", "--initial-branch=main", "origin"],
        )
        .await;
        new.commit_files(&[]).await;
        git(&new.place, &["clone", "--quiet", "origin", "checkout"]).await;
        new
    }

    /// Where tools find the last commit.
    pub fn directory(&self) -> PathBuf {
        self.place.join("checkout")
    }

    /// Commits these objects, a file each, and nothing else; and checks the commit out.
    pub async fn commit(&self, objects: &[Value]) {
        self.commit_files(objects).await;
        git(&self.directory(), &["pull", "--quiet", "--ff-only"]).await;
    }

    /// What the commit before the last one had and the last one has not: `APIVERSION/KIND/NAME` of each.
    pub async fn removed(&self) -> Vec<String> {
        let (before, now) = (self.objects_of("HEAD~1").await, self.objects_of("HEAD").await);
        before.difference(&now).cloned().collect()
    }

    async fn objects_of(&self, commit: &str) -> BTreeSet<String> {
        let directory = self.directory();
        let mut objects = BTreeSet::new();
        for file in git(&directory, &["ls-tree", "--name-only", commit]).await.lines() {
            let text = git(&directory, &["show", &format!("{commit}:{file}")]).await;
            let object: Value = serde_json::from_str(&text).expect("an object");
            let words = [
                &object["apiVersion"],
                &object["kind"],
                &object["metadata"]["name"],
            ];
            objects.insert(words.map(|word| word.as_str().unwrap_or_default()).join("/"));
        }
        objects
    }

    async fn commit_files(&self, objects: &[Value]) {
        let origin = self.place.join("origin");
        for old in fs::read_dir(&origin).expect("a directory") {
            let path = old.expect("a file").path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                fs::remove_file(path).expect("it goes");
            }
        }
        for (index, object) in objects.iter().enumerate() {
            // JSON is YAML.
            fs::write(origin.join(format!("{index:03}.yaml")), object.to_string()).expect("a file");
        }
        git(&origin, &["add", "--all"]).await;
        let author = ["-c", "user.name=story", "-c", "user.email=story@example.org"];
        let commit = ["commit", "--quiet", "--allow-empty", "--message", "The API"];
        git(&origin, &[author.as_slice(), &commit].concat()).await;
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        // One that stays is in the directory for temporary files.
        let _ = fs::remove_dir_all(&self.place);
    }
}

async fn git(directory: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(directory)
        // Whatever settings the machine has.
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .await
        .expect("git");
    assert!(
        done.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}
