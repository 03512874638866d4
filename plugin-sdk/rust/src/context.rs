//! The world as a connector sees it.

use longshore_model::Fault;

use crate::files::Files;
use crate::host;
use crate::postgres::Postgres;

/// What the host gives a connector. Cheap to clone.
#[derive(Clone)]
pub struct Ctx {
    host: host::Handle,
}

impl Ctx {
    /// A context over whatever runs the connector: the testkit's fake host, a native adapter.
    #[cfg(not(target_family = "wasm"))]
    #[must_use]
    pub fn new(host: std::rc::Rc<dyn host::Host>) -> Self {
        Self { host }
    }

    /// The context of a guest.
    #[cfg(target_family = "wasm")]
    pub(crate) const fn guest() -> Self {
        Self {
            host: host::Handle {},
        }
    }

    /// Writes an event to the task's log. Never payloads, keys or passwords.
    pub fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        host::log(&self.host, level, message, fields);
    }

    /// Adds to a counter of the task; names are `[a-z][a-z0-9_]*`.
    pub fn count(&self, name: &str, n: u64) {
        host::count(&self.host, name, n);
    }

    /// Sets a gauge of the task.
    pub fn gauge(&self, name: &str, value: f64) {
        host::gauge(&self.host, name, value);
    }

    /// Declares an Avro schema (JSON) and returns the handle for [`crate::Datum::Avro`].
    ///
    /// # Errors
    /// When it is not a schema.
    pub fn declare_schema(&self, schema: &str) -> Result<u32, Fault> {
        host::declare_schema(&self.host, schema)
    }

    /// The schema behind a handle that came with a batch.
    ///
    /// # Errors
    /// When the host gave no such handle.
    pub fn lookup_schema(&self, handle: u32) -> Result<String, Fault> {
        host::lookup_schema(&self.host, handle)
    }

    /// The time: microseconds since 1970.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        host::now_us(&self.host)
    }

    /// Waits that long, or until the host has something to say.
    pub async fn wait(&self, timeout_ms: u64) -> Wake {
        host::wait(&self.host, timeout_ms).await
    }

    /// What the task's status shows as `progress`: a JSON object.
    pub fn progress(&self, json: &str) {
        host::progress(&self.host, json);
    }

    /// Files, as far as the config grants them.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files::new(&self.host)
    }

    /// The PostgreSQL server that the config names.
    #[must_use]
    pub fn postgres(&self) -> Postgres<'_> {
        Postgres::new(&self.host)
    }
}

/// Which task an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskContext {
    /// The connector's name.
    pub connector: String,
    /// Counts from 0.
    pub task: u32,
    /// Raised each time the task is started anew; never falls.
    pub generation: u64,
    /// What later versions of the host add.
    pub extra: Vec<(String, String)>,
}

/// How much an event of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// Unexpected, and recovered from.
    Warn,
    /// Worth knowing once.
    Info,
    /// For those who look into the connector.
    Debug,
    /// Everything.
    Trace,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// What was waited for has come, or the time is up.
    Ready,
    /// Positions became durable: return what there is, and `commit` is called.
    Woken,
    /// The task stops: return soon.
    Stopping,
}
