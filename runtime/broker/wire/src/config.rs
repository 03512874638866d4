//! How the listeners are set up.

use std::time::Duration;

use crate::endpoint::Endpoint;

/// Settings of the Kafka listeners. [`WireConfig::new`] gives what a worker uses.
#[derive(Clone, Debug)]
pub struct WireConfig {
    /// `kafka.listeners`: where to listen.
    pub listeners: Vec<Endpoint>,
    /// `kafka.advertised.listeners`: what clients of the listener of the same name are told to connect to.
    pub advertised: Vec<Endpoint>,
    /// What the cluster calls itself; stays the same over restarts.
    pub cluster_id: String,
    /// `auto.create.topics.enable`: whether asking for an unknown topic creates it.
    pub auto_create_topics: bool,
    /// `socket.request.max.bytes`: the largest request taken.
    pub request_bytes_max: usize,
    /// Memory for requests of all connections together; a connection waits for its share before it reads on.
    pub requests_bytes_max: usize,
    /// `fetch.max.bytes`: the most that one Fetch returns, unless the first batch alone is larger.
    pub fetch_bytes_max: usize,
    /// Memory for fetched records of all connections together.
    pub fetches_bytes_max: usize,
    /// `max.connections`: connections beyond this many wait to be accepted.
    pub connections_max: usize,
    /// `connections.max.idle.ms`: a connection without requests is closed after this time.
    pub idle_max: Duration,
    /// A request must arrive whole, and an answer be taken, within this time and a second for every 256 KiB of it.
    pub stall_max: Duration,
    /// How long a stop waits for requests that were begun.
    pub drain_max: Duration,
}

/// Who is slower than this may keep memory from others for long, on purpose or not.
const BYTES_PER_SECOND_MIN: usize = 256 << 10;

impl WireConfig {
    /// The defaults, over these listeners.
    #[must_use]
    pub fn new(listeners: Vec<Endpoint>, cluster_id: String) -> Self {
        Self {
            listeners,
            advertised: Vec::new(),
            cluster_id,
            auto_create_topics: true,
            request_bytes_max: 100 << 20,
            requests_bytes_max: 128 << 20,
            fetch_bytes_max: 16 << 20,
            fetches_bytes_max: 64 << 20,
            connections_max: 1_000,
            idle_max: Duration::from_secs(600),
            stall_max: Duration::from_secs(30),
            drain_max: Duration::from_secs(5),
        }
    }

    /// How long a frame of this size may take in either direction.
    pub(crate) fn patience(&self, frame_bytes: usize) -> Duration {
        let seconds = frame_bytes / BYTES_PER_SECOND_MIN;
        self.stall_max + Duration::from_secs(seconds as u64)
    }
}
