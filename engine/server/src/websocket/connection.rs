//! One open websocket: who is on its other end, what it runs, and when it ends.
//!
//! Everything that decides happens in one task, one thing at a time, so that no answer overtakes a `stop` and no id is
//! taken twice; only operations run beside it, and whoever authenticates is asked beside it. Operations are dropped, and
//! their statements cancelled, when the client is gone.

mod client;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

use super::close::Close;
use super::counted::Counted;
use super::identification::{Identification, Presented};
use super::limited::Limited;
use super::message::ClientMessage;
use super::operation::{Client, Operation};
use super::operations::{Done, Operations, Running};
use super::outbox::{Outbox, outbox};
use super::protocol::Protocol;
use super::registry::Signals;
use crate::http::address::Address;
use crate::http::error::{ApiError, Code, Visibility};
use crate::http::graphql::Family;
use crate::http::request_id;
use crate::http::spelling::Spelling;
use crate::observe::websocket::{OperationEvent, Step, WebsocketEvent, What};
use crate::observe::{Event, OperationLog};
use crate::request::Request;
use crate::state::State;

/// Bytes read from a socket at a time. Each open one has such a buffer.
const READ_BUFFER: usize = 4096;

/// How long the client may take to answer the end of the websocket with its own.
const FAREWELL: Duration = Duration::from_secs(2);

/// Farther ends of a session than this are none: clocks cannot count that far.
const LONGEST_SESSION: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What is known when a websocket opens.
#[derive(Debug)]
pub struct Handshake {
    /// Names it in the log.
    pub id: Uuid,
    /// The path it was opened on.
    pub family: Family,
    /// What is spoken.
    pub protocol: Protocol,
    /// Where the client is.
    pub from: Address,
    /// Headers that count.
    pub headers: HeaderMap,
    /// How they are spelled.
    pub spelling: Spelling,
}

/// Serves one websocket to its end.
pub async fn serve<S>(
    state: &Arc<State>,
    handshake: Handshake,
    stream: S,
    mut signals: watch::Receiver<Signals>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let settings = &state.settings.websockets;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(settings.max_message))
        .max_frame_size(Some(settings.max_message));
    let (stream, taken) = Counted::new(stream);
    let stream = Limited::new(stream, state.settings.http.timeout);
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let (mut sink, mut incoming) = socket.split();
    let (outbox, queue) = outbox(settings.max_queued);
    let metrics = Arc::clone(&state.observer.metrics);
    let mut writer = Box::pin(queue.write_to(
        &mut sink,
        &taken,
        state.settings.http.timeout,
        metrics.websockets(),
    ));
    let mut unreadable = false;
    let mut connection = Connection::new(state, handshake, outbox, *signals.borrow_and_update());
    let mut changes = state.authenticator().changes();
    let close = loop {
        let room = connection.outbox.has_room();
        let end = tokio::select! {
            // The client is gone, or takes nothing.
            () = &mut writer => break None,
            // Who comes in is not known yet, so neither is what to make of more that it says.
            message = incoming.next(), if room && !connection.is_coming_in() => match message {
                Some(Ok(message)) => connection.take(&message),
                Some(Err(error)) => match broken(&error) {
                    Some(close) => {
                        unreadable = true;
                        Err(close)
                    }
                    None => break None,
                },
                None => break None,
            },
            (asked, verdict) = Identification::verdict(&mut connection.asking), if room => {
                connection.identified(asked, verdict)
            }
            Some(done) = connection.operations.next(), if room => {
                done.map_or(Ok(()), |done| connection.done(done))
            }
            // One that waits for room has nothing else to do.
            () = connection.outbox.sunk(), if !room => Ok(()),
            () = sleep_until(connection.init_deadline), if connection.is_silent() => {
                Err(connection.protocol.late())
            }
            // Also while more is shown: that counts from its verdict on.
            () = until(connection.expiry) => Err(Close::expired()),
            () = until(connection.next_keepalive) => { connection.keep_alive(); Ok(()) }
            () = until(connection.leaving.as_ref().map(|(_, deadline)| *deadline)) => {
                connection.leaving.take().map_or(Ok(()), |(close, _)| Err(close))
            }
            Ok(()) = changes.changed() => { connection.reconsider(); Ok(()) }
            Ok(()) = signals.changed() => {
                let signals = *signals.borrow_and_update();
                connection.told(signals)
            }
        };
        if let Err(close) = end {
            break Some(close);
        }
    };
    // What it still runs, nobody waits for.
    connection.operations.stop_all();
    if let Some(close) = close {
        connection.outbox.close(close);
        writer.await;
        // Closing the socket while there is more to read would take the end away from the client.
        let _ = timeout(FAREWELL, async {
            while let Some(Ok(_)) = incoming.next().await {}
            if let (true, Ok(socket)) = (unreadable, incoming.reunite(sink)) {
                drain(socket.into_inner()).await;
            }
        })
        .await;
    }
    connection.log(What::Closed);
}

