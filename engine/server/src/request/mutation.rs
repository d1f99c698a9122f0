//! Mutations: the writes of all root fields, in document order, in one transaction per source.
//!
//! With one source everything is sent at once, the commit too where nothing can go wrong after it. With several, each has a
//! transaction, and none is committed before all writes are done.

pub(super) mod place;

use plan::Plan;
use plan::prepared::{AnswerPart, Mutation, MutationStatement, Root, RootContent};
use plan::rows::SingleRows;
use schema::model::SourceId;
use sql::refusal::Refusal;
use sql::{Statement, Values};

use super::{Context, told};
use crate::http::error::{ApiError, Code};

/// Runs the writes and writes `{…}`, the response's data.
pub(super) async fn run(
    context: &Context<'_>,
    plan: &Plan,
    values: &Values,
    single: &SingleRows<'_>,
    out: &mut Vec<u8>,
) -> Result<(), ApiError> {
    let mut fields = Vec::with_capacity(plan.roots.len());
    collect(&plan.roots, &mut fields);
    if let [root] = plan.roots.as_slice()
        && let [field] = fields.as_slice()
        && let RootContent::Mutation(Mutation { many: false, .. }) = &root.content
        && let [AnswerPart::Statement] = field.mutation.answer.as_slice()
    {
        // The common case: the only field's answer is written where it belongs.
        out.push(b'{');
        out.extend_from_slice(&root.key);
        run_fields(context, plan, &fields, values, single, out).await?;
        out.push(b'}');
        return Ok(());
    }
    let mut answers = Vec::new();
    let ends = run_fields(context, plan, &fields, values, single, &mut answers).await?;
    let mut parts = Parts {
        bytes: &answers,
        ends: ends.into_iter(),
        start: 0,
    };
    splice(&plan.roots, &mut parts, out)
}

/// A statement that failed, and what its place depends on.
pub(super) type Of<'a> = (&'a MutationStatement, &'a SingleRows<'a>);

/// A root field that writes.
struct Field<'a> {
    root: &'a Root,
    mutation: &'a Mutation,
}

fn collect<'a>(roots: &'a [Root], found: &mut Vec<Field<'a>>) {
    for root in roots {
        match &root.content {
            RootContent::Constant(_) | RootContent::Statement { .. } => {}
            RootContent::Mutation(mutation) => found.push(Field { root, mutation }),
            // Namespaces hold no namespaces: this goes one level down.
            RootContent::Object(inner) => collect(inner, found),
        }
    }
}

