//! What callers ask the worker's loop for.

use longshore_model::{ConnectorName, TaskId};
use tokio::sync::oneshot;

use crate::catalog::TargetState;
use crate::error::Error;
use crate::guarded::Guarded;
use crate::restart::RestartRequest;
use crate::status::Kind;
use crate::view::ConnectorStatus;

/// What a caller wants changed. Every answer comes when the change is durable.
#[derive(Debug)]
pub(crate) enum Request {
    /// Create (`false`: replace or create) a connector whose config was checked; whether it is new.
    Put {
        name: ConnectorName,
        config: Guarded,
        kind: Kind,
        only_new: bool,
        reply: Reply<bool>,
    },
    /// Delete a connector; with `cleanup` once what it leaves behind is taken away.
    Delete {
        name: ConnectorName,
        cleanup: bool,
        reply: Reply<()>,
    },
    Target {
        name: ConnectorName,
        target: TargetState,
        reply: Reply<()>,
    },
    Restart {
        name: ConnectorName,
        request: RestartRequest,
        reply: Reply<ConnectorStatus>,
    },
    RestartTask {
        id: TaskId,
        reply: Reply<()>,
    },
    ResetTopics {
        name: ConnectorName,
        reply: Reply<()>,
    },
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;
