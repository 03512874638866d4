//! A source task's instance.

use longshore_model::{Fault, FaultClass, SourcePosition, TaskId};
use longshore_pipeline::delivery::Stored;
use longshore_pipeline::port::{Config, Generation, Polled, SourcePlugin, TaskEnv};

use super::WasmSignal;
use crate::bindings::v0_1::longshore::connect::types::TaskContext;
use crate::bridge::records::{batch_in, fault_in, position_out, watermark_in};
use crate::instance::{Instance, Patience};
use crate::streams::Streams;

/// A source that runs as WebAssembly.
pub struct WasmSource {
    instance: Instance,
    task: TaskId,
    generation: Generation,
}

impl WasmSource {
    pub(super) async fn open(
        mut instance: Instance,
        env: &TaskEnv,
        config: Config,
        positions: &[SourcePosition],
    ) -> Result<Self, Fault> {
        let context = context(env);
        let positions = positions.iter().map(position_out).collect();
        let opened = instance.call("open", Patience::Call, |store, exports| {
            Box::pin(async move {
                exports
                    .source()
                    .call_open(store, context, config, positions)
                    .await
            })
        });
        opened.await?.map_err(fault_in)?;
        Ok(Self {
            instance,
            task: env.task.clone(),
            generation: env.generation,
        })
    }

    /// The streams that its capabilities have open for it.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        self.instance.streams()
    }
}

impl SourcePlugin for WasmSource {
    type Signal = WasmSignal;

    fn signal(&self) -> WasmSignal {
        WasmSignal::to(&self.instance)
    }

    async fn poll(&mut self, max_records: u32, max_bytes: u32) -> Result<Polled, Fault> {
        let polled = self
            .instance
            .call("poll", Patience::UntilSpokenTo, move |store, exports| {
                Box::pin(async move {
                    exports
                        .source()
                        .call_poll(store, max_records, max_bytes)
                        .await
                })
            });
        let polled = polled.await?.map_err(fault_in)?;
        let batch = batch_in(polled.batch)?;
        if batch.len() > usize::try_from(max_records).unwrap_or(usize::MAX) {
            let message = format!(
                "the plugin returned {} records where at most {max_records} were asked for",
                batch.len()
            );
            return Err(Fault::new(FaultClass::Fatal, "too-many-records", message));
        }
        let watermarks: Vec<_> = polled.watermarks.iter().map(watermark_in).collect();
        self.streams().check(&watermarks)?;
        Ok(Polled {
            batch,
            watermarks,
            store_now: polled.store_now,
        })
    }

    async fn commit(&mut self, stored: Stored) -> Result<(), Fault> {
        if *stored.task() != self.task || stored.generation() != self.generation {
            let message = format!(
                "{} was given what is stored of {}",
                self.task,
                stored.task()
            );
            return Err(Fault::new(FaultClass::Fatal, "not-its-positions", message));
        }
        // Invariant 1: records and positions are durable, or there would be no `Stored`.
        self.streams().confirm(&stored).await?;
        let positions = stored.positions().iter().map(position_out).collect();
        let informed = self
            .instance
            .call("commit", Patience::Call, |store, exports| {
                Box::pin(async move { exports.source().call_commit(store, positions).await })
            });
        informed.await
    }

    async fn close(mut self) -> Result<(), Fault> {
        self.instance.control().stop();
        let closed = self
            .instance
            .call("close", Patience::Stop, |store, exports| {
                Box::pin(async move { exports.source().call_close(store).await })
            });
        closed.await
    }
}

pub(super) fn context(env: &TaskEnv) -> TaskContext {
    TaskContext {
        connector: env.task.connector.to_string(),
        task: env.task.task,
        generation: env.generation.0,
        extra: Vec::new(),
    }
}
