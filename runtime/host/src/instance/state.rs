//! What a store holds: everything that a guest's imports can reach.

use std::sync::Arc;

use longshore_cap_files::FilesClient;
use longshore_cap_postgres::PostgresClient;
use longshore_pipeline::schemas::SchemaTable;
use longshore_pipeline::telemetry::PluginMetrics;
use tokio::runtime::Handle;
use tokio::sync::watch;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::Control;
use crate::limits::MemoryLimit;
use crate::streams::Streams;
use crate::voice::Voice;

/// The data of a store.
pub(crate) struct GuestState {
    pub(crate) wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryLimit,
    pub(crate) files: FilesClient,
    pub(crate) postgres: PostgresClient,
    /// The worker's runtime, where whatever waits for the outside waits.
    pub(crate) io: Handle,
    pub(crate) control: Control,
    pub(crate) voice: Voice,
    pub(crate) schemas: Arc<SchemaTable>,
    pub(crate) progress: watch::Sender<Option<String>>,
    pub(crate) metrics: Arc<PluginMetrics>,
    pub(crate) told_of_metrics: bool,
    /// What its capabilities deliver that is confirmed upstream later.
    pub(crate) streams: Streams,
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}