/// Runs all statements; gives where each answer ends in `out`.
async fn run_fields(
    context: &Context<'_>,
    plan: &Plan,
    fields: &[Field<'_>],
    values: &Values,
    single: &SingleRows<'_>,
    out: &mut Vec<u8>,
) -> Result<Vec<usize>, ApiError> {
    let mut ends = Vec::with_capacity(fields.len());
    let mut sources: Vec<SourceId> = Vec::new();
    for field in fields {
        // Nothing to run is no reason to connect.
        if !field.mutation.statements.is_empty() && !sources.contains(&field.mutation.source) {
            sources.push(field.mutation.source);
        }
    }
    let session = context.session.to_json();
    if let [source] = sources.as_slice() {
        let on = Source {
            context,
            plan,
            id: *source,
            session: &session,
            bounded: fields.iter().all(|field| field.mutation.bounded),
        };
        let is_at_once = |field: &Field<'_>| !field.mutation.at_once.is_empty();
        if fields.iter().any(is_at_once) && fields.iter().all(|field| field.mutation.repeatable) {
            let start = out.len();
            let statements = Statements::of(context, plan, fields, Mutation::first);
            // Of which statement the error is, is known without a second attempt for all others.
            let at_once: Vec<bool> = fields
                .iter()
                .flat_map(|field| field.mutation.first().iter().map(move |_| is_at_once(field)))
                .collect();
            match on.run(&statements, values, out, &mut ends).await {
                Err(Stop::Failed(failed))
                    if at_once.get(failed.position) == Some(&true) && may_be_told_better(&failed.error) =>
                {
                    out.truncate(start);
                    ends.clear();
                }
                other => {
                    return other
                        .map(|()| ends)
                        .map_err(|stop| stop.told(&statements, single));
                }
            }
        }
        let statements = Statements::of(context, plan, fields, |mutation| &mutation.statements);
        let done = on.run(&statements, values, out, &mut ends).await;
        return done.map(|()| ends).map_err(|stop| stop.told(&statements, single));
    }
    let mut transactions: Vec<(SourceId, pg::Write)> = Vec::with_capacity(sources.len());
    for field in fields {
        if field.mutation.statements.is_empty() {
            continue;
        }
        let source = field.mutation.source;
        let at = match transactions.iter().position(|(known, _)| *known == source) {
            Some(at) => at,
            None => {
                transactions.push((source, begin(context, plan, source, &session).await?));
                transactions.len() - 1
            }
        };
        if let Some((_, transaction)) = transactions.get_mut(at) {
            let field = std::slice::from_ref(field);
            let statements = Statements::of(context, plan, field, |mutation| &mutation.statements);
            statements
                .run(context, transaction, values, false, out, &mut ends)
                .await
                .map_err(|failed| Stop::Failed(failed).told(&statements, single))?;
        }
    }
    for (_, transaction) in transactions {
        transaction.commit().await.map_err(|error| told(&error, None))?;
    }
    Ok(ends)
}

async fn begin(
    context: &Context<'_>,
    plan: &Plan,
    source: SourceId,
    session: &str,
) -> Result<pg::Write, ApiError> {
    let transaction = context
        .routed(source, plan)?
        .begin(Some(session))
        .await
        .map_err(|error| told(&error, None))?;
    Ok(transaction.with_trace_context(context.trace))
}

/// The statements of one level each may say more of this error, or do without it. What has to do with the connection, other
/// transactions or a time limit is as it is; a write that may have been done must not be done again.
fn may_be_told_better(error: &pg::Error) -> bool {
    const AS_IT_IS: [&str; 9] = ["08", "40", "53", "54", "55", "57", "58", "F0", "XX"];
    matches!(error, pg::Error::Database(_))
        && error
            .sqlstate()
            .and_then(|code| code.get(..2))
            .is_some_and(|class| !AS_IT_IS.contains(&class))
}

/// Why an operation stopped. Nothing of it was done, unless the error says so.
enum Stop {
    /// A statement, or the commit.
    Failed(pg::Failed),
    /// Before the first statement.
    Before(ApiError),
}

impl Stop {
    fn told(self, statements: &Statements<'_>, single: &SingleRows<'_>) -> ApiError {
        match self {
            Self::Before(error) => error,
            Self::Failed(failed) => {
                let statement = statements.all.get(failed.position).copied();
                told(&failed.error, statement.map(|statement| (statement, single)))
            }
        }
    }
}

/// The only source that an operation writes to.
struct Source<'a, 'c> {
    context: &'a Context<'c>,
    plan: &'a Plan,
    id: SourceId,
    session: &'a str,
    /// [`Mutation::bounded`] of all fields.
    bounded: bool,
}

impl Source<'_, '_> {
    /// Runs the statements as one transaction.
    async fn run(
        &self,
        statements: &Statements<'_>,
        values: &Values,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), Stop> {
        if self.bounded && self.alone(statements, values, out, ends).await? {
            return Ok(());
        }
        let mut transaction = begin(self.context, self.plan, self.id, self.session)
            .await
            .map_err(Stop::Before)?;
        statements
            .run(self.context, &mut transaction, values, self.bounded, out, ends)
            .await
            .map_err(Stop::Failed)?;
        if self.bounded {
            return Ok(());
        }
        let position = statements.all.len();
        transaction
            .commit()
            .await
            .map_err(|error| Stop::Failed(pg::Failed { position, error }))
    }

    /// Runs a single statement as a transaction by itself beside others; says whether it did.
    async fn alone(
        &self,
        statements: &Statements<'_>,
        values: &Values,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<bool, Stop> {
        let ([one], [tagged], None) = (
            statements.all.as_slice(),
            statements.tagged.as_slice(),
            self.context.trace,
        ) else {
            return Ok(false);
        };
        let statement = tagged.as_ref().unwrap_or(&one.statement);
        let source = self.context.routed(self.id, self.plan).map_err(Stop::Before)?;
        match source.write_alone(statement, values, self.session, out).await {
            None => return Ok(false),
            Some(Err(failed)) => return Err(Stop::Failed(failed)),
            Some(Ok(())) if one.answers => ends.push(out.len()),
            Some(Ok(())) => {}
        }
        Ok(true)
    }
}

/// Statements that run one after the other on one source.
struct Statements<'a> {
    all: Vec<&'a MutationStatement>,
    /// With the request's id beside it, where the source wants that.
    tagged: Vec<Option<Statement>>,
}

impl<'a> Statements<'a> {
    fn of(
        context: &Context<'_>,
        plan: &Plan,
        fields: &[Field<'a>],
        choose: impl Fn(&'a Mutation) -> &'a [MutationStatement],
    ) -> Self {
        let (mut all, mut tagged) = (Vec::new(), Vec::new());
        for field in fields {
            for statement in choose(field.mutation) {
                tagged.push(super::tagged(
                    context,
                    plan,
                    field.mutation.source,
                    field.root,
                    &statement.statement,
                ));
                all.push(statement);
            }
        }
        Self { all, tagged }
    }

    async fn run(
        &self,
        context: &Context<'_>,
        transaction: &mut pg::Write,
        values: &Values,
        commit: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), pg::Failed> {
        let works: Vec<pg::Work<'_>> = self
            .all
            .iter()
            .zip(&self.tagged)
            .map(|(one, tagged)| pg::Work {
                statement: tagged.as_ref().unwrap_or(&one.statement),
                answers: one.answers,
            })
            .collect();
        // What is bounded by the request cannot grow over the limit of answers by much, and is not undone for that.
        let limit = (!commit).then_some(context.state.settings.http.max_response);
        transaction
            .execute_all(&works, values, limit, commit, out, ends)
            .await
    }
}

/// The answers of statements, one after the other.
struct Parts<'a> {
    bytes: &'a [u8],
    ends: std::vec::IntoIter<usize>,
    start: usize,
}

impl<'a> Parts<'a> {
    fn next(&mut self) -> Result<&'a [u8], ApiError> {
        let end = self.ends.next();
        let part = end.and_then(|end| self.bytes.get(self.start..end));
        self.start = end.unwrap_or(self.start);
        part.ok_or_else(|| ApiError::unexpected("a root field has no answer"))
    }
}

/// Writes an object of root fields.
fn splice(roots: &[Root], parts: &mut Parts<'_>, out: &mut Vec<u8>) -> Result<(), ApiError> {
    out.push(b'{');
    for (at, root) in roots.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&root.key);
        match &root.content {
            RootContent::Constant(json) => out.extend_from_slice(json),
            RootContent::Statement { .. } => return Err(ApiError::unexpected("a query within a mutation")),
            RootContent::Mutation(mutation) => {
                if mutation.many {
                    out.push(b'[');
                }
                for (at, part) in mutation.answer.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    match part {
                        AnswerPart::Constant(json) => out.extend_from_slice(json),
                        AnswerPart::Statement => out.extend_from_slice(parts.next()?),
                    }
                }
                if mutation.many {
                    out.push(b']');
                }
            }
            RootContent::Object(inner) => splice(inner, parts, out)?,
        }
    }
    out.push(b'}');
    Ok(())
}

