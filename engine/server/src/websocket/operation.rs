//! One operation of a websocket, from its start to the message that answers it.

use std::sync::Arc;

use http::HeaderMap;
use plan::Session;

use super::protocol::{END, Protocol};
use crate::auth::Ground;
use crate::http::error::ApiError;
use crate::http::graphql::Family;
use crate::http::visibility;
use crate::observe::defect::survived;
use crate::observe::{Event, OperationLog};
use crate::request::{self, Context, Failure, Request, Transport, trace};
use crate::state::State;

/// Who is on the other end of a websocket, as `connection_init` said. Operations keep the one they began with.
#[derive(Debug)]
pub struct Client {
    /// Who.
    pub session: Session,
    /// The headers of `connection_init`: they are those of every operation.
    pub headers: HeaderMap,
    /// When its session ends, in seconds since 1970.
    pub expires: Option<f64>,
    /// What the session rests on.
    pub ground: Ground,
}

/// An operation that is to run.
#[derive(Debug)]
pub struct Operation {
    /// The client's id of it.
    pub id: Arc<str>,
    /// Tells it from an earlier one with the same id.
    pub number: u64,
    /// Its request id.
    pub request_id: String,
    /// What is asked.
    pub request: Request<'static>,
    /// Who asks.
    pub client: Arc<Client>,
    /// The client's address.
    pub address: Arc<str>,
    /// How it is answered.
    pub protocol: Protocol,
    /// The path that the websocket was opened on.
    pub family: Family,
}

/// An operation that has run.
#[derive(Debug)]
pub struct Ended {
    /// The client's id of it.
    pub id: Arc<str>,
    /// Its number.
    pub number: u64,
    /// The message that answers it.
    pub message: Vec<u8>,
    /// What log and metrics tell.
    pub log: OperationLog,
    /// Why it failed.
    pub error: Option<ApiError>,
}

impl Operation {
    /// Runs it. A panic fails this operation alone.
    pub async fn run(mut self, state: Arc<State>) -> Ended {
        let mut message = Vec::with_capacity(1024);
        self.protocol.begin_data(&self.id, &mut message);
        let performed = survived(self.perform(&state, &mut message)).await;
        let (log, outcome) = performed.unwrap_or_else(|panicked| {
            state.observer.emit(Event::Defect(panicked.to_string()));
            let error = ApiError::unexpected("");
            (OperationLog::unknown(), Err(Failure { error, running: true }))
        });
        let error = match outcome {
            Ok(()) => {
                message.push(END);
                None
            }
            Err(Failure { error, running }) => {
                let shown = visibility(&state, Some(&self.client.session));
                message = self
                    .protocol
                    .failed(self.family, &self.id, &error, running, shown);
                Some(error)
            }
        };
        Ended {
            id: self.id,
            number: self.number,
            message,
            log,
            error,
        }
    }

    /// Appends `{"data":…}`, with what is served at this moment.
    async fn perform(&mut self, state: &State, out: &mut Vec<u8>) -> (OperationLog, Result<(), Failure>) {
        let generation = state.current();
        let headers = &self.client.headers;
        let trace = trace::context(headers);
        let context = Context {
            state,
            generation: &generation,
            session: &self.client.session,
            endpoint: self.family.name(),
            headers: Some(headers),
            request_id: &self.request_id,
            client: &self.address,
            visibility: visibility(state, Some(&self.client.session)),
            trace: trace.as_deref(),
            transport: Transport::Websocket,
        };
        request::perform(&context, &mut self.request, out).await
    }
}
