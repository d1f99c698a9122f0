//! Several statements of a transaction, sent at once with its beginning and its end: one wait for all. A single statement
//! has neither, as it is a transaction by itself.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Instant;

use futures_util::future::{MaybeDone, maybe_done};
use sql::Statement;

use super::{Begin, Write};
use crate::error::Error;
use crate::execute::parameter::{Text, Values};
use crate::execute::{self, Json};
use crate::pool::{Known, Session};

/// A statement of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// What is run.
    pub statement: &'a Statement,
    /// Its JSON is wanted; else it has none.
    pub answers: bool,
}

/// What failed of several statements.
#[derive(Debug, thiserror::Error)]
#[error("statement {position} of a transaction")]
pub struct Failed {
    /// Which statement; as many as there are is the commit.
    pub position: usize,
    /// Why.
    #[source]
    pub error: Error,
}

/// What became of an attempt.
enum Outcome {
    Done,
    Failed(Failed),
    /// Nothing reached the server.
    NotSent(Error),
}

impl Write {
    /// Runs statements in order, all sent at once, and, if asked to, the commit behind them. The JSON of each that answers is
    /// appended to `out` and where it ends to `ends`.
    ///
    /// # Errors
    /// The first statement that failed; `out` and `ends` are as they were. The transaction can only be rolled back, and is
    /// so already where the commit was sent.
    pub async fn execute_all(
        &mut self,
        works: &[Work<'_>],
        values: &[Option<String>],
        limit: Option<usize>,
        commit: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), Failed> {
        let (start, first_end) = (out.len(), ends.len());
        let result = if self.connection.pool().prepares() {
            self.together(works, values, limit, commit, out, ends).await
        } else {
            self.one_by_one(works, values, limit, commit, out, ends).await
        };
        if result.is_err() {
            out.truncate(start);
            ends.truncate(first_end);
        }
        result
    }

    /// Where statements are not prepared: what they give must be asked for before the next one is sent.
    async fn one_by_one(
        &mut self,
        works: &[Work<'_>],
        values: &[Option<String>],
        limit: Option<usize>,
        commit: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), Failed> {
        for (position, work) in works.iter().enumerate() {
            self.execute(work.statement, values, limit, out)
                .await
                .map_err(|error| Failed { position, error })?;
            if work.answers {
                ends.push(out.len());
            }
        }
        if commit {
            let position = works.len();
            self.end("COMMIT")
                .await
                .map_err(|error| Failed { position, error })?;
        }
        Ok(())
    }

    async fn together(
        &mut self,
        works: &[Work<'_>],
        values: &[Option<String>],
        limit: Option<usize>,
        commit: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<(), Failed> {
        let (start, first_end) = (out.len(), ends.len());
        let pool = self.connection.pool().clone();
        let mut steps = Vec::with_capacity(works.len());
        for (position, work) in works.iter().enumerate() {
            let values = execute::values(&work.statement.parameters, values)
                .map_err(|error| Failed { position, error })?;
            steps.push(Step {
                work: *work,
                known: pool.estimates.of(work.statement),
                values,
            });
        }
        let count = u64::try_from(works.len()).unwrap_or(u64::MAX);
        pool.counters.statements.fetch_add(count, Ordering::Relaxed);
        let begin = self.begin.take();
        let mut again = false;
        loop {
            let outcome = self
                .attempt(begin.as_ref(), &steps, limit, commit, out, ends)
                .await;
            // A transaction of which nothing was sent, or that failed as a whole before anything else was in it, can be
            // tried once more.
            match outcome {
                Outcome::Done => return Ok(()),
                Outcome::NotSent(Error::Lost(_)) if begin.is_some() && !again => {
                    self.connection
                        .reconnect()
                        .await
                        .map_err(|error| Failed { position: 0, error })?;
                }
                Outcome::Failed(failed)
                    if begin.is_some() && !again && execute::prepared_is_stale(&failed.error) =>
                {
                    if let Ok(session) = self.connection.session() {
                        for step in &steps {
                            session.forget(&step.known);
                        }
                    }
                    if !commit {
                        self.connection
                            .end_transaction("ROLLBACK")
                            .await
                            .map_err(|error| Failed { position: 0, error })?;
                    }
                }
                Outcome::Failed(Failed { position, error }) => {
                    pool.counters.statement_errors.fetch_add(1, Ordering::Relaxed);
                    let error = match steps.get(position) {
                        Some(step) => execute::describe(error, &step.known, true),
                        None => error,
                    };
                    return Err(Failed { position, error });
                }
                Outcome::NotSent(error) => {
                    pool.counters.statement_errors.fetch_add(1, Ordering::Relaxed);
                    return Err(Failed { position: 0, error });
                }
            }
            again = true;
            out.truncate(start);
            ends.truncate(first_end);
        }
    }

    async fn attempt(
        &mut self,
        begin: Option<&Begin>,
        steps: &[Step<'_>],
        limit: Option<usize>,
        commit: bool,
        out: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Outcome {
        let pool = self.connection.pool().clone();
        self.connection.running();
        let session = match self.connection.session() {
            Ok(session) => session,
            Err(error) => return Outcome::NotSent(error),
        };
        let now = Instant::now();
        session.touch(now);
        // Before the transaction: a statement that cannot be prepared has not touched it.
        let mut prepared = Vec::with_capacity(steps.len());
        for (position, step) in steps.iter().enumerate() {
            match execute::prepared(session, &step.known, step.work.statement, &step.values, now).await {
                Ok(statement) => prepared.push(statement),
                Err(error @ Error::Lost(_)) => return Outcome::NotSent(error),
                Err(error) => {
                    if begin.is_some() && matches!(error, Error::Database(_)) {
                        self.connection.clean();
                    }
                    return Outcome::Failed(Failed { position, error });
                }
            }
        }
        if let Some(begin) = begin
            && let Err(error) = begin.prepare(session).await
        {
            return Outcome::NotSent(error);
        }
        let sent = Instant::now();
        let result = exchange(
            session,
            begin.map(|begin| (pool.isolation().begin_read_write(true), begin)),
            steps,
            &prepared,
            limit,
            commit,
            out,
            ends,
        )
        .await;
        if let (Ok(()), true, [step]) = (&result, commit, steps) {
            step.known.took_by_itself(sent.elapsed());
        }
        match &result {
            Ok(()) if commit => self.connection.clean(),
            Ok(()) => self.connection.in_transaction(),
            // All answers were taken or are on their way.
            Err(Outcome::Failed(Failed {
                error: Error::Database(_),
                ..
            })) => {
                if commit {
                    self.connection.clean();
                } else {
                    self.connection.in_transaction();
                }
            }
            Err(_) => {}
        }
        match result {
            Ok(()) => Outcome::Done,
            Err(outcome) => outcome,
        }
    }
}

struct Step<'a> {
    work: Work<'a>,
    known: Arc<Known>,
    values: Values<'a>,
}

/// Sends everything, then takes the answers in order.
#[expect(clippy::too_many_arguments, reason = "the whole of one exchange, called once")]
async fn exchange(
    session: &Session,
    begin: Option<(&str, &Begin)>,
    steps: &[Step<'_>],
    prepared: &[tokio_postgres::Statement],
    limit: Option<usize>,
    commit: bool,
    out: &mut Vec<u8>,
    ends: &mut Vec<usize>,
) -> Result<(), Outcome> {
    let client = &session.client;
    // One statement by itself is a transaction already.
    let alone = commit && steps.len() == 1 && begin.is_some_and(|(_, begin)| begin.is_of_session(true));
    if begin.is_some() && client.is_closed() {
        return Err(Outcome::NotSent(Error::Lost(None)));
    }
    let mut before = pin!(maybe_done(async {
        match begin {
            Some((_, begin)) => begin.set_before(session, true).await,
            None => Ok(()),
        }
    }));
    let mut begun = pin!(maybe_done(async {
        match begin {
            Some((text, _)) if !alone => client.batch_execute(text).await.map_err(Error::from),
            _ => Ok(()),
        }
    }));
    let mut set = pin!(maybe_done(async {
        match begin {
            Some((_, begin)) => begin.set_within(session, true).await,
            None => Ok(()),
        }
    }));
    let mut answers: Vec<_> = steps
        .iter()
        .zip(prepared)
        .map(|(step, statement)| Box::pin(maybe_done(client.query_raw(statement, step.values.iter()))))
        .collect();
    let mut ended = pin!(maybe_done(async {
        if commit && !alone {
            client.batch_execute("COMMIT").await.map_err(Error::from)
        } else {
            Ok(())
        }
    }));
    // The first poll of each sends it.
    send(before.as_mut()).await;
    if let MaybeDone::Done(Err(_)) = &*before
        && let Some(Err(error)) = before.as_mut().take_output()
    {
        return Err(Outcome::NotSent(error));
    }
    send(begun.as_mut()).await;
    if begin.is_some()
        && let MaybeDone::Done(Err(_)) = &*begun
        && let Some(Err(error)) = begun.as_mut().take_output()
    {
        return Err(Outcome::NotSent(error));
    }
    send(set.as_mut()).await;
    for answer in &mut answers {
        send(answer.as_mut()).await;
    }
    send(ended.as_mut()).await;

    let failed = |position, error| Outcome::Failed(Failed { position, error });
    before.as_mut().await;
    if let Some(Err(error)) = before.take_output() {
        return Err(failed(0, error));
    }
    begun.as_mut().await;
    if let Some(Err(error)) = begun.take_output() {
        return Err(failed(0, error));
    }
    set.as_mut().await;
    if let Some(Err(error)) = set.take_output() {
        return Err(failed(0, error));
    }
    for (position, (mut answer, step)) in answers.into_iter().zip(steps).enumerate() {
        answer.as_mut().await;
        let mut position = position;
        let taken = match answer.as_mut().take_output() {
            Some(Ok(stream)) => {
                let mut sink = Json::new(&step.work.statement.shape, limit, out);
                let mut stream = pin!(stream);
                let taken = execute::take_rows_of(stream.as_mut(), &mut sink).await;
                if taken.is_err() && stream.rows_affected().is_some() {
                    // The statement was done; what failed is the commit.
                    position += 1;
                }
                taken
            }
            Some(Err(error)) => Err(Error::from(error)),
            None => Err(Error::Lost(None)),
        };
        if let Err(error) = taken {
            // The rest fails with it; what is said about that is not waited for, but for the end of the transaction.
            if matches!(error, Error::Database(_)) {
                ended.as_mut().await;
            }
            return Err(failed(position, error));
        }
        if step.work.answers {
            ends.push(out.len());
        }
    }
    ended.as_mut().await;
    match ended.take_output() {
        Some(Err(error)) => Err(failed(steps.len(), error)),
        _ => Ok(()),
    }
}

/// Polls once.
async fn send(mut future: Pin<&mut impl Future<Output = ()>>) {
    poll_fn(|context| {
        let _ = future.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}

impl Begin {
    /// All it sets can stay set for the session, which so is told only when it changes. A trace is another one each time.
    fn is_of_session(&self, prepares: bool) -> bool {
        prepares && self.session_variables.is_some() && self.trace_context.is_none()
    }

    /// Prepares what [`Begin::set_before`] runs.
    async fn prepare(&self, session: &Session) -> Result<(), Error> {
        if self.is_of_session(true) && session.set_user.get().is_none() {
            let statement = session.client.prepare(SET_USER_OF_SESSION).await?;
            // Another one's is as good.
            let _ = session.set_user.set(statement);
        }
        Ok(())
    }

    /// Before the transaction: `hasura.user`, where the session has another one. Nothing that reads uses such a session
    /// before that is taken back, and whatever writes sets its own.
    pub(super) async fn set_before(&self, session: &Session, prepares: bool) -> Result<(), Error> {
        let Some(user) = self
            .session_variables
            .as_deref()
            .filter(|_| self.is_of_session(prepares))
        else {
            return Ok(());
        };
        if session.is_of_user(user) {
            return Ok(());
        }
        session.set_user_known(None);
        match session.set_user.get() {
            Some(statement) => {
                let rows = session.client.query_raw(statement, [Text(Some(user))]).await?;
                drain(rows).await?;
            }
            None => {
                execute::query(&session.client, SET_USER_OF_SESSION, &[user]).await?;
            }
        }
        session.set_user_known(Some(user));
        Ok(())
    }

    /// Within the transaction, for it alone: `hasura.user` and `hasura.tracecontext`.
    pub(super) async fn set_within(&self, session: &Session, prepares: bool) -> Result<(), Error> {
        if self.is_of_session(prepares) {
            return Ok(());
        }
        let user = self.session_variables.as_deref();
        let client = &session.client;
        match (user, self.trace_context.as_deref()) {
            // What an earlier one left on the session is not this one's.
            (None, None) if prepares => execute::query(client, SET_USER, &[""]).await.map(|_| ()),
            (None, None) => Ok(()),
            (Some(user), None) => execute::query(client, SET_USER, &[user]).await.map(|_| ()),
            (user, Some(trace)) => execute::query(client, SET_BOTH, &[user.unwrap_or("{}"), trace])
                .await
                .map(|_| ()),
        }
    }
}

const SET_USER: &str = "select set_config('hasura.user', $1::text, true)";
const SET_USER_OF_SESSION: &str = "select set_config('hasura.user', $1::text, false)";
const SET_BOTH: &str =
    "select set_config('hasura.user', $1::text, true), set_config('hasura.tracecontext', $2::text, true)";

async fn drain(rows: tokio_postgres::RowStream) -> Result<(), Error> {
    use futures_util::TryStreamExt;
    let mut rows = pin!(rows);
    while rows.try_next().await?.is_some() {}
    Ok(())
}
