//! Text to typed values, by the rules and in the words of Kafka's `ConfigDef`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ConfigKey, KeyType};

/// A value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// Of a [`KeyType::Boolean`].
    Boolean(bool),
    /// Of a [`KeyType::String`], [`KeyType::Class`] or [`KeyType::Password`].
    String(String),
    /// Of a [`KeyType::Int`], [`KeyType::Short`] or [`KeyType::Long`].
    Long(i64),
    /// Of a [`KeyType::Double`].
    Double(f64),
    /// Of a [`KeyType::List`].
    List(Vec<String>),
}

/// Why a key's text is not a value of it; the messages are Kafka's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A required key is missing.
    #[error("Missing required configuration \"{0}\" which has no default value.")]
    Missing(String),
    /// The text does not parse.
    #[error("Invalid value {text} for configuration {key}: {expected}")]
    Type {
        /// The key.
        key: String,
        /// What was given; `[hidden]` for a password.
        text: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The value breaks the key's validator.
    #[error("Invalid value {text} for configuration {key}: {rule}")]
    Rule {
        /// The key.
        key: String,
        /// What was given; `[hidden]` for a password.
        text: String,
        /// The rule.
        rule: String,
    },
}

/// The value of a key: of the text where it is given, else of the default; `None` where neither is.
///
/// # Errors
/// When a required key is missing, or the text breaks the type or the validator.
pub fn parse_value(
    key: &ConfigKey,
    text: Option<&str>,
) -> Result<Option<ConfigValue>, ConfigError> {
    let Some(text) = text.or(key.default.as_deref()) else {
        return if key.required {
            Err(ConfigError::Missing(key.name.clone()))
        } else {
            Ok(None)
        };
    };
    let shown = || match key.key_type {
        KeyType::Password => "[hidden]".to_owned(),
        _ => text.to_owned(),
    };
    let value = typed(key.key_type, text).map_err(|expected| ConfigError::Type {
        key: key.name.clone(),
        text: shown(),
        expected,
    })?;
    if let Some(validator) = &key.validator {
        validator.check(&value).map_err(|rule| ConfigError::Rule {
            key: key.name.clone(),
            text: shown(),
            rule,
        })?;
    }
    Ok(Some(value))
}

fn typed(key_type: KeyType, text: &str) -> Result<ConfigValue, &'static str> {
    let trimmed = text.trim();
    match key_type {
        KeyType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(ConfigValue::Boolean(true)),
        KeyType::Boolean if trimmed.eq_ignore_ascii_case("false") => {
            Ok(ConfigValue::Boolean(false))
        }
        KeyType::Boolean => Err("Expected value to be either true or false"),
        KeyType::String | KeyType::Class => Ok(ConfigValue::String(trimmed.to_owned())),
        KeyType::Password => Ok(ConfigValue::String(text.to_owned())),
        KeyType::Short => number::<i16>(trimmed, "Not a number of type SHORT"),
        KeyType::Int => number::<i32>(trimmed, "Not a number of type INT"),
        KeyType::Long => number::<i64>(trimmed, "Not a number of type LONG"),
        KeyType::Double => match trimmed.parse() {
            Ok(n) => Ok(ConfigValue::Double(n)),
            Err(_) => Err("Not a number of type DOUBLE"),
        },
        KeyType::List if trimmed.is_empty() => Ok(ConfigValue::List(Vec::new())),
        KeyType::List => Ok(ConfigValue::List(
            trimmed
                .split(',')
                .map(|item| item.trim().to_owned())
                .collect(),
        )),
    }
}

fn number<N: core::str::FromStr + Into<i64>>(
    text: &str,
    expected: &'static str,
) -> Result<ConfigValue, &'static str> {
    match text.parse::<N>() {
        Ok(n) => Ok(ConfigValue::Long(n.into())),
        Err(_) => Err(expected),
    }
}
