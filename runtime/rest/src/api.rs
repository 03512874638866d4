//! What every handler works with.

use std::sync::Arc;

use longshore_pipeline::port::{Broker, Plugins};
use longshore_worker::WorkerHandle;
use prometheus_client::registry::Registry;
use tokio_util::sync::CancellationToken;

/// What `GET /` says of the worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The worker's version.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// Names the data directory, or the Kafka cluster.
    pub cluster_id: String,
}

/// The worker, its name and its counters.
#[derive(Debug)]
pub struct Api<B, P> {
    /// The worker.
    pub worker: WorkerHandle<B, P>,
    /// What it says of itself.
    pub identity: Identity,
    /// What `/metrics` shows.
    pub registry: Arc<Registry>,
    /// Ends answers that would go on for ever.
    pub shutdown: CancellationToken,
}

impl<B: Broker, P: Plugins> Clone for Api<B, P> {
    fn clone(&self) -> Self {
        Self {
            worker: self.worker.clone(),
            identity: self.identity.clone(),
            registry: Arc::clone(&self.registry),
            shutdown: self.shutdown.clone(),
        }
    }
}
