//! The whole life of a GraphQL operation, one step per line in [`answer`].
//!
//! ```text
//! plan cache ─hit─> bind ─> run root fields ─> write them in order
//!     └──miss──> parse, validate, plan ──^
//! ```
//!
//! A response is written once, into one buffer; what Postgres gives is never parsed here.

mod mutation;
pub mod trace;
mod validation;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use graphql::OperationKind;
use http::HeaderMap;
use plan::cache::Key;
use plan::prepared::{Root, RootContent};
use plan::rows::SingleRows;
use plan::{Plan, Session};
use schema::model::SourceId;
use serde_json::{Map, Value, json};
use sql::{Statement, Values};

use crate::gate;
use crate::generation::{Generation, RoutedRequest};
use crate::http::error::{ApiError, Code, Visibility};
use crate::observe::{Event, OperationLog};
use crate::state::State;

/// One operation to answer.
#[derive(Debug)]
pub struct Request<'a> {
    /// The text.
    pub query: Cow<'a, str>,
    /// Which operation of it.
    pub operation_name: Option<Cow<'a, str>>,
    /// Its variables.
    pub variables: Map<String, Value>,
}

impl Request<'_> {
    /// One that outlives the text it was read from.
    pub fn into_owned(self) -> Request<'static> {
        Request {
            query: Cow::Owned(self.query.into_owned()),
            operation_name: self.operation_name.map(|name| Cow::Owned(name.into_owned())),
            variables: self.variables,
        }
    }
}

/// What is the same for all operations of an HTTP request; one of a websocket has its own.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The process.
    pub state: &'a State,
    /// What is served; one for the whole request.
    pub generation: &'a Generation,
    /// Who asks.
    pub session: &'a Session,
    /// Which endpoint, as part of a plan's key.
    pub endpoint: &'a str,
    /// The request's headers, where it has any.
    pub headers: Option<&'a HeaderMap>,
    /// The request's id.
    pub request_id: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// Whether errors show `internal`.
    pub visibility: Visibility,
    /// The trace that the request is part of, for triggers.
    pub trace: Option<&'a str>,
    /// What the answer travels on.
    pub transport: Transport,
}

/// What answers travel on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One answer per request.
    Http,
    /// Frames, as many as there are.
    Websocket,
}

/// Why an operation has no answer.
#[derive(Debug)]
pub struct Failure {
    /// What the client is told.
    pub error: ApiError,
    /// It had begun to run: what came before was accepted.
    pub running: bool,
}

impl<'a> Context<'a> {
    /// The database that this operation goes to.
    pub fn routed(&self, source: SourceId, plan: &Plan) -> Result<Cow<'a, pg::Source>, ApiError> {
        let request = RoutedRequest {
            headers: self.headers,
            session: self.session,
            kind: plan.kind,
            operation_name: plan.operation_name.as_deref(),
        };
        self.generation.routed(source, &request)
    }
}

/// Answers one operation: appends `{"data":…}` or `{"errors":…}` to `out`. Takes the variables away.
pub async fn answer(
    context: &Context<'_>,
    request: &mut Request<'_>,
    out: &mut Vec<u8>,
) -> (OperationLog, Result<(), ApiError>) {
    let (log, outcome) = perform(context, request, out).await;
    let outcome = outcome.map_err(|failure| failure.error);
    if let Err(error) = &outcome {
        out.extend_from_slice(b"{\"errors\":[");
        error.write_graphql(out, context.visibility);
        out.extend_from_slice(b"]}");
    }
    (log, outcome)
}

