//! An engine with a database of its own, into which worlds are put and which is asked.

use embedded::test::TestDatabase;
use serde_json::{Value as Json, json};

use super::operation::Request;
use super::oracle::Oracle;
use super::world::World;
use super::write;
use crate::process::{Connection, Server};

pub(crate) struct Lane {
    connection: Connection,
    /// The document without tables.
    metadata: Json,
    schema: Option<String>,
    _server: Server,
    _database: TestDatabase,
}

/// What requests came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    /// Answered as they must be.
    pub(crate) reads: usize,
    /// Mutations that went through.
    pub(crate) writes: usize,
    /// Mutations that had to fail for their rows: a check, a constraint.
    pub(crate) failed: usize,
    /// Requests for what the role may not have.
    pub(crate) refused: usize,
    /// Rows written.
    pub(crate) rows: usize,
    /// Of the mutations that went through, those with rows below rows.
    pub(crate) nested: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.failed += other.failed;
        self.refused += other.refused;
        self.rows += other.rows;
        self.nested += other.nested;
    }
}

/// An answer that is not as it must be.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// Which request.
    pub(crate) at: usize,
    pub(crate) what: String,
}

impl Lane {
    pub(crate) fn new(name: &str) -> Self {
        let database = TestDatabase::create(name);
        // Postgres would compile some statements for seconds, over tables of ten rows.
        let url = format!("{}?options=-cjit%3Doff", database.url());
        let server = Server::start_with(&["serve", "--server-port", "0", "--database-url", &url]);
        let mut lane = Self {
            connection: Connection::to(server.port).unwrap(),
            metadata: Json::Null,
            schema: None,
            _server: server,
            _database: database,
        };
        lane.metadata = lane.accepted("/v1/metadata", &json!({"type": "export_metadata", "args": {}}));
        lane
    }

    /// Puts a world into the engine, in the place of the last one; an error names what of it the engine does not take.
    pub(crate) fn enter(&mut self, world: &World) -> Result<(), String> {
        let mut sql = String::new();
        if let Some(old) = self.schema.take() {
            sql = format!("drop schema {old} cascade;");
        }
        sql.push_str(&world.sql());
        let mut document = self.metadata.clone();
        document["sources"][0]["tables"] = json!([]);
        self.accepted(
            "/v1/metadata",
            &json!({"type": "replace_metadata", "args": document}),
        );
        let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": false}});
        self.accepted("/v2/query", &command);
        self.schema = Some(world.schema.clone());
        document["sources"][0]["tables"] = world.metadata_tables();
        document["inherited_roles"] = world.metadata_inherited_roles();
        let command = json!({"type": "replace_metadata",
            "args": {"allow_inconsistent_metadata": true, "metadata": document}, "version": 2});
        let answer = self.accepted("/v1/metadata", &command);
        // What parents disagree on is reported and not inherited; anything else would be ours.
        for object in answer["inconsistent_objects"].as_array().into_iter().flatten() {
            let disagreement = object["type"] == "inherited role permission inconsistency"
                || object["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.contains("Could not inherit"));
            if !disagreement {
                return Err(object.to_string());
            }
        }
        Ok(())
    }

    /// Asks, and judges the answers.
    pub(crate) fn judge(&mut self, world: &World, requests: &[Request]) -> Result<Tally, Wrong> {
        let mut tally = Tally::default();
        let mut world = world.clone();
        for (at, request) in requests.iter().enumerate() {
            let (text, variables) = request.text(&world);
            let headers = request.session.headers();
            let answer = self.post(
                "/v1/graphql",
                &headers,
                &json!({"query": text, "variables": variables}),
            );
            let wrong = |what: String| Wrong {
                at,
                what: format!(
                    "{what}\n  as {headers:?}\n  asked {text}\n  with {variables}\n  answer {answer}"
                ),
            };
            let oracle = Oracle {
                world: &world,
                session: &request.session,
            };
            let permitted = request.roots.iter().all(|root| oracle.may(root));
            let refused = !answer["data"].is_object();
            let expected = if !permitted {
                if !refused || answer["errors"][0]["extensions"]["code"] != "validation-failed" {
                    return Err(wrong("what the role may not ask is answered".to_owned()));
                }
                tally.refused += 1;
                None
            } else if request.is_mutation() {
                let mut next = world.clone();
                match write::all(&mut next, &request.session, &request.roots) {
                    Ok((expected, rows)) => {
                        tally.writes += 1;
                        tally.rows += rows;
                        tally.nested += usize::from(request.nests());
                        world = next;
                        Some(expected)
                    }
                    Err(_) if refused => {
                        tally.failed += 1;
                        None
                    }
                    Err(why) => return Err(wrong(format!("this should fail: {why}"))),
                }
            } else {
                tally.reads += 1;
                Some(request.roots.iter().map(|root| oracle.answer(root)).collect())
            };
            if let Some(expected) = expected {
                if refused {
                    return Err(wrong("what the role may do is refused".to_owned()));
                }
                for (position, expected) in expected.iter().enumerate() {
                    let given = answer["data"].get(format!("q{position}"));
                    if !given.is_some_and(|value| expected.matches(value)) {
                        return Err(wrong(format!("q{position} should be {}", expected.show())));
                    }
                }
            }
            if request.is_mutation() {
                let state = self.state(&world);
                let expected = world.state();
                if state != expected {
                    return Err(wrong(format!("the rows should be {expected}\n  and are {state}")));
                }
            }
        }
        Ok(tally)
    }

    /// All rows as the admin sees them.
    fn state(&mut self, world: &World) -> Json {
        let query = json!({"query": world.whole()});
        self.post("/v1/graphql", &[], &query)["data"].take()
    }

    fn accepted(&mut self, path: &str, body: &Json) -> Json {
        let (status, answer) = self.send(path, &[], body);
        assert_eq!(status, 200, "{answer} to {body}");
        answer
    }

    fn post(&mut self, path: &str, headers: &[(&'static str, String)], body: &Json) -> Json {
        self.send(path, headers, body).1
    }

    fn send(&mut self, path: &str, headers: &[(&str, String)], body: &Json) -> (u16, Json) {
        self.connection.post(path, headers, body).unwrap()
    }
}
