//! Panics: each is a defect of the program, which ends what it happened in and nothing else.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// What a panic said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Panicked(String);

impl Panicked {
    fn new(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "a task panicked".to_owned()))
    }
}

/// Does some work to its end, or until it panics.
///
/// # Errors
/// It panicked.
pub async fn survived<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|panic| Panicked::new(panic.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_panic_said_is_known() {
        assert_eq!(survived(async { 1 }).await.unwrap(), 1);
        let said = |panicked: Result<(), Panicked>| panicked.unwrap_err().to_string();
        assert_eq!(said(survived(async { panic!("words") }).await), "words");
        let number = 5;
        assert_eq!(said(survived(async { panic!("word {number}") }).await), "word 5");
        let other = async { std::panic::panic_any(number) };
        assert_eq!(said(survived(other).await), "a task panicked");
    }
}
