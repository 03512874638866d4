//! Exponential back-off as Kafka Connect's `RetryWithToleranceOperator` does it: from 300 ms,
//! doubled, up to `errors.retry.delay.max.ms`, for at most `errors.retry.timeout`.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_DELAY: Duration = Duration::from_millis(300);

/// How long something that may succeed later is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// No retries after this much time; `None` is for ever.
    pub timeout: Option<Duration>,
    /// Longest pause between two tries.
    pub delay_max: Duration,
}

impl RetryPolicy {
    /// A series of retries that begins now.
    #[must_use]
    pub fn backoff(self) -> Backoff {
        Backoff {
            deadline: self.timeout.map(|timeout| Instant::now() + timeout),
            next: FIRST_DELAY.min(self.delay_max),
            delay_max: self.delay_max,
        }
    }

    /// The same pauses without an end, for what Kafka Connect retries for ever: a retriable fault
    /// of `poll`, `put` or `flush`.
    #[must_use]
    pub fn for_ever(self) -> Self {
        Self {
            timeout: None,
            ..self
        }
    }
}

/// The pauses of one series of retries.
#[derive(Debug)]
pub struct Backoff {
    deadline: Option<Instant>,
    next: Duration,
    delay_max: Duration,
}

impl Backoff {
    /// The pause before the next try; `None` when it would end after the deadline.
    pub fn next_delay(&mut self) -> Option<Duration> {
        let delay = self.next;
        let too_late = |deadline: Instant| Instant::now() + delay > deadline;
        if self.deadline.is_some_and(too_late) {
            return None;
        }
        self.next = (delay * 2).min(self.delay_max);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_to_the_maximum_and_end_at_the_timeout() {
        let policy = RetryPolicy {
            timeout: Some(Duration::from_millis(2_000)),
            delay_max: Duration::from_millis(700),
        };
        let mut backoff = policy.backoff();
        let mut pauses = Vec::new();
        while let Some(delay) = backoff.next_delay() {
            pauses.push(delay.as_millis());
            tokio::time::sleep(delay).await;
        }
        assert_eq!(pauses, [300, 600, 700]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_timeout_means_no_end() {
        let policy = RetryPolicy {
            timeout: Some(Duration::ZERO),
            delay_max: Duration::from_secs(60),
        };
        assert_eq!(policy.backoff().next_delay(), None);
        assert!(policy.for_ever().backoff().next_delay().is_some());
    }
}