/// The same, but appends nothing for one that fails.
pub async fn perform(
    context: &Context<'_>,
    request: &mut Request<'_>,
    out: &mut Vec<u8>,
) -> (OperationLog, Result<(), Failure>) {
    let started = Instant::now();
    let start = out.len();
    let mut log = OperationLog::unknown();
    let outcome = match prepare(context, request, &mut log).await {
        Err(error) => Err(Failure {
            error,
            running: false,
        }),
        Ok((plan, values)) => {
            let single = plan.single_rows(&request.variables);
            let mut kept = None;
            let work = async {
                validation::run(context, &plan, &request.variables).await?;
                // Given back where and when they were made, which is cheapest, and not kept while the database works.
                let variables = std::mem::take(&mut request.variables);
                // But for a few, of which an error is to name one.
                if mutation::place::can_be_found(&plan, &request.query, &variables, &single) {
                    kept = Some(variables);
                } else {
                    drop(variables);
                }
                execute(context, &plan, &values, &single, out).await
            };
            let running = true;
            let done = gate::within(gate::time(context), work).await;
            // Not within the operation's time: what was refused is not to be told as a time limit.
            let done = match (done, kept) {
                (Err(error), Some(variables)) => {
                    Err(mutation::place::told(context, request, &plan, &single, &variables, error).await)
                }
                (done, _) => done,
            };
            done.map_err(|error| Failure { error, running })
        }
    };
    if outcome.is_err() {
        out.truncate(start);
    }
    log.success = outcome.is_ok();
    log.took = started.elapsed();
    (log, outcome)
}

/// Everything before it runs.
async fn prepare(
    context: &Context<'_>,
    request: &Request<'_>,
    log: &mut OperationLog,
) -> Result<(Arc<Plan>, Values), ApiError> {
    gate::rate(context).await?;
    gate::allowed(context, &request.query)?;
    let plan = planned(context, request)?;
    describe(&plan, log);
    gate::cost(context, &plan)?;
    check_transport(context.transport, &plan)?;
    if plan.kind == OperationKind::Mutation && context.state.settings.graphql.read_only {
        return Err(ApiError::new(
            Code::NotSupported,
            "Mutations are not allowed when read-only mode is enabled",
        ));
    }
    let values = plan.bind(&request.variables, context.session)?;
    log_query(context, request, &plan, &values);
    Ok((plan, values))
}

/// The plan of an operation: from the cache, or made now.
pub fn planned(context: &Context<'_>, request: &Request<'_>) -> Result<Arc<Plan>, ApiError> {
    let generation = context.generation;
    let key = Key {
        endpoint: context.endpoint,
        role: &context.session.role,
        backend: context.session.backend,
        text: &request.query,
        operation_name: request.operation_name.as_deref(),
    };
    if let Some(plan) = generation.plans.get(&key, &generation.model, &request.variables) {
        return Ok(plan);
    }
    let options = &context.state.settings.graphql.options;
    let plan = Arc::new(plan_with(context, request, &request.variables, options)?);
    generation.plans.insert(&key, Arc::clone(&plan));
    Ok(plan)
}

/// A plan that is made now.
fn plan_with(
    context: &Context<'_>,
    request: &Request<'_>,
    variables: &Map<String, Value>,
    options: &graphql::Options,
) -> Result<Plan, ApiError> {
    let view = context
        .generation
        .view(&context.session.role, context.session.backend);
    let view = plan::View {
        types: &view,
        model: view.model(),
        role: view.role(),
        backend: view.has_backend_privileges(),
    };
    let plan = plan::plan(
        &view,
        &plan::Request {
            text: &request.query,
            operation_name: request.operation_name.as_deref(),
            variables,
            limits: &context.state.settings.graphql.limits,
            options,
        },
    )?;
    Ok(plan)
}

/// What log and metrics tell of an operation.
fn describe(plan: &Plan, log: &mut OperationLog) {
    log.kind = match plan.kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    };
    log.name = plan.operation_name.clone();
    log.hash = Some(Arc::from(&*plan.parameterized_hash));
}

/// What the transport can carry.
fn check_transport(transport: Transport, plan: &Plan) -> Result<(), ApiError> {
    match (plan.kind, transport) {
        (OperationKind::Query | OperationKind::Mutation, _) => Ok(()),
        (OperationKind::Subscription, Transport::Http) => Err(ApiError::new(
            Code::UnexpectedPayload,
            "subscriptions are not supported over HTTP, use websockets instead",
        )),
        (OperationKind::Subscription, Transport::Websocket) => Err(ApiError::new(
            Code::NotSupported,
            "subscriptions are not supported yet",
        )),
    }
}

