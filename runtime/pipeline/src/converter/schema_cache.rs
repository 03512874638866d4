//! Declared schemas, parsed once a task.

use std::collections::HashMap;
use std::sync::Arc;

use longshore_model::schema::Schema;
use longshore_model::{Fault, FaultClass};

use crate::schemas::{SCHEMA_BYTES_MAX, SchemaTable};

/// Parsed schemas by handle.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    table: Arc<SchemaTable>,
    parsed: HashMap<u32, Arc<Schema>>,
}

impl SchemaCache {
    pub(crate) fn new(table: Arc<SchemaTable>) -> Self {
        Self {
            table,
            parsed: HashMap::new(),
        }
    }

    /// The schema behind a handle that came with a record.
    pub(crate) fn get(&mut self, handle: u32) -> Result<Arc<Schema>, Fault> {
        if let Some(schema) = self.parsed.get(&handle) {
            return Ok(Arc::clone(schema));
        }
        let text = self.table.schema(handle).ok_or_else(|| unknown(handle))?;
        let schema = Schema::parse(&text)
            .map_err(|error| Fault::new(FaultClass::Fatal, "schema", error.to_string()))?;
        let schema = Arc::new(schema);
        self.parsed.insert(handle, Arc::clone(&schema));
        Ok(schema)
    }

    /// The handle of a schema that arrived with a record.
    pub(crate) fn declare(&mut self, schema: &Schema) -> Result<u32, Fault> {
        let text = schema.to_avro_json();
        if text.len() > SCHEMA_BYTES_MAX {
            let message = format!(
                "the record's schema has {} bytes of JSON, and may have {SCHEMA_BYTES_MAX}",
                text.len()
            );
            return Err(Fault::new(
                FaultClass::BadRecord,
                "schema-too-large",
                message,
            ));
        }
        self.table.declare(&text).ok_or_else(|| {
            Fault::new(
                FaultClass::Fatal,
                "too-many-schemas",
                "the task has met more schemas than a task may have",
            )
        })
    }
}

fn unknown(handle: u32) -> Fault {
    let message = format!("schema handle {handle} was never declared by this task");
    Fault::new(FaultClass::Fatal, "unknown-schema", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_that_arrives_with_a_record_has_a_limit() {
        let record = |doc: usize| {
            let doc = "x".repeat(doc);
            let text =
                format!(r#"{{"type": "record", "name": "r", "doc": "{doc}", "fields": []}}"#);
            Schema::parse(&text).unwrap()
        };
        let mut cache = SchemaCache::new(Arc::default());
        assert_eq!(cache.declare(&record(SCHEMA_BYTES_MAX / 2)).unwrap(), 1);
        let fault = cache.declare(&record(SCHEMA_BYTES_MAX)).unwrap_err();
        assert_eq!(
            (fault.class, fault.code.as_str()),
            (FaultClass::BadRecord, "schema-too-large")
        );
    }
}
