//! What one websocket runs, by the client's ids.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::operation::{Client, Ended};

/// See the module. Dropping it stops what runs.
#[derive(Debug, Default)]
pub struct Operations {
    tasks: JoinSet<Ended>,
    running: HashMap<Arc<str>, (u64, AbortHandle, Running)>,
    /// Operations begun.
    begun: u64,
}

/// What is known of an operation that runs.
#[derive(Debug)]
pub struct Running {
    /// Its name, if the request said one.
    pub name: Option<String>,
    /// Its request id.
    pub request_id: String,
    /// As it was sent, where the log may want it.
    pub payload: Option<Box<str>>,
    /// Who asked.
    pub client: Arc<Client>,
}

/// How an operation came to its end.
#[derive(Debug)]
pub enum Done {
    /// It has an answer.
    Answered(Running, Ended),
    /// Its task is gone without one; this is its id, and why.
    Lost(Running, Arc<str>, String),
}

impl Operations {
    /// Whether one of this id runs.
    pub fn has(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Begins one. `work` makes its task out of its number, which tells it from an earlier one with the same id.
    pub fn begin<F>(&mut self, id: Arc<str>, running: Running, work: impl FnOnce(u64) -> F)
    where
        F: Future<Output = Ended> + Send + 'static,
    {
        self.begun += 1;
        let handle = self.tasks.spawn(work(self.begun));
        self.running.insert(id, (self.begun, handle, running));
    }

    /// Ends one without an answer; `None` for an id that is not there, as that of one that has just ended.
    pub fn stop(&mut self, id: &str) -> Option<Running> {
        let (_, handle, running) = self.running.remove(id)?;
        handle.abort();
        Some(running)
    }

    /// Ends all of them.
    pub fn stop_all(&mut self) {
        self.tasks.abort_all();
    }

    /// Waits for the next task to end. The inner `None` is one that was stopped before; the outer one, that none runs.
    pub async fn next(&mut self) -> Option<Option<Done>> {
        let ended = self.tasks.join_next().await?;
        Some(match ended {
            Ok(ended) => self.answered(ended),
            Err(error) => self.lost(&error),
        })
    }

    fn answered(&mut self, ended: Ended) -> Option<Done> {
        let (number, ..) = self.running.get(&ended.id)?;
        if *number != ended.number {
            return None;
        }
        let (_, _, running) = self.running.remove(&ended.id)?;
        Some(Done::Answered(running, ended))
    }

    fn lost(&mut self, error: &JoinError) -> Option<Done> {
        let is_it =
            |(_, (_, handle, _)): &(&Arc<str>, &(u64, AbortHandle, Running))| handle.id() == error.id();
        let id = Arc::clone(self.running.iter().find(is_it)?.0);
        let (_, _, running) = self.running.remove(&id)?;
        Some(Done::Lost(running, id, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use plan::Session;

    use super::*;
    use crate::auth::Ground;
    use crate::observe::OperationLog;

    fn running() -> Running {
        Running {
            name: None,
            request_id: String::new(),
            payload: None,
            client: Arc::new(Client {
                session: Session {
                    role: "user".into(),
                    variables: Vec::new(),
                    backend: false,
                },
                headers: HeaderMap::new(),
                expires: None,
                ground: Ground::Headers,
            }),
        }
    }

    fn ended(id: &str, number: u64) -> Ended {
        Ended {
            id: id.into(),
            number,
            message: Vec::new(),
            log: OperationLog::unknown(),
            error: None,
        }
    }

    #[tokio::test]
    async fn an_id_is_free_again_however_its_operation_ended() {
        let mut operations = Operations::default();
        operations.begin("1".into(), running(), |number| async move { ended("1", number) });
        assert!(matches!(operations.next().await, Some(Some(Done::Answered(_, ended))) if &*ended.id == "1"));
        assert!(operations.is_empty());
        // Its task panics: the id goes, and somebody is told.
        operations.begin("1".into(), running(), |_| async { panic!("as a task may") });
        assert!(operations.has("1"));
        let Some(Some(Done::Lost(_, id, reason))) = operations.next().await else {
            panic!("not lost");
        };
        assert_eq!(&*id, "1");
        assert!(reason.contains("panicked"), "{reason}");
        assert!(!operations.has("1"));
        // One that was stopped has no end of its own, whether it had an answer already or not.
        for _ in 0..2 {
            operations.begin("1".into(), running(), |_| std::future::pending());
            assert!(operations.stop("1").is_some() && operations.stop("1").is_none());
            operations.begin("1".into(), running(), |number| async move { ended("1", number) });
            tokio::task::yield_now().await;
            assert!(operations.stop("1").is_some());
            operations.begin("1".into(), running(), |number| async move { ended("1", number) });
            let mut answers = 0;
            while let Some(done) = operations.next().await {
                answers += usize::from(matches!(done, Some(Done::Answered(..))));
            }
            assert_eq!((answers, operations.len()), (1, 0));
        }
    }
}