/// What a refusal of our own statements means to a client.
pub(super) fn refused(refusal: Refusal, of: Option<Of<'_>>) -> ApiError {
    if let (Refusal::MissingRows, Some((statement, single))) = (refusal, of)
        && let Some((message, path)) = &statement.missing
    {
        // The place of a row that another one needs is told already.
        let path = if *path == statement.path {
            statement.place(path, single)
        } else {
            path.clone()
        };
        return ApiError::new(Code::NotSupported, message.clone()).path(path.to_string());
    }
    let error = ApiError::new(
        Code::PermissionError,
        "check constraint of an insert/update permission has failed",
    );
    match of {
        Some((statement, single)) => error.path(statement.place(&statement.path, single).to_string()),
        None => error,
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

    fn mutation(answer: Vec<AnswerPart>, many: bool) -> RootContent {
        RootContent::Mutation(Mutation {
            source: SourceId(0),
            statements: Vec::new(),
            at_once: Vec::new(),
            answer,
            many,
            bounded: true,
            repeatable: true,
        })
    }

    #[test]
    fn answers_are_put_together_in_response_order() {
        let nothing = || AnswerPart::Constant(b"null".as_slice().into());
        let roots = [
            root("a", mutation(vec![AnswerPart::Statement], false)),
            root("t", RootContent::Constant(b"\"mutation_root\"".as_slice().into())),
            root(
                "n",
                RootContent::Object(vec![root(
                    "b",
                    mutation(
                        vec![AnswerPart::Statement, nothing(), AnswerPart::Statement],
                        true,
                    ),
                )]),
            ),
        ];
        let mut parts = Parts {
            bytes: b"123",
            ends: vec![1, 2, 3].into_iter(),
            start: 0,
        };
        let mut out = Vec::new();
        splice(&roots, &mut parts, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"a":1,"t":"mutation_root","n":{"b":[2,null,3]}}"#
        );
        assert!(parts.next().is_err());
    }
}