/// A root field that runs a statement.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its root field.
    pub root: &'a Root,
    /// Where it runs.
    pub source: SourceId,
    /// What runs.
    pub statement: &'a Arc<Statement>,
}

/// All statements of a plan, in response order.
pub fn steps(roots: &[Root]) -> Vec<Step<'_>> {
    let mut found = Vec::with_capacity(roots.len());
    collect(roots, &mut found);
    found
}

fn collect<'a>(roots: &'a [Root], found: &mut Vec<Step<'a>>) {
    for root in roots {
        match &root.content {
            RootContent::Constant(_) => {}
            RootContent::Statement { source, statement } => found.push(Step {
                root,
                source: *source,
                statement,
            }),
            RootContent::Mutation(mutation) => found.extend(mutation.first().iter().map(|one| Step {
                root,
                source: mutation.source,
                statement: &one.statement,
            })),
            // Namespaces hold no namespaces: this goes one level down.
            RootContent::Object(inner) => collect(inner, found),
        }
    }
}

/// Runs the statements and writes `{"data":…}`.
async fn execute(
    context: &Context<'_>,
    plan: &Plan,
    values: &Values,
    single: &SingleRows<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    out.extend_from_slice(b"{\"data\":");
    if plan.kind == OperationKind::Mutation {
        mutation::run(context, plan, values, single, out).await?;
        out.push(b'}');
        return Ok(());
    }
    if let [root] = plan.roots.as_slice()
        && let RootContent::Statement { source, statement } = &root.content
    {
        // The common case: the only field's rows are written where they belong.
        out.push(b'{');
        out.extend_from_slice(&root.key);
        let step = Step {
            root,
            source: *source,
            statement,
        };
        read(context, plan, &step, values, out).await?;
        out.extend_from_slice(b"}}");
        return Ok(());
    }
    let steps = steps(&plan.roots);
    let mut answers = join_all(steps.iter().map(|step| async move {
        let mut part = Vec::with_capacity(512);
        read(context, plan, step, values, &mut part).await.map(|()| part)
    }))
    .await
    .into_iter();
    splice(&plan.roots, &mut answers, out)?;
    out.push(b'}');
    Ok(())
}

