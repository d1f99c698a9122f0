//! `docs/kubernetes.md`, followed literally: every command and every file of it, on a cluster that has nothing of ours.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::answer::Client;
use e2e::cluster::{Cluster, parse_objects, repository};
use e2e::database::Database;
use e2e::figure::note;
use e2e::wait::until;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{SYSTEM, install_chart, operators};
use crate::shop::SOON;

/// The fenced blocks of a language below a heading, up to the next heading of its level.
fn blocks(text: &str, heading: &str, language: &str) -> Vec<String> {
    let level = heading.chars().take_while(|sign| *sign == '#').count();
    let ends =
        |line: &str| line.starts_with('#') && line.chars().take_while(|sign| *sign == '#').count() <= level;
    let section: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .scan(false, |fenced, line| {
            *fenced ^= line.starts_with("```");
            (*fenced || !ends(line)).then_some(line)
        })
        .collect();
    let (mut found, mut block) = (Vec::new(), None::<String>);
    for line in section {
        match (&mut block, line) {
            (Some(_), "```") => found.extend(block.take()),
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, line) if line == format!("```{language}") => block = Some(String::new()),
            _ => {}
        }
    }
    found
}

#[test]
fn blocks_are_found() {
    let text = "## A\n```sh\nx\n```\n## B\n```sh\n# y\n```\n```yaml\nz: 1\n```\n### C\n```sh\nw\n```\n## D\n```sh\nv\n```\n";
    assert_eq!(blocks(text, "## B", "sh"), ["# y\n", "w\n"]);
    assert_eq!(blocks(text, "## B", "yaml"), ["z: 1\n"]);
}

/// Where the guide's reader is: a checkout, with what they write into it.
struct Desk {
    directory: PathBuf,
    /// What the guide has of its own place, and what is here instead.
    instead: Vec<(String, String)>,
}

impl Desk {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        for part in ["charts", "crds"] {
            let here = directory.join(part);
            std::os::unix::fs::symlink(repository().join(part).canonicalize().expect(part), here)
                .expect("a link");
        }
        Self {
            directory,
            instead: Vec::new(),
        }
    }

    /// Runs a block as one script that ends at the first failure; what it printed. What it leaves in the background goes on
    /// as long as the script does, no longer.
    async fn run(&self, block: &str) -> String {
        let mut script = block.to_owned();
        for (theirs, ours) in &self.instead {
            script = script.replace(theirs, ours);
        }
        let out = self.directory.join("out");
        let errors = self.directory.join("errors");
        let file = |path: &Path| Stdio::from(fs::File::create(path).expect("a file"));
        let mut child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&errors))
            .process_group(0)
            .spawn()
            .expect("bash");
        let group = child.id().expect("a process");
        let ended = tokio::time::timeout(Duration::from_secs(300), child.wait()).await;
        // What it left in the background; there may be nothing.
        let _ = Command::new("kill")
            .args(["--", &format!("-{group}")])
            .stderr(Stdio::null())
            .status()
            .await;
        let said = fs::read_to_string(&out).expect("what it printed");
        let errors = fs::read_to_string(&errors).expect("what it printed");
        assert!(
            matches!(&ended, Ok(Ok(status)) if status.success()),
            "{script}\n{ended:?}\n{said}\n{errors}"
        );
        // What the guide shows of its answers.
        for line in block.lines().filter_map(|line| line.strip_prefix("# ")) {
            assert!(said.contains(line), "the guide shows {line}, here is {said}");
        }
        said
    }

    /// Runs every block of commands of a section; how many there are.
    async fn follow(&self, text: &str, section: &str) -> usize {
        let commands = blocks(text, section, "sh");
        for block in &commands {
            self.run(block).await;
        }
        commands.len()
    }
}

fn guide() -> String {
    fs::read_to_string(repository().join("docs/kubernetes.md")).expect("the guide")
}

