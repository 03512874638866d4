//! How many calls a task has under way, and how much waits behind them.
//!
//! A guest may start calls without awaiting any. Each takes a blocking thread, and what it was given is
//! the host's memory until it ran (invariant 9).

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;
use crate::glob::PATH_BYTES_MAX;

/// Most calls of one task that are with the disk or queued for a thread.
const RUNNING_MAX: usize = 32;

/// Most bytes that are held for calls of one task that wait for those.
const WAITING_BYTES_MAX: usize = 16 << 20;

/// Most waits for a change that one task has under way; each holds a listing.
const WATCHES_MAX: usize = 32;

/// What a call without content is counted as: two paths, and itself.
const CALL_BYTES: usize = 2 * PATH_BYTES_MAX;

/// The calls of one task. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    running: Arc<Semaphore>,
    waiting_bytes: Arc<Semaphore>,
    watches: Arc<Semaphore>,
}

impl Calls {
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            waiting_bytes: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
            watches: Arc::new(Semaphore::new(WATCHES_MAX)),
        }
    }

    /// Waits until a call that holds `bytes` may run; it runs until the permit is dropped.
    pub(crate) async fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        // A call that need not wait does not yield either: a simulation's order stays its seed's.
        if let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = self.wait_with(bytes)?;
        let permit = Arc::clone(&self.running).acquire_owned().await;
        Ok(permit.expect("nobody closes it"))
    }

    fn wait_with(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let bytes = u32::try_from(bytes.saturating_add(CALL_BYTES)).unwrap_or(u32::MAX);
        let waiting = Arc::clone(&self.waiting_bytes).try_acquire_many_owned(bytes);
        waiting.map_err(|_| Error::TooMany {
            what: "bytes in calls that wait for other calls",
            limit: WAITING_BYTES_MAX,
        })
    }

    /// Lets a wait for a change begin; it is over when the permit is dropped.
    pub(crate) fn watch(&self) -> Result<OwnedSemaphorePermit, Error> {
        let permit = Arc::clone(&self.watches).try_acquire_owned();
        permit.map_err(|_| Error::TooMany {
            what: "waits for a change",
            limit: WATCHES_MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn is_waiting<T>(call: std::pin::Pin<&mut impl Future<Output = T>>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(call.poll(&mut context), Poll::Pending)
    }

    #[tokio::test]
    async fn a_call_over_the_limit_waits_until_another_is_done() {
        let calls = Calls::new();
        let mut running = Vec::new();
        for _ in 0..RUNNING_MAX {
            running.push(calls.enter(0).await.unwrap());
        }
        let mut next = pin!(calls.enter(100));
        assert!(is_waiting(next.as_mut()));
        let held = WAITING_BYTES_MAX - calls.waiting_bytes.available_permits();
        assert_eq!(held, CALL_BYTES + 100);
        running.pop();
        drop(next.await.unwrap());
        assert_eq!(calls.waiting_bytes.available_permits(), WAITING_BYTES_MAX);
    }

    #[tokio::test]
    async fn what_would_hold_too_much_while_it_waits_is_refused() {
        let calls = Calls::new();
        drop(calls.enter(usize::MAX).await.unwrap());
        let mut running = Vec::new();
        for _ in 0..RUNNING_MAX {
            running.push(calls.enter(0).await.unwrap());
        }
        let refused = calls.enter(WAITING_BYTES_MAX).await.unwrap_err();
        assert_eq!(refused.code(), "file-too-many");
        let mut small = pin!(calls.enter(0));
        assert!(is_waiting(small.as_mut()));
    }
}
