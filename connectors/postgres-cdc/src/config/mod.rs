//! The connector's config: Debezium's keys, typed, and what it says of those that do not work here.

mod keys;
mod others;

use longshore_sdk::config::{Config, ConfigMap};
use longshore_sdk::{Fault, FaultClass, Problem, manifest};

pub(crate) use keys::Keys;
use others::{DEFINITIONS, Standing, standing};

use crate::schema::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, ValueOptions};
use crate::select::Selection;

/// Bytes that names of slots may have.
const SLOT_BYTES_MAX: usize = 63;

/// A config that was read whole.
pub struct PostgresConfig {
    pub(crate) keys: Keys,
    pub(crate) selection: Selection,
    pub(crate) values: ValueOptions,
    /// Keys that are refused, and why.
    pub(crate) refused: Vec<Problem>,
    /// Keys that are accepted and change nothing, and why.
    pub(crate) warnings: Vec<Problem>,
    submitted: ConfigMap,
    /// The present config, where this is an older one.
    present: Option<ConfigMap>,
}

/// What decides which records a transaction becomes.
const FROZEN: &[&str] = &[
    "publication.name",
    "table.include.list",
    "table.exclude.list",
    "schema.include.list",
    "schema.exclude.list",
    "column.include.list",
    "column.exclude.list",
    "message.key.columns",
    "skipped.operations",
    "tombstones.on.delete",
    "extended.headers.enabled",
];

/// What is read before the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotMode {
    Initial,
    InitialOnly,
    NoData,
    Always,
    WhenNeeded,
}

/// Who makes the publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PublicationMode {
    AllTables,
    Filtered,
    Disabled,
}

const OPEN_LEN: usize = Keys::DEFINITION.len() - 1;
const PARTS: &[&str] = &[Keys::DEFINITION.split_at(OPEN_LEN).0, DEFINITIONS, "]"];
static DEFINITION: [u8; manifest::joined_len(PARTS)] = manifest::join(PARTS);

impl Config for PostgresConfig {
    const DEFINITION: &'static str = manifest::text(&DEFINITION);

    fn parse(submitted: &ConfigMap) -> Result<Self, Fault> {
        let keys = Keys::parse(submitted)?;
        check_slot(&keys.slot)?;
        let (refused, mut warnings) = others(submitted);
        if keys.plugin.as_deref() != Some("pgoutput") {
            let given = keys.plugin.as_deref().unwrap_or("absent");
            let message = format!("plugin.name is {given}, which means pgoutput here");
            warnings.push(idle("plugin.name", message));
        }
        Ok(Self {
            selection: Selection::new(&keys)?,
            values: value_options(&keys)?,
            refused,
            warnings,
            keys,
            submitted: submitted.clone(),
            present: None,
        })
    }
}

impl PostgresConfig {
    pub(crate) fn snapshot_mode(&self) -> SnapshotMode {
        match &*self.keys.snapshot_mode {
            "initial_only" => SnapshotMode::InitialOnly,
            "no_data" | "never" => SnapshotMode::NoData,
            "always" => SnapshotMode::Always,
            "when_needed" => SnapshotMode::WhenNeeded,
            _ => SnapshotMode::Initial,
        }
    }

    pub(crate) fn publication_mode(&self) -> PublicationMode {
        match &*self.keys.publication_mode {
            "filtered" => PublicationMode::Filtered,
            "disabled" => PublicationMode::Disabled,
            _ => PublicationMode::AllTables,
        }
    }

    /// What of the config an open transaction goes by.
    pub(crate) fn frozen(&self) -> ConfigMap {
        let given = |key: &&str| Some(((*key).to_owned(), self.submitted.get(*key)?.clone()));
        FROZEN.iter().filter_map(given).collect()
    }

    /// The same config as it was when a transaction was left open.
    pub(crate) fn thawed(&self, settings: &ConfigMap) -> Result<Self, Fault> {
        let mut submitted = self.submitted.clone();
        submitted.retain(|key, _| !FROZEN.contains(&key.as_str()));
        submitted.extend(settings.clone());
        let mut thawed = Self::parse(&submitted)?;
        thawed.present = Some(self.submitted.clone());
        Ok(thawed)
    }

    /// The present config, where this is an older one.
    pub(crate) fn present(&self) -> Result<Option<Self>, Fault> {
        self.present.as_ref().map(Self::parse).transpose()
    }

    /// The same config once more.
    pub(crate) fn again(&self) -> Result<Self, Fault> {
        Self::parse(&self.submitted)
    }

    /// The source partition that everything is captured under, as Debezium has it.
    pub(crate) fn partition(&self) -> String {
        serde_json::json!({ "server": self.keys.topic_prefix }).to_string()
    }
}