/// A port of this machine that is free.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Takes the chart and all definitions away, whoever brought them.
async fn bare(cluster: &Cluster, desk: &Desk) {
    desk.run("helm uninstall rowlock --namespace rowlock-system --ignore-not-found --wait")
        .await;
    desk.run("kubectl delete -f crds/ --ignore-not-found").await;
    let gone = until(SOON, "no operator", || async {
        let pods = cluster.list("v1", "Pod", SYSTEM, super::OPERATOR).await;
        match pods.map_err(|error| error.to_string())?.len() {
            0 => Ok(()),
            count => Err(format!("{count} pods")),
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
}

/// The image under the names that the guide uses; none: the node is somebody else's.
fn has_images() -> bool {
    std::env::var("ROWLOCK_E2E_GUIDE").is_ok()
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn the_guide_is_followed() {
    let cluster = Cluster::connect().await.expect("needs a cluster: e2e/run");
    if !has_images() {
        note(
            "1 guide",
            "left out",
            "the node does not have the image under the guide's names",
        );
        return;
    }
    let began = Instant::now();
    let text = guide();
    let mut desk = Desk::new("guide");
    let database = Database::create("guide").await.expect("a database");
    let port = free_port();
    desk.instead = vec![
        (
            "postgresql://shop:password@postgres.shop:5432/shop".to_owned(),
            database.url.clone(),
        ),
        (" 8080:80 ".to_owned(), format!(" {port}:80 ")),
        ("localhost:8080".to_owned(), format!("localhost:{port}")),
    ];
    bare(&cluster, &desk).await;

    let sections: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
    let commands: usize = sections
        .iter()
        .map(|section| blocks(&text, section, "sh").len())
        .sum();
    let mut followed = 0;

    let install = blocks(&text, "## Install", "sh");
    let [docker, helm, secrets, kustomize] = install.as_slice() else {
        panic!("image, Helm, Secrets, without Helm: {install:?}")
    };
    // This machine has the image.
    assert!(docker.lines().all(|line| line.starts_with("docker ")), "{docker}");
    without_helm(&cluster, &desk, kustomize).await;
    desk.run(helm).await;
    desk.run(secrets).await;
    operators(&cluster, 1).await;
    followed += install.len();

    for sql in blocks(&text, "## First API", "sql") {
        database.run(&sql).await.expect("the SQL of the guide");
    }
    let files = blocks(&text, "## First API", "yaml");
    let [api, serving, roles] = files.as_slice() else {
        panic!("the API, and what other namespaces grant: {files:?}")
    };
    fs::write(desk.directory.join("api.yaml"), api).expect("a file");
    followed += desk.follow(&text, "## First API").await;
    for (grants, namespace) in [(serving, "stock"), (roles, "shop")] {
        for grant in parse_objects(grants).expect("YAML") {
            let applied = cluster.apply(&grant, namespace).await;
            applied.expect("the API server takes it");
        }
    }

    // Argo CD is there for its ConfigMap alone.
    desk.run("kubectl create namespace argocd; kubectl --namespace argocd create configmap argocd-cm")
        .await;
    followed += desk.follow(&text, "## GitOps").await;
    let taught = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}});
    let taught = there(&cluster, &taught, "argocd").await;
    assert!(taught["data"].to_string().contains("rowlock.dev"), "{taught}");

    let before = admin_secret(&cluster).await;
    followed += desk.follow(&text, "## Rotation of secrets").await;
    let after = admin_secret(&cluster).await;
    assert_ne!(before, after);
    is_admin(&cluster, &after).await;

    // The first block ends when the other image runs, the second takes it back.
    followed += desk.follow(&text, "## Upgrade").await;
    runs(&cluster, "registry.example.org/rowlock:0.1.0").await;
    followed += desk.follow(&text, "## Why is it not Ready?").await;
    let uninstall = blocks(&text, "## Uninstall", "sh");
    for block in &uninstall {
        is_admin(&cluster, &after).await;
        desk.run(block).await;
        followed += 1;
    }
    assert_eq!(followed, commands, "every command of the guide was run");
    note(
        "1 guide",
        &format!("{commands} blocks of commands followed"),
        &format!("{} s", began.elapsed().as_secs()),
    );
    for namespace in ["shop", "stock", "argocd"] {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        cluster.delete(&namespace, "").await.expect("it is deleted");
    }
    fs::remove_dir_all(&desk.directory).expect("the desk is cleared");
    install_chart().await;
}

/// Waits until all pods of the engine run an image.
async fn runs(cluster: &Cluster, image: &str) {
    let all = until(SOON, image, || async {
        let pods = cluster.list("v1", "Pod", "shop", "rowlock.dev/engine=shop").await;
        let pods = pods.map_err(|error| error.to_string())?;
        let images: Vec<&Value> = pods
            .iter()
            .filter_map(|pod| pod.pointer("/spec/containers/0/image"))
            .collect();
        if !images.is_empty() && images.iter().all(|found| **found == image) {
            Ok(())
        } else {
            Err(format!("{images:?}"))
        }
    });
    all.await.unwrap_or_else(|error| panic!("{error}"));
}

/// The way without Helm: the image set as the guide says, then its commands.
async fn without_helm(cluster: &Cluster, desk: &Desk, block: &str) {
    desk.run(&format!("cp -r {} config", repository().join("config").display()))
        .await;
    let file = desk.directory.join("config/default/kustomization.yaml");
    let settings = fs::read_to_string(&file).expect("the kustomization");
    let named = settings.replace("newTag:", "newName: registry.example.org/rowlock\n    newTag:");
    assert_ne!(named, settings);
    fs::write(&file, named).expect("a file");
    desk.run(block).await;
    operators(cluster, 1).await;
    let deployment =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "rowlock-operator"}});
    let deployment = there(cluster, &deployment, SYSTEM).await;
    let environment = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    let engines = environment.as_array().into_iter().flatten();
    assert!(
        engines
            .clone()
            .any(|one| one["value"] == "registry.example.org/rowlock:0.1.0"),
        "engines run the same: {environment}"
    );
    desk.run("kubectl delete -k config/default --wait; kubectl delete -f crds/")
        .await;
}

async fn there(cluster: &Cluster, object: &Value, namespace: &str) -> Value {
    let found = cluster.get(object, namespace).await.expect("an answer");
    found.expect("it is there")
}

/// The admin secret as it is in the guide's Secret.
async fn admin_secret(cluster: &Cluster) -> String {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}});
    let secret = there(cluster, &secret, "shop").await;
    let value = secret["data"]["admin-secret"].as_str().expect("a value");
    String::from_utf8(STANDARD.decode(value).expect("base64")).expect("a text")
}

/// Waits until the Service takes who has this secret for an admin.
async fn is_admin(cluster: &Cluster, secret: &str) {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}});
    let service = there(cluster, &service, "shop").await;
    let address = format!(
        "http://{}",
        service["spec"]["clusterIP"].as_str().expect("an address")
    );
    let admin = Client::anonymous()
        .expect("a client")
        .with("x-hasura-admin-secret", secret);
    let both: Value = json!({"data": {"album": [{"id": 1}, {"id": 2}]}});
    let taken = until(SOON, "the admin secret is good", || async {
        let answer = admin
            .graphql(&address, "{ album(order_by: {id: asc}) { id } }")
            .await;
        match answer {
            Ok(answer) if answer.body == both => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    taken.await.unwrap_or_else(|error| panic!("{error}"));
}
