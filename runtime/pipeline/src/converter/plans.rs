//! Schemas between a task's handles and its converters.

use std::sync::Arc;

use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_model::{Fault, FaultClass};
use longshore_serdes::Plan;

use crate::schemas::{SCHEMA_BYTES_MAX, SchemaTable};

/// Most memory of one converter's plans; beyond that they are made again when they are met again.
const PLANS_BYTES_MAX: usize = 64 << 20;

/// The plans of one converter of a task, by handle: each schema is parsed and compiled once.
#[derive(Debug)]
pub(crate) struct Plans {
    table: Arc<SchemaTable>,
    compiled: Vec<Option<Box<Plan>>>,
    bytes: usize,
}

impl Plans {
    pub(crate) fn new(table: Arc<SchemaTable>) -> Self {
        Self {
            table,
            compiled: Vec::new(),
            bytes: 0,
        }
    }

    /// The plan of a datum's schema, if it has one.
    pub(crate) fn get(
        &mut self,
        datum: Datum<'_>,
        compile: impl FnOnce(&Schema) -> Plan,
    ) -> Result<Option<&mut Plan>, Fault> {
        let Datum::Avro { schema: handle, .. } = datum else {
            return Ok(None);
        };
        let index = handle as usize;
        if !matches!(self.compiled.get(index), Some(Some(_))) {
            self.compile(handle, compile)?;
        }
        Ok(self.compiled[index].as_deref_mut())
    }

    fn compile(&mut self, handle: u32, compile: impl FnOnce(&Schema) -> Plan) -> Result<(), Fault> {
        let text = self.table.schema(handle).ok_or_else(|| unknown(handle))?;
        let schema = Schema::parse(&text)
            .map_err(|error| Fault::new(FaultClass::Fatal, "schema", error.to_string()))?;
        let plan = compile(&schema);
        // Schemas written out can be larger than their texts (invariant 9).
        self.bytes += plan.bytes();
        if self.bytes > PLANS_BYTES_MAX {
            self.bytes = plan.bytes();
            self.compiled.clear();
        }
        let index = handle as usize;
        if self.compiled.len() <= index {
            self.compiled.resize_with(index + 1, || None);
        }
        self.compiled[index] = Some(Box::new(plan));
        Ok(())
    }
}

/// The handle of a schema that arrived with a record.
pub(crate) fn declare(table: &SchemaTable, schema: &Schema) -> Result<u32, Fault> {
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
    table.declare(&text).ok_or_else(|| {
        Fault::new(
            FaultClass::Fatal,
            "too-many-schemas",
            "the task has met more schemas than a task may have",
        )
    })
}

fn unknown(handle: u32) -> Fault {
    let message = format!("schema handle {handle} was never declared by this task");
    Fault::new(FaultClass::Fatal, "unknown-schema", message)
}

#[cfg(test)]
mod tests {
    use longshore_serdes::Converter;

    use super::*;

    fn record(doc: usize) -> Schema {
        let doc = "x".repeat(doc);
        let text = format!(r#"{{"type": "record", "name": "r", "doc": "{doc}", "fields": []}}"#);
        Schema::parse(&text).unwrap()
    }

    #[test]
    fn a_schema_that_arrives_with_a_record_has_a_limit() {
        let table = SchemaTable::default();
        assert_eq!(declare(&table, &record(SCHEMA_BYTES_MAX / 2)).unwrap(), 1);
        let fault = declare(&table, &record(SCHEMA_BYTES_MAX)).unwrap_err();
        assert_eq!(
            (fault.class, fault.code.as_str()),
            (FaultClass::BadRecord, "schema-too-large")
        );
    }

    /// A schema of a few kilobytes that takes megabytes where its named type is written out.
    fn repetitive(n: u32) -> String {
        let doc = "x".repeat(4000);
        let fields = (0..900).map(|field| format!(r#",{{"name": "f{field}", "type": "I"}}"#));
        let fields: String = fields.collect();
        format!(
            r#"{{"type": "record", "name": "r{n}", "fields": [{{"name": "f", "type":
            {{"type": "record", "name": "I", "doc": "{doc}", "fields": []}}}}{fields}]}}"#
        )
    }

    #[test]
    fn a_schema_is_compiled_once_while_there_is_room() {
        let table = Arc::new(SchemaTable::default());
        let converter = Converter::configure("json", &[], false).unwrap();
        let mut plans = Plans::new(Arc::clone(&table));
        let n_schemas = 20;
        let mut compiled = Vec::new();
        for n in (1..=n_schemas).chain([n_schemas, 1]) {
            let schema = table.declare(&repetitive(n)).unwrap();
            let datum = Datum::Avro { schema, bytes: &[] };
            let plan = plans.get(datum, |schema| {
                compiled.push(n);
                converter.compile(schema)
            });
            assert!(plan.unwrap().is_some());
            assert!(plans.bytes <= PLANS_BYTES_MAX);
        }
        let last_is_kept_and_first_is_not = (1..=n_schemas).chain([1]);
        assert_eq!(compiled, last_is_kept_and_first_is_not.collect::<Vec<_>>());
        let datum = Datum::Avro {
            schema: n_schemas + 1,
            bytes: &[],
        };
        let fault = plans.get(datum, |schema| converter.compile(schema));
        assert_eq!(fault.unwrap_err().code, "unknown-schema");
    }
}
