//! The manifest as JSON. Unknown keys are skipped, so that a newer SDK's plugin loads on an older
//! host; what is known must have its type.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::{Capability, Manifest, Role};
use crate::config::{ConfigDef, ConfigKey, Importance, KeyType, Validator, Width};

/// Why bytes are not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// Not JSON, or not an object.
    #[error("manifest is not a JSON object: {0}")]
    Json(String),
    /// A field is missing or has another type or an unknown value.
    #[error("manifest field {field} is missing or is not {expected}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What stands there in a right manifest.
        expected: &'static str,
    },
}

type Object = Map<String, Value>;

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is not JSON or a field is not what it should be.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidManifest> {
        let Value::Object(manifest) = parse(json)? else {
            return Err(InvalidManifest::Json("another value".to_owned()));
        };
        let roles = list(&manifest, "roles", |role| Role::from_name(role.as_str()?))?;
        if roles.is_empty() {
            return Err(invalid("roles", "a list that is not empty"));
        }
        Ok(Self {
            name: text(&manifest, "name")?,
            version: text(&manifest, "version")?,
            contract: text(&manifest, "contract")?,
            doc: text(&manifest, "doc")?,
            roles,
            aliases: list(&manifest, "aliases", owned)?,
            capabilities: list(&manifest, "capabilities", capability)?,
            config: config_def(manifest.get("config"))?,
        })
    }
}

impl ConfigDef {
    /// Reads the definition alone: the array that a manifest has under `config`.
    ///
    /// # Errors
    /// When it is not JSON or a field is not what it should be.
    pub fn from_json(json: &[u8]) -> Result<Self, InvalidManifest> {
        config_def(Some(&parse(json)?))
    }
}

fn parse(json: &[u8]) -> Result<Value, InvalidManifest> {
    serde_json::from_slice(json).map_err(|e| InvalidManifest::Json(e.to_string()))
}

fn config_def(keys: Option<&Value>) -> Result<ConfigDef, InvalidManifest> {
    let expected = invalid("config", "a list of objects");
    let Some(keys) = keys.and_then(Value::as_array) else {
        return Err(expected);
    };
    let key = |key: &Value| match key.as_object() {
        Some(key) => config_key(key),
        None => Err(expected.clone()),
    };
    let keys = keys.iter().map(key).collect::<Result<_, _>>()?;
    Ok(ConfigDef { keys })
}

fn capability(value: &Value) -> Option<Capability> {
    let keys = value.get("keys")?.as_array()?;
    let keys = keys.iter().map(owned).collect::<Option<Vec<_>>>()?;
    match (value.get("kind")?.as_str()?, value.get("access")?.as_str()?) {
        ("files", "read") => Some(Capability::ReadFiles { keys }),
        ("files", "write") => Some(Capability::WriteFiles { keys }),
        ("postgres", "connect") => Some(Capability::Postgres { keys }),
        _ => None,
    }
}

fn config_key(key: &Object) -> Result<ConfigKey, InvalidManifest> {
    let named = |field: &'static str| text(key, field);
    let key_type = KeyType::from_name(&named("type")?);
    let importance = Importance::from_name(&named("importance")?);
    let width = Width::from_name(&named("width")?);
    let name = named("name")?;
    Ok(ConfigKey {
        key_type: key_type.ok_or(invalid("type", "a type of Kafka's ConfigDef"))?,
        default: key.get("default").and_then(owned),
        required: key
            .get("required")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        importance: importance.ok_or(invalid("importance", "HIGH, MEDIUM or LOW"))?,
        doc: named("doc")?,
        group: key.get("group").and_then(owned),
        width: width.ok_or(invalid("width", "NONE, SHORT, MEDIUM or LONG"))?,
        display_name: key
            .get("display_name")
            .and_then(owned)
            .unwrap_or_else(|| name.clone()),
        validator: key.get("validator").map(validator).transpose()?,
        name,
    })
}

fn validator(value: &Value) -> Result<Validator, InvalidManifest> {
    let known = match value.get("kind").and_then(Value::as_str) {
        Some("range") => Some(Validator::Range {
            min: value.get("min").and_then(Value::as_i64),
            max: value.get("max").and_then(Value::as_i64),
        }),
        Some("one-of") => value
            .get("values")
            .and_then(Value::as_array)
            .and_then(|values| values.iter().map(owned).collect())
            .map(Validator::OneOf),
        Some("not-empty") => Some(Validator::NotEmpty),
        Some("topic") => Some(Validator::Topic),
        _ => None,
    };
    known.ok_or(invalid("validator", "range, one-of, not-empty or topic"))
}

fn text(object: &Object, field: &'static str) -> Result<String, InvalidManifest> {
    let value = object.get(field).and_then(owned);
    value.ok_or(invalid(field, "text"))
}

fn list<T>(
    object: &Object,
    field: &'static str,
    item: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, InvalidManifest> {
    let items = object.get(field).and_then(Value::as_array);
    items
        .and_then(|items| items.iter().map(item).collect())
        .ok_or(invalid(field, "a list of known values"))
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

fn invalid(field: &'static str, expected: &'static str) -> InvalidManifest {
    InvalidManifest::Field { field, expected }
}
