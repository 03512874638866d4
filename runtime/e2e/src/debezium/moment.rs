//! When a value is, whatever unit its schema gives it.

use serde_json::Value;

/// The first day of the Gregorian calendar, which the Julian one shifts days before.
const GREGORIAN_DAYS: i64 = -141_427;
/// Days beyond this are infinity.
const FAR_DAYS: i64 = 2_000_000_000;

/// Whether a value of this schema is before the Gregorian calendar began.
pub(super) fn is_before_1582(value: &Value, schema: &Value) -> bool {
    match value {
        Value::Number(_) => days(value, schema).is_some_and(|days| days < GREGORIAN_DAYS),
        Value::String(text) => {
            text.starts_with('-') || (!text.starts_with('+') && &text[..] < "1582-10-15")
        }
        _ => false,
    }
}

/// Whether a value of this schema is the infinity of a date.
pub(super) fn is_endless_date(value: &Value, schema: &Value) -> bool {
    match value {
        Value::Number(_) => days(value, schema).is_some_and(|days| days.abs() > FAR_DAYS),
        other => other == "infinity" || other == "-infinity",
    }
}

/// Days since 1970.
fn days(value: &Value, schema: &Value) -> Option<i64> {
    let a_day = match schema["name"].as_str()? {
        "io.debezium.time.Date" | "org.apache.kafka.connect.data.Date" => 1,
        "io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp" => 86_400_000,
        "io.debezium.time.MicroTimestamp" => 86_400_000_000,
        "io.debezium.time.NanoTimestamp" => 86_400_000_000_000,
        _ => return None,
    };
    Some(value.as_i64()?.div_euclid(a_day))
}
