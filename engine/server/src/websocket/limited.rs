//! A stream that gives up on a message that was begun and is not finished in time: it holds memory, and a place.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::frames::Frames;

/// A stream of frames, and how long a message may take from its first byte to its last.
#[derive(Debug)]
pub struct Limited<S> {
    stream: S,
    patience: Duration,
    frames: Frames,
    /// Runs while a message is under way.
    deadline: Option<Pin<Box<Sleep>>>,
    /// It was told once; what is read now is only to be forgotten.
    given_up: bool,
}

impl<S> Limited<S> {
    /// From now on.
    pub fn new(stream: S, patience: Duration) -> Self {
        Self {
            stream,
            patience,
            frames: Frames::default(),
            deadline: None,
            given_up: false,
        }
    }

    fn passed(&mut self, bytes: &[u8]) {
        let rested = self.frames.pass(bytes);
        if self.frames.is_at_rest() {
            self.deadline = None;
        } else if rested || self.deadline.is_none() {
            self.deadline = Some(Box::pin(sleep(self.patience)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Limited<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.given_up {
            return polled;
        }
        match polled {
            Poll::Ready(Ok(())) => {
                self.passed(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(Ok(()))
            }
            // What has come counts, even if nobody looked in time.
            Poll::Pending => {
                let over = |deadline: &mut Pin<Box<Sleep>>| deadline.as_mut().poll(context).is_ready();
                if self.deadline.as_mut().is_some_and(over) {
                    self.deadline = None;
                    self.given_up = true;
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                Poll::Pending
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Limited<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_message_has_its_time() {
        let (mut client, server) = duplex(1024);
        let mut server = Limited::new(server, Duration::from_secs(30));
        let mut buffer = [0; 1024];
        // At rest there is all the time in the world.
        let nothing = tokio::time::timeout(Duration::from_secs(3600), server.read(&mut buffer));
        assert!(nothing.await.is_err());
        // A message of one byte without a mask, in three pieces of 20 s each: too long, though the last one comes soon.
        client.write_all(&[0x01]).await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 1);
        advance(Duration::from_secs(20)).await;
        client.write_all(&[0x01]).await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 1);
        let error = server.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // It is told once.
        client.write_all(b"x").await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn each_message_has_its_own() {
        let (mut client, server) = duplex(1024);
        let mut server = Limited::new(server, Duration::from_secs(30));
        let mut buffer = [0; 1024];
        client.write_all(&[0x81]).await.unwrap();
        assert_eq!(server.read(&mut buffer).await.unwrap(), 1);
        for _ in 0..10 {
            advance(Duration::from_secs(29)).await;
            // The rest of one and the beginning of the next.
            client.write_all(&[0x01, b'x', 0x81]).await.unwrap();
            assert_eq!(server.read(&mut buffer).await.unwrap(), 3);
        }
        let error = server.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
