//! The schemas around the columns: key, row, source, envelope.

use longshore_sdk::Value;
use longshore_sdk::schema::{Field, Kind, Schema};

use super::Names;
use super::logical::{self, field, named};

/// What `source.snapshot` can say.
const SNAPSHOT_MARKS: &str =
    "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";
const SOURCE: &str = "io.debezium.connector.postgresql.Source";
const TRANSACTION: &str = "event.block";

/// A schema of the table's, with the name's last part.
fn of_table(names: &Names<'_>, fields: Vec<Field>, last: &str) -> Schema {
    let Names {
        prefix,
        schema,
        table,
        ..
    } = names;
    let mut of_table = Schema::new(Kind::Struct(fields.into()));
    of_table.name = Some(format!(
        "{}.{last}",
        legal(&format!("{prefix}.{schema}.{table}"))
    ));
    of_table
}

/// A name with what a topic's may not hold replaced, as Debezium does: schemas are named after topics.
pub(crate) fn legal(name: &str) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars()
        .map(|c| if legal(c) { c } else { '_' })
        .collect()
}

/// The schema of a key.
pub(crate) fn key(names: &Names<'_>, fields: Vec<Field>) -> Schema {
    of_table(names, fields, "Key")
}

/// The schema of a row.
pub(crate) fn value(names: &Names<'_>, fields: Vec<Field>) -> Schema {
    of_table(names, fields, "Value").optional()
}

/// The schema of a change to a row.
pub(crate) fn envelope(names: &Names<'_>, row: &Schema) -> Schema {
    let long = || Schema::new(Kind::Int64).optional();
    let fields = vec![
        field("before", row.clone()),
        field("after", row.clone()),
        field("source", source()),
        field("transaction", transaction()),
        field("op", Schema::new(Kind::String)),
        field("ts_ms", long()),
        field("ts_us", long()),
        field("ts_ns", long()),
    ];
    let mut envelope = of_table(names, fields, "Envelope");
    envelope.version = Some(2);
    envelope
}

fn source() -> Schema {
    let text = || Schema::new(Kind::String);
    let long = || Schema::new(Kind::Int64);
    let mut snapshot = logical::enumeration(SNAPSHOT_MARKS);
    snapshot.default = Some(Value::String("false".to_owned()));
    let fields = [
        field("version", text()),
        field("connector", text()),
        field("name", text()),
        field("ts_ms", long()),
        field("snapshot", snapshot.optional()),
        field("db", text()),
        field("sequence", text().optional()),
        field("ts_us", long().optional()),
        field("ts_ns", long().optional()),
        field("schema", text()),
        field("table", text()),
        field("txId", long().optional()),
        field("lsn", long().optional()),
        field("xmin", long().optional()),
    ];
    named(Kind::Struct(fields.into()), SOURCE)
}

fn transaction() -> Schema {
    let fields = [
        field("id", Schema::new(Kind::String)),
        field("total_order", Schema::new(Kind::Int64)),
        field("data_collection_order", Schema::new(Kind::Int64)),
    ];
    named(Kind::Struct(fields.into()), TRANSACTION).optional()
}
