//! What the chart makes of its values, and that the other ways of installing make the same.

use std::fs;

use e2e::cluster::{parse_objects, repository};
use serde_json::Value;
use tokio::process::Command;

/// The standard output of a program, or its complaint.
async fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let done = Command::new(program)
        .args(arguments)
        .current_dir(repository())
        .output()
        .await;
    let done = done.unwrap_or_else(|error| panic!("{program}: {error}"));
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

async fn template(values: &[&str]) -> Result<String, String> {
    let values = values.iter().flat_map(|value| ["--set", value]);
    template_with(&values.collect::<Vec<_>>()).await
}

async fn template_with(arguments: &[&str]) -> Result<String, String> {
    let fixed = [
        "template",
        "rowlock",
        "charts/rowlock",
        "--namespace",
        "rowlock-system",
        "--kube-version",
        "1.36.0",
    ];
    let all = fixed.iter().chain(arguments).copied();
    output("helm", &all.collect::<Vec<_>>()).await
}

/// `charts/rowlock/golden/*.yaml` is what `helm template` prints.
#[tokio::test]
#[ignore = "needs helm: e2e/run"]
async fn golden_templates() {
    for (name, values) in [
        ("default", vec!["definitions.install=false"]),
        (
            "namespaces",
            vec![
                "definitions.install=false",
                "namespaces={shop,stock}",
                "secretNamespaces={databases}",
            ],
        ),
        (
            "everything",
            vec![
                "definitions.install=false",
                "image.tag=v1",
                "engineImage=engine:2",
                "secretNamespaces={shop}",
                "replicas=2",
                "serviceAccount.name=mine",
                "logLevel=debug",
                "env[0].name=A,env[0].value=b",
                "podLabels.a=b",
                "podAnnotations.c=d",
                "nodeSelector.e=f",
                "priorityClassName=high",
                "image.pullSecrets[0].name=pull",
                "rbac.people=false",
            ],
        ),
    ] {
        let found = template(&values)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let path = repository().join(format!("charts/rowlock/golden/{name}.yaml"));
        if std::env::var_os("ROWLOCK_WRITE_GOLDEN").is_some() {
            fs::write(&path, &found).expect("it can be written");
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == golden,
            "{name}.yaml is stale: ROWLOCK_WRITE_GOLDEN=1 e2e/run chart"
        );
    }
}

#[tokio::test]
#[ignore = "needs helm: e2e/run"]
async fn definitions_come_with_the_chart() {
    let definitions = |text: &str| -> Vec<Value> {
        let objects = parse_objects(text).expect("YAML");
        objects
            .into_iter()
            .filter(|one| one["kind"] == "CustomResourceDefinition")
            .collect()
    };
    let kept = definitions(&template(&[]).await.expect("it renders"));
    assert_eq!(kept.len(), crd::Kind::ALL.len());
    for definition in &kept {
        assert_eq!(
            definition["metadata"]["annotations"]["helm.sh/resource-policy"],
            "keep"
        );
    }
    let loose = definitions(&template(&["definitions.keep=false"]).await.expect("it renders"));
    let files = e2e::cluster::read_objects(&repository().join("crds")).expect("files");
    for file in &files {
        let name = &file["metadata"]["name"];
        let found = loose.iter().find(|one| one["metadata"]["name"] == *name);
        assert_eq!(found, Some(file), "{name}");
    }
}

/// A namespace may be called what YAML has for a number or a word of its own.
#[tokio::test]
#[ignore = "needs helm: e2e/run"]
async fn names_stay_texts() {
    for name in ["2024", "true", "null"] {
        let value = format!("namespaces[0]={name}");
        let found = template_with(&["--set-string", &value])
            .await
            .expect("it renders");
        let objects = parse_objects(&found).expect("YAML");
        let binding = objects.iter().filter(|one| one["kind"] == "RoleBinding");
        let mut places = binding.map(|one| &one["metadata"]["namespace"]);
        assert!(places.any(|place| place == name), "{found}");
        let deployment = objects.iter().find(|one| one["kind"] == "Deployment");
        let container = &deployment.expect("a Deployment")["spec"]["template"]["spec"]["containers"][0];
        let mut variables = container["env"].as_array().into_iter().flatten();
        let namespaces = variables.find(|one| one["name"] == "ROWLOCK_NAMESPACES");
        assert_eq!(namespaces.expect("the variable")["value"], name);
    }
}

