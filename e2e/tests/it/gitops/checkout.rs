//! A Git repository with an API in it, and a checkout of it as GitOps tools have one.

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

async fn git(directory: &Path, arguments: &[&str]) {
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
}
