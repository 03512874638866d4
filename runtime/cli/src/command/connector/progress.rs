//! What a plugin says about how far a task is, for people.

use serde_json::Value;

/// One line for each thing that the plugin names; lists are left to `--json`.
pub(super) fn lines(progress: &Value) -> Vec<String> {
    let named = progress.as_object().into_iter().flatten();
    let line = |(name, value): (&String, &Value)| match value {
        Value::Null | Value::Array(_) => None,
        Value::Object(_) => Some(format!("{name}: {}", pairs(value))),
        Value::String(text) => Some(format!("{name}: {text}")),
        other => Some(format!("{name}: {other}")),
    };
    named.filter_map(line).collect()
}

/// Keys and values as a plugin names them; what is not known is left out.
pub(super) fn pairs(object: &Value) -> String {
    let Value::Object(pairs) = object else {
        return object.to_string();
    };
    let known = pairs.iter().filter(|(_, value)| !value.is_null());
    let known = known.map(|(key, value)| match value {
        Value::String(text) => format!("{key} {text}"),
        other => format!("{key} {other}"),
    });
    known.collect::<Vec<_>>().join(", ")
}