/// Writes an object of root fields; `answers` are those of its statements, in order.
fn splice(
    roots: &[Root],
    answers: &mut impl Iterator<Item = Result<Vec<u8>, ApiError>>,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    out.push(b'{');
    for (at, root) in roots.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&root.key);
        match &root.content {
            RootContent::Constant(json) => out.extend_from_slice(json),
            RootContent::Statement { .. } => {
                let answer = answers
                    .next()
                    .unwrap_or_else(|| Err(ApiError::unexpected("a root field has no answer")))?;
                out.extend_from_slice(&answer);
            }
            RootContent::Mutation(_) => return Err(ApiError::unexpected("a mutation within a query")),
            RootContent::Object(inner) => splice(inner, answers, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// Runs one statement and appends its JSON.
async fn read(
    context: &Context<'_>,
    plan: &Plan,
    step: &Step<'_>,
    values: &Values,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    let database = context.routed(step.source, plan)?;
    let limit = Some(context.state.settings.http.max_response);
    let tagged = tagged(context, plan, step.source, step.root, step.statement);
    let statement = tagged.as_ref().unwrap_or(step.statement);
    database
        .read(statement, values, limit, out)
        .await
        .map_err(|error| database_error(&error))
}

/// The statement with the request's id beside it, where the source wants that.
fn tagged(
    context: &Context<'_>,
    plan: &Plan,
    source: SourceId,
    root: &Root,
    statement: &Statement,
) -> Option<Statement> {
    let source = context.generation.model.source(source)?;
    plan::tag::at_execution(
        &source.query_tags,
        statement,
        &plan::tag::Tags {
            field: &root.field,
            hash: &plan.parameterized_hash,
            operation_name: plan.operation_name.as_deref(),
            request_id: Some(context.request_id),
        },
    )
}

/// An error of a source, as clients who read are told.
pub fn database_error(error: &pg::Error) -> ApiError {
    api_error(error.told(pg::Expect::Read))
}

/// The same for clients who write; `of` is what failed.
fn told(error: &pg::Error, of: Option<mutation::Of<'_>>) -> ApiError {
    if let pg::Error::Database(database) = error
        && let Some(refusal) = database.refusal()
    {
        return mutation::refused(refusal, of);
    }
    let error = api_error(error.told(pg::Expect::Write));
    match of {
        Some((statement, single)) => error.path(statement.place(&statement.path, single).to_string()),
        None => error,
    }
}

fn api_error(told: pg::Told) -> ApiError {
    let error = ApiError::new(Code::from(told.code), told.message)
        .status(http::StatusCode::from_u16(told.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR));
    match told.internal {
        Some(internal) => error.internal(internal),
        None => error,
    }
}

/// The query-log line, where somebody wants it.
fn log_query(context: &Context<'_>, request: &Request<'_>, plan: &Plan, values: &Values) {
    if !context.state.observer.wants_queries() {
        return;
    }
    let steps = steps(&plan.roots);
    let generated: Map<String, Value> = steps
        .iter()
        .map(|step| {
            let arguments: Vec<Value> = step
                .statement
                .parameters
                .iter()
                .map(|parameter| argument(parameter, values))
                .collect();
            (
                step.root.field.to_string(),
                json!({"query": &*step.statement.text, "prepared_arguments": arguments}),
            )
        })
        .collect();
    context.state.observer.emit(Event::Query {
        request_id: context.request_id,
        query: json!({
            "query": request.query,
            "operationName": request.operation_name,
            "variables": request.variables,
        }),
        kind: if steps.is_empty() {
            "introspection"
        } else {
            "database"
        },
        generated_sql: Value::Object(generated),
    });
}

fn argument(parameter: &sql::Parameter, values: &Values) -> Value {
    match parameter {
        sql::Parameter::Constant(value) => json!(value.as_deref()),
        sql::Parameter::Slot(slot) => {
            let value = usize::try_from(*slot).ok().and_then(|slot| values.get(slot));
            json!(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(key: &str, content: RootContent) -> Root {
        Root {
            key: format!("\"{key}\":").into_bytes().into(),
            field: key.into(),
            content,
        }
    }

    #[test]
    fn answers_are_spliced_in_response_order() {
        let statement = || RootContent::Statement {
            source: SourceId(0),
            statement: Arc::new(Statement::new(
                "select 1",
                Vec::new(),
                sql::shape::Shape {
                    cardinality: sql::shape::Cardinality::List,
                    row: sql::shape::ValueShape::Constant(Box::default()),
                },
            )),
        };
        let roots = [
            root("a", statement()),
            root("t", RootContent::Constant(b"\"query_root\"".as_slice().into())),
            root("n", RootContent::Object(vec![root("b", statement())])),
        ];
        assert_eq!(steps(&roots).len(), 2);
        let mut answers = [Ok(b"[1]".to_vec()), Ok(b"[2]".to_vec())].into_iter();
        let mut out = Vec::new();
        splice(&roots, &mut answers, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":[1],"t":"query_root","n":{"b":[2]}}"#
        );
    }

    #[test]
    fn the_first_error_is_the_answer() {
        let roots = [
            root("a", RootContent::Constant(b"1".as_slice().into())),
            root(
                "b",
                RootContent::Statement {
                    source: SourceId(0),
                    statement: Arc::new(Statement::new(
                        "select 1",
                        Vec::new(),
                        sql::shape::Shape {
                            cardinality: sql::shape::Cardinality::List,
                            row: sql::shape::ValueShape::Constant(Box::default()),
                        },
                    )),
                },
            ),
        ];
        let mut answers = std::iter::once(Err(ApiError::new(Code::DataException, "no")));
        let error = splice(&roots, &mut answers, &mut Vec::new()).unwrap_err();
        assert_eq!(error.message, "no");
    }
}