/// A fault of a key.
pub(crate) fn wrong(key: &str, message: impl Into<String>) -> Fault {
    Fault::new(FaultClass::Config, "invalid-config", message).with("key", key)
}

/// PostgreSQL's own rule for names of slots.
fn check_slot(name: &str) -> Result<(), Fault> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !name.is_empty() && name.len() <= SLOT_BYTES_MAX && name.bytes().all(legal) {
        return Ok(());
    }
    let message = format!(
        "Invalid value {name} for configuration slot.name: a slot's name is made of a-z, 0-9 and _, \
         at most {SLOT_BYTES_MAX}"
    );
    Err(wrong("slot.name", message))
}

/// A key that changes nothing.
fn idle(key: &str, message: String) -> Problem {
    let fault = Fault::new(FaultClass::Config, "postgres-key-idle", message);
    Problem::warning(key, fault)
}

fn others(submitted: &ConfigMap) -> (Vec<Problem>, Vec<Problem>) {
    let (mut refused, mut warnings) = (Vec::new(), Vec::new());
    for (key, value) in submitted {
        match standing(key) {
            None => {}
            Some(Standing::Idle { because }) => {
                warnings.push(idle(key, format!("{key} changes nothing here: {because}")));
            }
            Some(Standing::Later { idle }) => {
                let asks = !idle
                    .iter()
                    .any(|idle| idle.eq_ignore_ascii_case(value.trim()));
                if asks && !value.trim().is_empty() {
                    let message = format!(
                        "{key} does not work in version {} of this connector: \
                         docs/guides/postgres.md says what to do instead",
                        env!("CARGO_PKG_VERSION")
                    );
                    let fault = Fault::new(FaultClass::Config, "postgres-key-refused", message);
                    refused.push(Problem::from(fault.with("key", key.as_str())));
                }
            }
        }
    }
    (refused, warnings)
}

fn value_options(keys: &Keys) -> Result<ValueOptions, Fault> {
    Ok(ValueOptions {
        decimal: match &*keys.decimal_mode {
            "double" => DecimalMode::Double,
            "string" => DecimalMode::String,
            _ => DecimalMode::Precise,
        },
        time: match &*keys.time_mode {
            "adaptive_time_microseconds" => TimeMode::AdaptiveTimeMicroseconds,
            "connect" => TimeMode::Connect,
            "isostring" => TimeMode::IsoString,
            "microseconds" => TimeMode::Microseconds,
            "nanoseconds" => TimeMode::Nanoseconds,
            _ => TimeMode::Adaptive,
        },
        binary: match &*keys.binary_mode {
            "base64" => BinaryMode::Base64,
            "base64-url-safe" => BinaryMode::Base64UrlSafe,
            "hex" => BinaryMode::Hex,
            _ => BinaryMode::Bytes,
        },
        interval: match &*keys.interval_mode {
            "string" => IntervalMode::String,
            _ => IntervalMode::Numeric,
        },
        hstore: match &*keys.hstore_mode {
            "map" => HstoreMode::Map,
            _ => HstoreMode::Json,
        },
        money_fraction_digits: i32::from(keys.money_fraction_digits),
        unavailable: placeholder(&keys.unavailable)?,
        unknown_as_text: keys.unknown_types == "text",
        value_bytes_max: usize::try_from(keys.value_bytes_max).unwrap_or(usize::MAX),
    })
}

/// Text, or bytes in hexadecimal digits behind `hex:`.
fn placeholder(given: &str) -> Result<Vec<u8>, Fault> {
    let Some(digits) = given.strip_prefix("hex:") else {
        return Ok(given.as_bytes().to_owned());
    };
    let byte = |pair: &[u8]| {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let [high, low] = pair else {
            return None;
        };
        u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
    };
    let bytes = digits.as_bytes().chunks(2).map(byte).collect();
    let Some(bytes) = bytes else {
        let message = format!(
            "Invalid value {given} for configuration unavailable.value.placeholder: behind hex: stand pairs of \
             hexadecimal digits"
        );
        return Err(wrong("unavailable.value.placeholder", message));
    };
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_text_or_bytes_in_digits() {
        assert_eq!(placeholder("hex").unwrap(), b"hex");
        assert_eq!(placeholder("hex:00fF7a").unwrap(), [0, 0xFF, b'z']);
        assert_eq!(placeholder("hex:").unwrap(), b"");
        for wrong in ["hex:0", "hex:0g", "hex:é", "hex:0x00"] {
            let fault = placeholder(wrong).unwrap_err();
            assert_eq!(fault.detail("key"), Some("unavailable.value.placeholder"));
        }
    }
}
