//! Typed config. `#[derive(Config)]` makes both the definition that the manifest carries and the
//! parsing from one struct; checks and messages are Kafka's, by `longshore_model::config`.
//!
//! ```
//! use longshore_sdk::{Config, ConfigMap};
//!
//! #[derive(Config)]
//! struct Spool {
//!     /// Where records wait.
//!     #[config(importance = "high", not_empty)]
//!     directory: String,
//!     /// Lines over this are bad records.
//!     #[config(default = "1048576", range(min = 1, max = 4194304))]
//!     max_line_bytes: u32,
//!     /// How to write.
//!     #[config(name = "mode", default = "append", one_of("append", "replace"))]
//!     write_mode: String,
//!     /// Left out, nothing is limited.
//!     limit: Option<u64>,
//! }
//!
//! let given = ConfigMap::from([("directory".to_owned(), "/var/spool".to_owned())]);
//! let spool = Spool::parse(&given)?;
//! assert_eq!(spool.max_line_bytes, 1 << 20);
//! assert_eq!((spool.write_mode.as_str(), spool.limit), ("append", None));
//!
//! let fault = Spool::parse(&ConfigMap::new()).err().expect("directory is required");
//! assert_eq!(fault.detail("key"), Some("directory"));
//! # assert_eq!(spool.directory, "/var/spool");
//! # Ok::<(), longshore_sdk::Fault>(())
//! ```
//!
//! Keys of `#[config(...)]`: `name` (else the field's, with dots for underscores), `default`,
//! `importance` (`"high"`, `"medium"`, `"low"`), `group`, `width` (`"short"`, `"medium"`, `"long"`),
//! `display` (the name in a form), and one of the validators `range(min = .., max = ..)`,
//! `one_of(..)`, `not_empty` and `topic`. The doc comment is the key's documentation. A field of type
//! `Option` may be left out, one without a default must be given otherwise. Types: `bool`, `i16`,
//! `i32`, `i64`, `u32`, `u64`, `f64`, `String`, `Vec<String>`, [`Secret`].

use std::collections::BTreeMap;
use std::fmt;

use longshore_model::config::{ConfigDef, ConfigError, ConfigValue, parse_value};
use longshore_model::{Fault, FaultClass};

/// A config as it was submitted.
pub type ConfigMap = BTreeMap<String, String>;

/// A typed config; derive it.
pub trait Config: Sized {
    /// The keys as the manifest's JSON has them: an array.
    const DEFINITION: &'static str;

    /// Checks and converts a submitted config. Keys that are not defined are skipped: the host
    /// reports them.
    ///
    /// # Errors
    /// Of class config; the detail `key` names the first key that is missing or wrong.
    fn parse(submitted: &ConfigMap) -> Result<Self, Fault>;
}

/// A plugin without a config of its own.
impl Config for () {
    const DEFINITION: &'static str = "[]";

    fn parse(_submitted: &ConfigMap) -> Result<Self, Fault> {
        Ok(())
    }
}

/// A value of type password. The host keeps what is secret; a plugin holds a handle to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The handle, to give back to a capability of the host.
    #[must_use]
    pub fn handle(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Takes typed values out of a submitted config; what the derive expands to.
#[doc(hidden)]
pub struct Reader<'a> {
    definition: ConfigDef,
    submitted: &'a ConfigMap,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new<C: Config>(submitted: &'a ConfigMap) -> Self {
        let definition =
            ConfigDef::from_json(C::DEFINITION.as_bytes()).expect("the derive writes definitions");
        Self {
            definition,
            submitted,
        }
    }

    pub fn get<T: FromConfig>(&self, name: &str) -> Result<T, Fault> {
        let key = self
            .definition
            .key(name)
            .expect("the derive names its own keys");
        let text = self.submitted.get(name).map(String::as_str);
        let value = parse_value(key, text).map_err(|e| config_fault(name, &e))?;
        Ok(T::from_config(value).expect("the definition's type is the field's"))
    }
}

fn config_fault(name: &str, error: &ConfigError) -> Fault {
    Fault::new(FaultClass::Config, "invalid-config", error.to_string()).with("key", name)
}

/// A type that a config's field may have. None where the value is of another type, which the derive
/// rules out.
#[doc(hidden)]
pub trait FromConfig: Sized {
    fn from_config(value: Option<ConfigValue>) -> Option<Self>;
}

impl<T: FromConfig> FromConfig for Option<T> {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        match value {
            None => Some(None),
            value => T::from_config(value).map(Some),
        }
    }
}

impl FromConfig for bool {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        match value? {
            ConfigValue::Boolean(value) => Some(value),
            _ => None,
        }
    }
}

impl FromConfig for f64 {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        match value? {
            ConfigValue::Double(value) => Some(value),
            _ => None,
        }
    }
}

impl FromConfig for String {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        match value? {
            ConfigValue::String(value) => Some(value),
            _ => None,
        }
    }
}

impl FromConfig for Vec<String> {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        match value? {
            ConfigValue::List(value) => Some(value),
            _ => None,
        }
    }
}

impl FromConfig for Secret {
    fn from_config(value: Option<ConfigValue>) -> Option<Self> {
        String::from_config(value).map(Self)
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl FromConfig for $number {
            fn from_config(value: Option<ConfigValue>) -> Option<Self> {
                match value? {
                    ConfigValue::Long(value) => value.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

whole_numbers!(i16, i32, i64, u32, u64);
