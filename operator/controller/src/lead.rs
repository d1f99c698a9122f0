//! Until when this instance leads. What it sends later, another one may be writing already: a program that was stopped for
//! a while, and learns late that time went on, must not go on with what it had begun.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Method, Request};
use tower::{BoxError, Layer, Service};

/// How long this instance leads by its latest renewal; as a layer of a client, what lets writes pass until then.
#[derive(Clone, Debug, Default)]
pub struct Lead {
    until: Arc<Mutex<Option<Instant>>>,
}

/// A write of an instance that does not lead.
#[derive(Debug, thiserror::Error)]
#[error("this instance does not lead any more")]
pub struct NotLeading;

impl Lead {
    /// It leads until then; nothing: it does not.
    pub fn set(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn holds(&self) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
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
        if is_of_leaders(&request) && !self.lead.holds() {
            return Box::pin(async { Err(NotLeading.into()) });
        }
        let answer = self.inner.call(request);
        Box::pin(async { answer.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::time::Duration;
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
        lead.set(Some(Instant::now() + Duration::from_secs(3600)));
        assert!(sent(Method::PATCH, map).await && sent(Method::DELETE, map).await);
        // Nobody has told it, and time is over.
        lead.set(Some(Instant::now()));
        assert!(!sent(Method::PATCH, map).await && !sent(Method::DELETE, map).await);
        assert!(sent(Method::POST, "/apis/events.k8s.io/v1/namespaces/n/events").await);
        lead.set(None);
        assert!(!sent(Method::PATCH, map).await && sent(Method::PUT, lease).await);
    }
}
