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
    bytes: usize,
    handles: HashMap<Arc<str>, u32>,
}

/// Most schemas that a task may declare: a key's and a value's for each of 30,000 tables and more.
pub const SCHEMAS_MAX: usize = 65_536;

/// Most bytes of JSON that all schemas of a task may have together.
pub const ALL_BYTES_MAX: usize = 128 << 20;

/// Most bytes of JSON that one schema may have, whether a guest declares it or it arrives with a record.
pub const SCHEMA_BYTES_MAX: usize = 1 << 20;

impl SchemaTable {
    /// The handle of a schema that the caller has checked; the same text gives the same handle.
    /// `None` when there are [`SCHEMAS_MAX`] already, or [`ALL_BYTES_MAX`] of them.
    pub fn declare(&self, schema: &str) -> Option<u32> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = inner.handles.get(schema) {
            return Some(*handle);
        }
        if inner.schemas.len() == SCHEMAS_MAX || inner.bytes + schema.len() > ALL_BYTES_MAX {
            return None;
        }
        inner.bytes += schema.len();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_have_a_limit_together() {
        let table = SchemaTable::default();
        let schema = |n: usize| format!("{n}{}", "x".repeat(SCHEMA_BYTES_MAX));
        let declared = (0..).map_while(|n| table.declare(&schema(n))).count();
        assert_eq!(declared, ALL_BYTES_MAX / SCHEMA_BYTES_MAX - 1);
        assert_eq!(table.declare(&schema(0)), Some(1));
    }
}
