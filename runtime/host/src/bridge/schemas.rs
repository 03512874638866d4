//! `longshore:host/schemas`.

use longshore_model::schema::Schema;
use longshore_model::{Fault, FaultClass};
use longshore_pipeline::schemas::{ALL_BYTES_MAX, SCHEMA_BYTES_MAX, SCHEMAS_MAX};

use super::records::fault_out;
use crate::bindings::v0_1::longshore::connect::types;
use crate::bindings::v0_1::longshore::host::schemas;
use crate::instance::GuestState;

impl schemas::Host for GuestState {
    fn declare(&mut self, schema: String) -> wasmtime::Result<Result<u32, types::Fault>> {
        let declared = check(&schema).and_then(|()| {
            let full = || {
                let mib = ALL_BYTES_MAX >> 20;
                let message =
                    format!("the task has declared {SCHEMAS_MAX} schemas, or {mib} MiB of them");
                fault("schema-too-many", message)
            };
            self.schemas.declare(&schema).ok_or_else(full)
        });
        Ok(declared.map_err(fault_out))
    }

    fn lookup(&mut self, handle: u32) -> wasmtime::Result<Result<String, types::Fault>> {
        let schema = self.schemas.schema(handle).map(|schema| schema.to_string());
        let unknown = || {
            let message = format!("no schema of this task has the handle {handle}");
            fault_out(fault("schema-unknown", message))
        };
        Ok(schema.ok_or_else(unknown))
    }
}

fn check(schema: &str) -> Result<(), Fault> {
    if schema.len() > SCHEMA_BYTES_MAX {
        return Err(fault(
            "schema-too-large",
            "a schema is at most 1 MiB of JSON",
        ));
    }
    let parsed = Schema::parse(schema).map(drop);
    parsed.map_err(|e| fault("schema-invalid", e.to_string()))
}

fn fault(code: &str, message: impl Into<String>) -> Fault {
    Fault::new(FaultClass::Fatal, code, message)
}
