//! Waiting for something to become true: the one place that sleeps.

use std::time::{Duration, Instant};

/// What was waited for did not happen.
#[derive(Debug, thiserror::Error)]
#[error("{what}: not within {seconds:.1} s; last seen: {seen}")]
pub struct Late {
    /// What was waited for.
    pub what: String,
    /// The patience, in seconds.
    pub seconds: f64,
    /// What the last look found.
    pub seen: String,
}

/// What a look at the world found: what was waited for, or a description of what is there instead.
pub type Look<T> = Result<T, String>;

/// Lets time pass: where the moment of something is what a story varies, never in place of a condition.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Looks until the look succeeds, at most for `patience`. Returns what it found and how long it took.
///
/// # Errors
/// When it never did, with what the last look saw.
pub async fn until<T, F>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<(T, Duration), Late>
where
    F: Future<Output = Look<T>>,
{
    let began = Instant::now();
    loop {
        let seen = match look().await {
            Ok(found) => return Ok((found, began.elapsed())),
            Err(seen) => seen,
        };
        if began.elapsed() > patience {
            return Err(Late {
                what: what.to_owned(),
                seconds: patience.as_secs_f64(),
                seen,
            });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
