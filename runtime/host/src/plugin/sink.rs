//! A sink task's instance.

use bytes::Bytes;
use longshore_model::Fault;
use longshore_pipeline::port::{
    Assignment, Config, Generation, RowFault, SinkPlugin, TaskEnv, TopicOffset,
};

use super::WasmSignal;
use super::source::context;
use crate::bindings::v0_1::longshore::connect::types::TaskContext;
use crate::bridge::records::{
    assignment_out, batch_out, fault_in, offset_out, offsets_in, row_fault_in,
};
use crate::instance::{Instance, Patience};

/// A sink that runs as WebAssembly.
pub struct WasmSink {
    instance: Instance,
    context: TaskContext,
    config: Config,
}

impl WasmSink {
    pub(super) fn new(instance: Instance, env: &TaskEnv, config: Config) -> Self {
        Self {
            instance,
            context: context(env),
            config,
        }
    }
}

impl SinkPlugin for WasmSink {
    type Signal = WasmSignal;

    fn signal(&self) -> WasmSignal {
        WasmSignal::to(&self.instance)
    }

    async fn open(&mut self, assigned: &[Assignment]) -> Result<Vec<TopicOffset>, Fault> {
        let (context, config) = (self.context.clone(), self.config.clone());
        let assigned = assigned.iter().map(assignment_out).collect();
        let opened = self
            .instance
            .call("open", Patience::Call, |store, exports| {
                Box::pin(async move {
                    exports
                        .sink()
                        .call_open(store, context, config, assigned)
                        .await
                })
            });
        offsets_in(opened.await?.map_err(fault_in)?)
    }

    async fn partitions_changed(
        &mut self,
        assigned: &[Assignment],
        revoked: &[TopicOffset],
        lost: &[TopicOffset],
        generation: Generation,
    ) -> Result<Vec<TopicOffset>, Fault> {
        let assigned = assigned.iter().map(assignment_out).collect();
        let revoked = revoked.iter().map(offset_out).collect();
        let lost = lost.iter().map(offset_out).collect();
        let changed = self.instance.call(
            "partitions-changed",
            Patience::Call,
            move |store, exports| {
                Box::pin(async move {
                    let sink = exports.sink();
                    sink.call_partitions_changed(store, assigned, revoked, lost, generation.0)
                        .await
                })
            },
        );
        offsets_in(changed.await?.map_err(fault_in)?)
    }

    async fn put(&mut self, generation: Generation, batch: Bytes) -> Result<Vec<RowFault>, Fault> {
        let batch = batch_out(batch);
        let put = self
            .instance
            .call("put", Patience::Call, move |store, exports| {
                Box::pin(async move { exports.sink().call_put(store, generation.0, batch).await })
            });
        let failed = put.await?.map_err(fault_in)?;
        Ok(failed.into_iter().map(row_fault_in).collect())
    }

    async fn flush(&mut self) -> Result<Vec<TopicOffset>, Fault> {
        let flushed = self
            .instance
            .call("flush", Patience::Call, |store, exports| {
                Box::pin(async move { exports.sink().call_flush(store).await })
            });
        offsets_in(flushed.await?.map_err(fault_in)?)
    }

    async fn close(mut self) -> Result<(), Fault> {
        self.instance.control().stop();
        let closed = self
            .instance
            .call("close", Patience::Stop, |store, exports| {
                Box::pin(async move { exports.sink().call_close(store).await })
            });
        closed.await
    }
}
