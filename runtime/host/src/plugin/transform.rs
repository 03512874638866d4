//! A transform's instance.

use bytes::Bytes;
use longshore_model::Fault;
use longshore_pipeline::port::{Config, TransformPlugin};

use crate::bridge::records::{batch_out, fault_in};
use crate::instance::{Instance, Patience};

/// A transform that runs as WebAssembly.
pub struct WasmTransform {
    instance: Instance,
}

impl WasmTransform {
    pub(super) async fn configure(mut instance: Instance, config: Config) -> Result<Self, Fault> {
        let configured = instance.call("configure", Patience::Call, |store, exports| {
            Box::pin(async move { exports.transform().call_configure(store, config).await })
        });
        configured.await?.map_err(fault_in)?;
        Ok(Self { instance })
    }
}

impl TransformPlugin for WasmTransform {
    async fn apply(&mut self, batch: Bytes) -> Result<Bytes, Fault> {
        let batch = batch_out(batch);
        let applied = self
            .instance
            .call("apply", Patience::Call, |store, exports| {
                Box::pin(async move { exports.transform().call_apply(store, batch).await })
            });
        Ok(Bytes::from(applied.await?.map_err(fault_in)?))
    }
}
