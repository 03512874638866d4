//! Plugins and the checks of their configs, in Kafka Connect's shapes.

use std::collections::HashMap;

use longshore_model::config::ConfigKey;
use longshore_pipeline::port::Severity;
use longshore_worker as worker;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A plugin on the shelf.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Plugin {
    pub(crate) class: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "source")]
    pub(crate) kind: &'static str,
    pub(crate) version: String,
}

/// The definition of a key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyInfo {
    name: String,
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "STRING")]
    kind: &'static str,
    required: bool,
    default_value: Option<String>,
    #[schema(value_type = String, example = "HIGH")]
    importance: &'static str,
    documentation: String,
    group: Option<String>,
    order: i32,
    #[schema(value_type = String, example = "MEDIUM")]
    width: &'static str,
    display_name: String,
    dependents: Vec<String>,
}

impl KeyInfo {
    fn new(key: ConfigKey, order: i32) -> Self {
        Self {
            name: key.name,
            kind: key.key_type.name(),
            required: key.required,
            default_value: key.default,
            importance: key.importance.name(),
            documentation: key.doc,
            group: key.group,
            order,
            width: key.width.name(),
            display_name: key.display_name,
            dependents: Vec::new(),
        }
    }

    /// Definitions, numbered within their groups.
    pub(crate) fn all(keys: Vec<ConfigKey>) -> Vec<Self> {
        let mut orders = HashMap::new();
        let numbered = keys.into_iter().map(|key| {
            let order = key.group.clone().map_or(-1, |group| {
                let order = orders.entry(group).or_insert(0);
                *order += 1;
                *order
            });
            Self::new(key, order)
        });
        numbered.collect()
    }
}

/// The value of a key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyValue {
    name: String,
    value: Option<String>,
    recommended_values: Vec<String>,
    errors: Vec<String>,
    visible: bool,
}

/// A key: its definition and its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigInfo {
    definition: Option<KeyInfo>,
    value: KeyValue,
}

impl From<worker::KeyInfo> for ConfigInfo {
    fn from(key: worker::KeyInfo) -> Self {
        let order = key.order;
        Self {
            definition: key
                .definition
                .map(|definition| KeyInfo::new(definition, order)),
            value: KeyValue {
                name: key.value.name,
                value: key.value.value,
                recommended_values: key.value.recommended,
                errors: key.value.errors,
                visible: true,
            },
        }
    }
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationResult {
    name: String,
    error_count: usize,
    groups: Vec<String>,
    configs: Vec<ConfigInfo>,
    /// All errors once more, with the facts that a text does not keep apart, and what deserves a look and is no error.
    /// Kafka Connect has no such field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

/// Something that is wrong or deserves a look, and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    key: String,
    /// `refusal`, or `warning`: the config is valid all the same.
    #[schema(value_type = String, example = "warning")]
    severity: &'static str,
    message: String,
    /// Facts as the plugin names them: the table, the SQL that mends it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = HashMap<String, String>)]
    details: Map<String, Value>,
}

impl From<worker::Finding> for Finding {
    fn from(finding: worker::Finding) -> Self {
        let details = finding.details.into_iter();
        Self {
            key: finding.key,
            severity: match finding.severity {
                Severity::Refusal => "refusal",
                Severity::Warning => "warning",
            },
            message: finding.message,
            details: details.map(|(name, fact)| (name, fact.into())).collect(),
        }
    }
}

impl From<worker::Validation> for ValidationResult {
    fn from(validation: worker::Validation) -> Self {
        Self {
            error_count: validation.errors().len(),
            name: validation.name,
            groups: validation.groups,
            configs: validation.configs.into_iter().map(Into::into).collect(),
            findings: validation.findings.into_iter().map(Into::into).collect(),
        }
    }
}