/// Reads and forgets until the client closes.
async fn drain(mut stream: impl AsyncRead + Unpin) {
    let mut bytes = [0; READ_BUFFER];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

/// Waits for an instant, or for ever.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// What a client that breaks the rules of websockets is told, if it can still be told.
fn broken(error: &Error) -> Option<Close> {
    match error {
        Error::Capacity(_) => Some(Close::plain(CloseCode::Size, "the message is too long")),
        Error::Utf8(_) => Some(Close::plain(CloseCode::Invalid, "the message is not UTF-8")),
        Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Some(Close::plain(
            CloseCode::Policy,
            "the message was not finished in time",
        )),
        Error::Protocol(error) => Some(Close::plain(CloseCode::Protocol, &error.to_string())),
        _ => None,
    }
}

/// What happens next: go on, or close.
type Next = Result<(), Close>;

/// The state of one websocket.
struct Connection<'a> {
    state: &'a Arc<State>,
    id: Uuid,
    family: Family,
    protocol: Protocol,
    address: Arc<str>,
    /// The same, as it is sure.
    sure: Arc<str>,
    /// Headers of the handshake.
    handshake: Presented,
    outbox: Outbox,
    /// Who is on the other end; `None` before `connection_init`.
    client: Option<Arc<Client>>,
    /// The headers that said so, for asking again.
    shown: Arc<Presented>,
    /// Somebody is asked who that is.
    asking: Option<Identification>,
    init_deadline: Instant,
    expiry: Option<Instant>,
    next_keepalive: Option<Instant>,
    operations: Operations,
    seen: Signals,
    /// It closes like this when nothing runs any more, at this instant at the latest. Nothing new begins.
    leaving: Option<(Close, Instant)>,
}

impl<'a> Connection<'a> {
    fn new(state: &'a Arc<State>, handshake: Handshake, outbox: Outbox, seen: Signals) -> Self {
        Self {
            state,
            id: handshake.id,
            family: handshake.family,
            protocol: handshake.protocol,
            address: handshake.from.told.into(),
            sure: handshake.from.sure.into(),
            handshake: Presented {
                headers: handshake.headers,
                spelling: handshake.spelling,
            },
            outbox,
            client: None,
            shown: Arc::default(),
            asking: None,
            init_deadline: Instant::now() + state.settings.websockets.init_timeout.min(LONGEST_SESSION),
            expiry: None,
            next_keepalive: None,
            operations: Operations::default(),
            seen,
            leaving: None,
        }
    }

    /// A message from the client.
    fn take(&mut self, message: &Message) -> Next {
        self.state.observer.metrics.websockets().received(message.len());
        let text = match message {
            Message::Text(text) => text.as_str(),
            Message::Binary(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text,
                Err(_) => return Err(Close::plain(CloseCode::Invalid, "the message is not UTF-8")),
            },
            // Pings are answered by the codec, and the end by it as well: the next read says that it came.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return Ok(()),
        };
        match ClientMessage::parse(text) {
            Err(reason) => {
                self.log(What::Refused(&reason));
                let (message, close) = self.protocol.unreadable(&reason);
                if let Some(message) = message {
                    self.push(message, None);
                }
                close.map_or(Ok(()), Err)
            }
            Ok(ClientMessage::Init(headers, spelling)) => {
                self.initialise(headers, spelling);
                Ok(())
            }
            Ok(ClientMessage::Start { id, request, payload }) => self.start(id, request, payload),
            Ok(ClientMessage::Stop(id)) => {
                self.stop(&id);
                self.leave_if_done()
            }
            Ok(ClientMessage::Terminate) => Err(Close::terminated()),
            Ok(ClientMessage::Ping(payload)) => {
                self.push(Protocol::pong(payload), None);
                Ok(())
            }
            Ok(ClientMessage::Pong) => Ok(()),
        }
    }

    /// `start`
    fn start(&mut self, id: String, request: Request<'_>, payload: &str) -> Next {
        if self.operations.has(&id) {
            let reason = format!("an operation already exists with this id: {id}");
            let close = Close::of(4409, &format!("Subscriber for {id} already exists"));
            return self.refuse(&id, &request, &reason, Some(close));
        }
        let Some(client) = &self.client else {
            let reason = "start received before the connection is initialised";
            let close = Close::told_as(1000, 4400, reason);
            return self.refuse(&id, &request, reason, Some(close));
        };
        let most = self.state.settings.websockets.max_operations;
        if self.operations.len() >= most {
            let reason =
                format!("the websocket has {most} operations running, which is the most it may have");
            return self.refuse(&id, &request, &reason, None);
        }
        if self.leaving.is_some() {
            // The end that is to come tells the client to ask elsewhere.
            return Ok(());
        }
        let client = Arc::clone(client);
        let id: Arc<str> = id.into();
        let request_id = request_id::of(&client.headers).into_owned();
        let name = request.operation_name.as_deref().map(str::to_owned);
        self.log_as(
            Some(&client),
            What::Operation(OperationEvent {
                id: &id,
                name: name.as_deref(),
                request_id: Some(&request_id),
                query: Some(payload),
                hash: None,
                step: Step::Started,
            }),
        );
        let running = Running {
            name,
            request_id: request_id.clone(),
            payload: self.state.observer.wants_websockets().then(|| payload.into()),
            client: Arc::clone(&client),
        };
        let (address, protocol, family) = (Arc::clone(&self.address), self.protocol, self.family);
        let (state, request) = (Arc::clone(self.state), request.into_owned());
        self.operations.begin(Arc::clone(&id), running, |number| {
            let operation = Operation {
                id,
                number,
                request_id,
                request,
                client,
                address,
                protocol,
                family,
            };
            operation.run(state)
        });
        Ok(())
    }

