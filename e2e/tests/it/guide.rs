//! `docs/kubernetes.md`, followed literally.

use std::fs;

use e2e::cluster::{parse_objects, repository};
use serde_json::json;

use crate::shop::Shop;

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

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn the_first_api_of_the_guide() {
    let guide = fs::read_to_string(repository().join("docs/kubernetes.md")).expect("the guide");
    let shop = Shop::plan("guide", 2).await;
    for sql in blocks(&guide, "## First API", "sql") {
        shop.database.run(&sql).await.expect("the SQL of the guide");
    }
    let yaml = blocks(&guide, "## First API", "yaml");
    let files: Vec<Vec<_>> = yaml
        .iter()
        .map(|text| parse_objects(text).expect("YAML"))
        .collect();
    let [objects, grants] = files.as_slice() else {
        panic!("the API, and what other namespaces grant: {yaml:?}")
    };
    // What one grants here is a form that the API server takes.
    for grant in grants {
        shop.apply(grant).await;
    }
    for object in objects {
        shop.apply(object).await;
    }
    for object in objects {
        shop.ready(object).await;
    }
    let anonymous = e2e::answer::Client::anonymous().expect("a client");
    let answer = anonymous
        .graphql(&shop.address().await, "{ album { id title } }")
        .await
        .expect("an answer");
    assert_eq!(
        answer.body,
        json!({"data": {"album": [{"id": 1, "title": "Blue"}]}})
    );
    let shown = blocks(&guide, "## First API", "sh").concat();
    assert!(
        shown.contains(&answer.body.to_string()),
        "the guide shows this answer"
    );
    shop.close().await;
}
