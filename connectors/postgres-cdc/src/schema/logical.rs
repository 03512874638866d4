//! The named schemas that Debezium has beside Connect's own.

use longshore_sdk::schema::{DECIMAL, Field, Kind, Schema};

pub(super) const BITS: &str = "io.debezium.data.Bits";
pub(super) const ENUM: &str = "io.debezium.data.Enum";
pub(super) const JSON: &str = "io.debezium.data.Json";
pub(super) const LTREE: &str = "io.debezium.data.Ltree";
pub(super) const POINT: &str = "io.debezium.data.geometry.Point";
pub(super) const TSVECTOR: &str = "io.debezium.data.Tsvector";
pub(super) const UUID: &str = "io.debezium.data.Uuid";
pub(super) const VARIABLE_SCALE_DECIMAL: &str = "io.debezium.data.VariableScaleDecimal";
pub(super) const XML: &str = "io.debezium.data.Xml";

pub(super) const DATE: &str = "io.debezium.time.Date";
pub(super) const INTERVAL: &str = "io.debezium.time.Interval";
pub(super) const ISO_DATE: &str = "io.debezium.time.IsoDate";
pub(super) const ISO_TIME: &str = "io.debezium.time.IsoTime";
pub(super) const ISO_TIMESTAMP: &str = "io.debezium.time.IsoTimestamp";
pub(super) const MICRO_DURATION: &str = "io.debezium.time.MicroDuration";
pub(super) const MICRO_TIME: &str = "io.debezium.time.MicroTime";
pub(super) const MICRO_TIMESTAMP: &str = "io.debezium.time.MicroTimestamp";
pub(super) const NANO_TIME: &str = "io.debezium.time.NanoTime";
pub(super) const NANO_TIMESTAMP: &str = "io.debezium.time.NanoTimestamp";
pub(super) const TIME: &str = "io.debezium.time.Time";
pub(super) const TIMESTAMP: &str = "io.debezium.time.Timestamp";
pub(super) const ZONED_TIME: &str = "io.debezium.time.ZonedTime";
pub(super) const ZONED_TIMESTAMP: &str = "io.debezium.time.ZonedTimestamp";

/// A schema of that name, version 1.
pub(super) fn named(kind: Kind, name: &str) -> Schema {
    let mut schema = Schema::new(kind);
    schema.name = Some(name.to_owned());
    schema.version = Some(1);
    schema
}

pub(super) fn decimal(scale: i32, precision: Option<i32>) -> Schema {
    let mut schema = named(Kind::Bytes, DECIMAL);
    schema.set_parameter("scale", &scale.to_string());
    if let Some(precision) = precision {
        schema.set_parameter("connect.decimal.precision", &precision.to_string());
    }
    schema
}

pub(super) fn variable_scale_decimal() -> Schema {
    let fields = [
        field("scale", Schema::new(Kind::Int32)),
        field("value", Schema::new(Kind::Bytes)),
    ];
    let mut schema = named(Kind::Struct(fields.into()), VARIABLE_SCALE_DECIMAL);
    schema.doc = Some("Variable scaled decimal".to_owned());
    schema
}

pub(super) fn bits(length: i32) -> Schema {
    let mut schema = named(Kind::Bytes, BITS);
    schema.set_parameter("length", &length.to_string());
    schema
}

pub(super) fn enumeration(allowed: &str) -> Schema {
    let mut schema = named(Kind::String, ENUM);
    schema.set_parameter("allowed", allowed);
    schema
}

pub(super) fn point() -> Schema {
    let fields = [
        field("x", Schema::new(Kind::Float64)),
        field("y", Schema::new(Kind::Float64)),
        field("wkb", Schema::new(Kind::Bytes).optional()),
        field("srid", Schema::new(Kind::Int32).optional()),
    ];
    let mut schema = named(Kind::Struct(fields.into()), POINT);
    schema.doc = Some("Geometry (POINT)".to_owned());
    schema
}

pub(super) fn field(name: &str, schema: Schema) -> Field {
    Field {
        name: name.to_owned(),
        schema,
    }
}