    /// An operation that may not begin.
    fn refuse(&self, id: &str, request: &Request<'_>, reason: &str, close: Option<Close>) -> Next {
        self.log(What::Operation(OperationEvent {
            id,
            name: request.operation_name.as_deref(),
            request_id: None,
            query: None,
            hash: None,
            step: Step::Refused(reason),
        }));
        let error = ApiError::new(Code::StartFailed, reason);
        self.push(self.protocol.not_started(self.family, id, &error), None);
        match (self.protocol, close) {
            (Protocol::Transport, Some(close)) => Err(close),
            _ => {
                self.push(Protocol::complete(id), None);
                Ok(())
            }
        }
    }

    /// An operation has run.
    fn done(&mut self, done: Done) -> Next {
        match done {
            Done::Answered(running, ended) => {
                self.log_end(&ended.id, &running, &ended.log, ended.error.as_ref());
                self.push(ended.message, Some(&ended.log));
                self.push(Protocol::complete(&ended.id), Some(&ended.log));
            }
            Done::Lost(running, id, defect) => {
                self.state.observer.emit(Event::Defect(defect));
                let error = ApiError::unexpected("");
                self.log_end(&id, &running, &OperationLog::unknown(), Some(&error));
                let hidden = Visibility::Hidden;
                self.push(self.protocol.failed(self.family, &id, &error, true, hidden), None);
                self.push(Protocol::complete(&id), None);
            }
        }
        self.leave_if_done()
    }

    fn log_end(&self, id: &str, running: &Running, log: &OperationLog, error: Option<&ApiError>) {
        self.log_as(
            Some(&running.client),
            What::Operation(OperationEvent {
                id,
                name: log.name.as_deref().or(running.name.as_deref()),
                request_id: Some(&running.request_id),
                query: running.payload.as_deref(),
                hash: log.hash.as_deref(),
                step: Step::Ended(log, error),
            }),
        );
    }

    /// `stop`. An unknown id is one that has just ended.
    fn stop(&mut self, id: &str) {
        let Some(running) = self.operations.stop(id) else {
            return;
        };
        self.log_as(
            Some(&running.client),
            What::Operation(OperationEvent {
                id,
                name: running.name.as_deref(),
                request_id: Some(&running.request_id),
                query: None,
                hash: None,
                step: Step::Stopped,
            }),
        );
    }

    /// Something changed that all websockets are told of.
    fn told(&mut self, signals: Signals) -> Next {
        let before = std::mem::replace(&mut self.seen, signals);
        let settings = &self.state.settings;
        let close = if signals.stopping && !before.stopping {
            Close::stopping()
        } else if signals.documents != before.documents
            && settings.websockets.close_on_metadata_change
            && !signals.stopping
        {
            Close::changed()
        } else {
            return Ok(());
        };
        // What runs is waited for once, whatever else happens meanwhile.
        let deadline = match self.leaving.take() {
            Some((_, deadline)) => deadline,
            None => Instant::now() + settings.http.graceful_shutdown.min(LONGEST_SESSION),
        };
        self.leaving = Some((close, deadline));
        self.leave_if_done()
    }

    fn leave_if_done(&mut self) -> Next {
        if !self.operations.is_empty() {
            return Ok(());
        }
        self.leaving.take().map_or(Ok(()), |(close, _)| Err(close))
    }

    fn set_keepalive(&mut self) {
        let period = self.state.settings.websockets.keepalive;
        self.next_keepalive = period.map(|period| Instant::now() + period.min(LONGEST_SESSION));
    }

    /// While something else is on its way, that keeps the connection alive.
    fn keep_alive(&mut self) {
        if self.outbox.is_empty() {
            self.push(self.protocol.keepalive(), None);
        }
        self.set_keepalive();
    }

    fn push(&self, message: Vec<u8>, operation: Option<&OperationLog>) {
        self.outbox.push(
            message,
            self.state.observer.metrics.websockets().sender(operation),
        );
    }

    fn log(&self, what: What<'_>) {
        self.log_as(self.client.as_deref(), what);
    }

    fn log_as(&self, client: Option<&Client>, what: What<'_>) {
        self.state.observer.websocket(&WebsocketEvent {
            id: self.id,
            expires: client.and_then(|client| client.expires),
            session: client.map(|client| &client.session),
            message: None,
            what,
        });
    }
}
