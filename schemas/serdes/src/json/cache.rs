//! Schemas that came before, by their text: `schemas.cache.size` of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_model::json::Json;
use longshore_model::schema::Schema;

use super::print;
use crate::SerdeError;

/// Clones share what they hold.
#[derive(Clone, Debug)]
pub(super) struct SchemaCache {
    size: usize,
    schemas: Arc<Mutex<HashMap<String, Arc<Schema>>>>,
}

impl SchemaCache {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            schemas: Arc::default(),
        }
    }

    /// The schema of that JSON, read by `read` unless it came before.
    pub(super) fn get(
        &self,
        json: &Json<'_>,
        read: impl FnOnce(&Json<'_>) -> Result<Schema, SerdeError>,
    ) -> Result<Arc<Schema>, SerdeError> {
        let text = print(json);
        let mut schemas = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = schemas.get(&text) {
            return Ok(Arc::clone(schema));
        }
        let schema = Arc::new(read(json)?);
        if schemas.len() >= self.size {
            schemas.clear();
        }
        if self.size > 0 {
            schemas.insert(text, Arc::clone(&schema));
        }
        Ok(schema)
    }
}
