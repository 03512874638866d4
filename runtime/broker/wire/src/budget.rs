//! Memory that all connections share: bytes are reserved before they are read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A fixed number of bytes to hand out, first come, first served.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    free: Arc<Semaphore>,
    total: u32,
}

/// Bytes handed out; they go back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved(OwnedSemaphorePermit);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let total = u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Semaphore::new(total as usize)),
            total,
        }
    }

    /// Waits until so many bytes are free. Who wants more than there is gets everything.
    pub(crate) async fn reserve(&self, bytes: usize) -> Reserved {
        let bytes = u32::try_from(bytes).map_or(self.total, |bytes| bytes.min(self.total));
        let permit = Arc::clone(&self.free).acquire_many_owned(bytes).await;
        Reserved(permit.expect("the semaphore is never closed"))
    }
}

impl Reserved {
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.0.num_permits()
    }

    /// Gives back what is over `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        if let Some(rest) = self.0.num_permits().checked_sub(bytes) {
            drop(self.0.split(rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;

    #[tokio::test]
    async fn bytes_come_back_when_shrunk_or_dropped() {
        let budget = Budget::new(100);
        let mut first = budget.reserve(80).await;
        assert_eq!(budget.free.available_permits(), 20);
        first.shrink(90);
        assert_eq!(budget.free.available_permits(), 20);
        first.shrink(30);
        assert_eq!(budget.free.available_permits(), 70);
        drop(first);
        assert_eq!(budget.free.available_permits(), 100);
    }

    #[tokio::test]
    async fn a_wish_beyond_the_budget_gets_all_of_it_instead_of_waiting_forever() {
        let budget = Budget::new(100);
        let all = budget.reserve(1_000).await;
        assert_eq!(budget.free.available_permits(), 0);
        drop(all);
    }
}
