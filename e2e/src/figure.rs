//! Figures that stories measure: written as lines of a table to the file `ROWLOCK_E2E_FIGURES` names, which `e2e/run`
//! prints at the end.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// How large the stories are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Seconds each: `e2e/run`.
    Small,
    /// What the figures are promised for: `e2e/full`.
    Full,
}

impl Size {
    /// `ROWLOCK_E2E_SIZE`: `full`, else small.
    #[must_use]
    pub fn wanted() -> Self {
        match std::env::var("ROWLOCK_E2E_SIZE") {
            Ok(size) if size == "full" => Self::Full,
            _ => Self::Small,
        }
    }

    /// One of two numbers.
    #[must_use]
    pub fn pick<T>(self, small: T, full: T) -> T {
        match self {
            Self::Small => small,
            Self::Full => full,
        }
    }
}

/// Writes down one figure of a story. Where no file is named, nothing is written.
pub fn note(story: &str, what: &str, figure: &str) {
    let Some(path) = std::env::var_os("ROWLOCK_E2E_FIGURES") else {
        return;
    };
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        // A figure that cannot be written down does not make the story fail.
        let _ = writeln!(file, "| {story} | {what} | {figure} |");
    }
}

/// The duration below which a share (0 to 1) of the others are; zero of none.
#[must_use]
pub fn percentile(durations: &[Duration], share: f64) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted
        .get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// `p50 120 ms, p99 340 ms, most 400 ms (of 200)`.
#[must_use]
pub fn spread(durations: &[Duration]) -> String {
    let ms = |share| percentile(durations, share).as_millis();
    format!(
        "p50 {} ms, p99 {} ms, most {} ms (of {})",
        ms(0.5),
        ms(0.99),
        ms(1.0),
        durations.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let hundred: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&hundred, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&hundred, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&hundred, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
        assert_eq!(spread(&hundred), "p50 50 ms, p99 99 ms, most 100 ms (of 100)");
    }
}