#[tokio::test]
#[ignore = "needs helm: e2e/run"]
async fn wrong_values_are_refused() {
    for (values, word) in [
        ("replica=2", "replica"),
        ("replicas=many", "replicas"),
        ("namespaces={Shop}", "namespaces"),
        ("logLevel=loud", "logLevel"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
    ] {
        let said = template(&[values]).await.expect_err("it is refused");
        assert!(said.contains(word), "{values}: {said}");
    }
    // The operator itself would end at its start.
    let most: Vec<String> = (0..100).map(|number| format!("n{number}")).collect();
    let namespaces = |list: &[String]| format!("namespaces={{{}}}", list.join(","));
    let taken = template(&[&namespaces(&most)]).await;
    assert!(taken.is_ok(), "{taken:?}");
    let more = [most, vec!["more".to_owned()]].concat();
    let said = template(&[&namespaces(&more)]).await.expect_err("it is refused");
    assert!(said.contains("namespaces"), "{said}");
    let linted = output("helm", &["lint", "--strict", "charts/rowlock"]).await;
    assert!(linted.is_ok(), "{linted:?}");
}

/// `config/default` runs the operator as the chart does.
#[tokio::test]
#[ignore = "needs helm: e2e/run"]
async fn kustomize_and_chart_agree() {
    let chart = parse_objects(
        &template(&["definitions.install=false"])
            .await
            .expect("it renders"),
    )
    .expect("YAML");
    let base = output("kubectl", &["kustomize", "config/default"])
        .await
        .expect("it renders");
    let base = parse_objects(&base).expect("YAML");
    let find = |objects: &[Value], kind: &str, name: &str| {
        let found = objects
            .iter()
            .find(|one| one["kind"] == kind && one["metadata"]["name"] == name);
        found.cloned().unwrap_or_else(|| panic!("no {kind} {name}"))
    };
    let spec = |objects: &[Value]| {
        find(objects, "Deployment", "rowlock-operator")["spec"]["template"]["spec"].clone()
    };
    assert_eq!(spec(&base), spec(&chart));
    // Whoever sets the image there sets that of engines too.
    let place = std::env::temp_dir().join(format!("rowlock-kustomize-{}", std::process::id()));
    for part in ["default", "rbac"] {
        let to = place.join(part);
        fs::create_dir_all(&to).expect("a folder");
        for file in fs::read_dir(repository().join("config").join(part)).expect("files") {
            let file = file.expect("a file").path();
            fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
        }
    }
    let kustomization = place.join("default/kustomization.yaml");
    let text = fs::read_to_string(&kustomization).expect("a text");
    let text = text.replace(
        "newTag: 0.1.0",
        "newName: registry.example.org/rowlock\n    newTag: 1.2.3",
    );
    fs::write(&kustomization, text).expect("a text");
    let folder = place.join("default").display().to_string();
    let changed = output("kubectl", &["kustomize", &folder])
        .await
        .expect("it renders");
    fs::remove_dir_all(&place).expect("it goes");
    let changed = spec(&parse_objects(&changed).expect("YAML"));
    let container = &changed["containers"][0];
    let variables = container["env"].as_array().expect("variables");
    let image = variables.iter().find(|one| one["name"] == "ROWLOCK_ENGINE_IMAGE");
    assert_eq!(container["image"], "registry.example.org/rowlock:1.2.3");
    assert_eq!(image.expect("the engines' image")["value"], container["image"]);
    for name in [
        "rowlock-operator",
        "rowlock-operator-cluster",
        "rowlock-operator-secrets",
        "rowlock-edit",
        "rowlock-view",
    ] {
        assert_eq!(
            find(&base, "ClusterRole", name)["rules"],
            find(&chart, "ClusterRole", name)["rules"],
            "{name}"
        );
    }
    for name in ["rowlock-operator", "rowlock-operator-cluster"] {
        let (base, chart) = (
            find(&base, "ClusterRoleBinding", name),
            find(&chart, "ClusterRoleBinding", name),
        );
        assert_eq!(
            (&base["subjects"], &base["roleRef"]),
            (&chart["subjects"], &chart["roleRef"]),
            "{name}"
        );
    }
}

/// The ConfigMap for Argo CD holds the script that is tested.
#[test]
fn the_health_script_is_the_one_beside_it() {
    let directory = repository().join("config/argocd");
    let script = fs::read_to_string(directory.join("health.lua")).expect("a script");
    let map = e2e::cluster::read_objects(&directory.join("argocd-cm.yaml")).expect("YAML");
    let text = map[0]["data"]["resource.customizations"]
        .as_str()
        .expect("a text");
    let inner = parse_objects(text).expect("YAML");
    assert_eq!(inner[0]["rowlock.dev/*"]["health.lua"], script.as_str());
}

/// Each rule of each role is preceded by its reason.
#[test]
fn every_rule_has_a_reason() {
    for file in fs::read_dir(repository().join("config/rbac")).expect("files") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        let mut before = "";
        let mut rules = 0;
        for line in text.lines() {
            if line.trim_start().starts_with("- apiGroups:") {
                assert!(
                    before.trim_start().starts_with("# "),
                    "{}: {line}",
                    path.display()
                );
                rules += 1;
            }
            before = line;
        }
        let said = parse_objects(&text).expect("YAML");
        let said = said.iter().filter_map(|one| one["rules"].as_array());
        assert_eq!(rules, said.map(Vec::len).sum::<usize>(), "{}", path.display());
    }
}
