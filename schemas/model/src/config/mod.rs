//! What a plugin can be configured with: the definition behind validation, documentation and forms.
//!
//! Written once, by `derive(Config)` in the SDK; the manifest carries it as JSON, and Kafka
//! Connect's `ConfigKeyInfo` is made from it.

mod definition;
mod parse;
#[cfg(test)]
mod tests;
mod validator;

pub use definition::{ConfigDef, ConfigKey, Importance, KeyType, Width};
pub use parse::{ConfigError, ConfigValue, parse_value};
pub use validator::Validator;
