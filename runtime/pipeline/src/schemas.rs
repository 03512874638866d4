//! Schemas that a task's instances declared. A handle is valid in every instance of the task.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Handles to Avro schemas; 0 is none.
#[derive(Debug, Default)]
pub struct SchemaTable {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    schemas: Vec<Arc<str>>,
    handles: HashMap<Arc<str>, u32>,
}

/// Most schemas that a task may declare.
pub const SCHEMAS_MAX: usize = 10_000;

/// Most bytes of JSON that one schema may have, whether a guest declares it or it arrives with a record.
pub const SCHEMA_BYTES_MAX: usize = 1 << 20;

impl SchemaTable {
    /// The handle of a schema that the caller has checked; the same text gives the same handle.
    /// `None` when there are [`SCHEMAS_MAX`] already.
    pub fn declare(&self, schema: &str) -> Option<u32> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = inner.handles.get(schema) {
            return Some(*handle);
        }
        if inner.schemas.len() == SCHEMAS_MAX {
            return None;
        }
        let schema: Arc<str> = Arc::from(schema);
        inner.schemas.push(Arc::clone(&schema));
        let handle = u32::try_from(inner.schemas.len()).ok()?;
        inner.handles.insert(schema, handle);
        Some(handle)
    }

    /// The schema behind a handle.
    pub fn schema(&self, handle: u32) -> Option<Arc<str>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(handle).ok()?.checked_sub(1)?;
        inner.schemas.get(index).cloned()
    }
}
