//! Connectors compiled natively, behind the pipeline's plugin ports: the same code as the WASM
//! guests, over the file capability, on any disk. The simulation runs them over the simulated disk;
//! the plugin-cost benchmark compares them with the guests.
//!
//! An SDK connector's futures stay on their thread, the ports' do not: an instance is one local task
//! with a mailbox.

mod bell;
mod host;
mod postgres;
mod sink;
mod source;

pub use bell::Bell;
pub use postgres::NativePostgres;
pub use sink::NativeSink;
pub use source::NativeSource;

use std::collections::BTreeMap;

use longshore_model::{Fault, FaultClass};
use longshore_pipeline::port::TaskEnv;
use longshore_sdk::{ConfigMap, TaskContext};
use tokio::sync::{mpsc, oneshot};

/// What an instance is asked, and where the answer goes.
type Ask<Q, A> = (Q, oneshot::Sender<Result<A, Fault>>);

async fn ask<Q, A>(mailbox: &mpsc::Sender<Ask<Q, A>>, question: Q) -> Result<A, Fault> {
    let (reply, answer) = oneshot::channel();
    if mailbox.send((question, reply)).await.is_err() {
        return Err(gone());
    }
    answer.await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> Fault {
    Fault::new(
        FaultClass::Fatal,
        "instance-gone",
        "the native instance has ended",
    )
}

fn config_map(env: &TaskEnv) -> ConfigMap {
    env.config.iter().cloned().collect::<BTreeMap<_, _>>()
}

fn task_context(env: &TaskEnv) -> TaskContext {
    TaskContext {
        connector: env.task.connector.to_string(),
        task: env.task.task,
        generation: env.generation.0,
        extra: Vec::new(),
    }
}
