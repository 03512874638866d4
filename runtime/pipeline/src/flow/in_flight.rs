//! Appends that are under way. They complete in the order in which they were made.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use crate::delivery::Stored;
use crate::port::BrokerResult;

const APPENDS_MAX: usize = 8;
const BYTES_MAX: usize = 4 << 20;

type Append = Pin<Box<dyn Future<Output = BrokerResult<Stored>> + Send>>;

/// The appends of one task, oldest first.
#[derive(Default)]
pub(super) struct InFlight {
    appends: VecDeque<(Append, usize, usize)>,
    bytes: usize,
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InFlight")
            .field("n_appends", &self.appends.len())
            .field("bytes", &self.bytes)
            .finish()
    }
}

impl InFlight {
    pub(super) fn is_empty(&self) -> bool {
        self.appends.is_empty()
    }

    /// Whether another append has to wait (invariant 9).
    pub(super) fn is_full(&self) -> bool {
        self.appends.len() >= APPENDS_MAX || self.bytes >= BYTES_MAX
    }

    pub(super) fn push(
        &mut self,
        append: impl Future<Output = BrokerResult<Stored>> + Send + 'static,
        n_records: usize,
        bytes: usize,
    ) {
        self.bytes += bytes;
        self.appends.push_back((Box::pin(append), n_records, bytes));
    }

    /// The oldest append's outcome and its number of records; never completes when there is none.
    /// Cancel-safe.
    pub(super) async fn next(&mut self) -> BrokerResult<(Stored, usize)> {
        let Some((append, n_records, bytes)) = self.appends.front_mut() else {
            return std::future::pending().await;
        };
        let outcome = append.as_mut().await;
        let (n_records, bytes) = (*n_records, *bytes);
        self.bytes -= bytes;
        self.appends.pop_front();
        Ok((outcome?, n_records))
    }
}
