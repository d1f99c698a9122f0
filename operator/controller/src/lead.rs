//! Until when this instance leads. What it sends later, another one may be writing already: a program that was stopped for
//! a while, and learns late that time went on, must not go on with what it had begun. It is as good as the clock: that of a
//! virtual machine which was stopped as a whole does not show it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Method, Request};
use rustix::time::{ClockId, clock_gettime};
use tower::{BoxError, Layer, Service};

/// Time since the machine began, with that in which it was suspended.
pub fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// How long this instance leads by its latest renewal; as a layer of a client, what lets writes pass until then.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    /// By [`now`].
    until: Arc<Mutex<Option<Duration>>>,
}

/// A write of an instance that does not lead.
#[derive(Debug, thiserror::Error)]
#[error("this instance does not lead any more")]
pub struct NotLeading;

impl Lead {
    /// It leads until then, by [`now`]; nothing: it does not.
    pub fn set(&self, until: Option<Duration>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn holds(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now() < until)
    }
}

/// What anybody may write: the lease is what makes a leader, and Events are about what was.
const FREE: &[&str] = &["/apis/coordination.k8s.io/", "/apis/events.k8s.io/"];

/// Whether only a leader may send it.
fn is_of_leaders<B>(request: &Request<B>) -> bool {
    let path = request.uri().path();
    let is_free = FREE.iter().any(|group| path.starts_with(group));
    *request.method() != Method::GET && !is_free
}

impl<S> Layer<S> for Lead {
    type Service = Led<S>;

    fn layer(&self, inner: S) -> Led<S> {
        let lead = self.clone();
        Led { inner, lead }
    }
}

/// A client of which writes end with the lead.
#[derive(Debug)]
pub struct Led<S> {
    inner: S,
    lead: Lead,
}

impl<S, B> Service<Request<B>> for Led<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !is_of_leaders(&request) {
            let answer = self.inner.call(request);
            return Box::pin(async { answer.await.map_err(Into::into) });
        }
        if !self.lead.holds() {
            return Box::pin(async { Err(NotLeading.into()) });
        }
        let lead = self.lead.clone();
        let mut answer = Box::pin(self.inner.call(request));
        // Between here and the network it may wait for a token, an address or a connection: it goes on with nothing of that
        // when the lead is over.
        Box::pin(poll_fn(move |context| {
            if lead.holds() {
                answer.as_mut().poll(context).map_err(Into::into)
            } else {
                Poll::Ready(Err(NotLeading.into()))
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tower::{ServiceExt, service_fn};

    #[tokio::test]
    async fn writes_end_with_the_lead() {
        let lead = Lead::default();
        let sent = async |method: Method, path: &str| {
            let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(()));
            let request = Request::builder().method(method).uri(path).body(());
            let request = request.expect("a request");
            lead.layer(inner).oneshot(request).await.is_ok()
        };
        let map = "/api/v1/namespaces/n/configmaps/e-metadata";
        let lease = "/apis/coordination.k8s.io/v1/namespaces/n/leases/l";
        assert!(!sent(Method::PATCH, map).await, "it never led");
        assert!(sent(Method::GET, map).await && sent(Method::PUT, lease).await);
        lead.set(Some(now() + Duration::from_secs(3600)));
        assert!(sent(Method::PATCH, map).await && sent(Method::DELETE, map).await);
        // Nobody has told it, and time is over.
        lead.set(Some(now()));
        assert!(!sent(Method::PATCH, map).await && !sent(Method::DELETE, map).await);
        assert!(sent(Method::POST, "/apis/events.k8s.io/v1/namespaces/n/events").await);
        lead.set(None);
        assert!(!sent(Method::PATCH, map).await && sent(Method::PUT, lease).await);
    }
    /// What waited for a connection while the lead ended is not sent on it.
    #[tokio::test]
    async fn what_was_not_sent_ends_with_the_lead() {
        let lead = Lead::default();
        let sent = Arc::new(AtomicUsize::new(0));
        for (method, expected) in [(Method::PATCH, 0), (Method::GET, 1)] {
            lead.set(Some(now() + Duration::from_secs(3600)));
            let (connect, connected) = tokio::sync::oneshot::channel::<()>();
            let mut connected = Some(connected);
            let counter = Arc::clone(&sent);
            let mut client = lead.layer(service_fn(move |_: Request<()>| {
                let (connected, sent) = (connected.take(), Arc::clone(&counter));
                async move {
                    connected.expect("it is called once").await.expect("a connection");
                    sent.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(())
                }
            }));
            let request = Request::builder()
                .method(method)
                .uri("/api/v1/namespaces/n/configmaps/e-metadata");
            let answer = client.call(request.body(()).expect("a request"));
            let mut answer = std::pin::pin!(answer);
            assert!(futures_util::poll!(answer.as_mut()).is_pending());
            lead.set(Some(now()));
            connect.send(()).expect("it waits");
            assert_eq!(usize::from(answer.await.is_ok()), expected);
            assert_eq!(sent.load(Ordering::Relaxed), expected);
        }
    }
}
