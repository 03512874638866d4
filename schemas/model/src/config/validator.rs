//! What a value must satisfy beyond its type. Data, not code, so that the host can check it without
//! running the plugin.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ConfigValue;

/// A rule for a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Validator {
    /// A number within both bounds; an absent bound does not bind.
    Range {
        /// The smallest that is allowed.
        min: Option<i64>,
        /// The largest that is allowed.
        max: Option<i64>,
    },
    /// One of these texts.
    OneOf(Vec<String>),
    /// Text or a list that is not empty.
    NotEmpty,
    /// A topic's name by Kafka's rule.
    Topic,
}

impl Validator {
    /// What is wrong with the value, as a sentence that goes after the key's name.
    ///
    /// # Errors
    /// When the rule is broken.
    pub fn check(&self, value: &ConfigValue) -> Result<(), String> {
        match (self, value) {
            (Self::Range { min: Some(min), .. }, ConfigValue::Long(n)) if n < min => {
                Err(format!("Value must be at least {min}"))
            }
            (Self::Range { max: Some(max), .. }, ConfigValue::Long(n)) if n > max => {
                Err(format!("Value must be no more than {max}"))
            }
            (Self::OneOf(allowed), ConfigValue::String(text)) if !allowed.contains(text) => {
                Err(format!("String must be one of: {}", allowed.join(", ")))
            }
            (Self::NotEmpty, ConfigValue::String(text)) if text.is_empty() => {
                Err(String::from("String must be non-empty"))
            }
            (Self::NotEmpty, ConfigValue::List(list)) if list.is_empty() => {
                Err(String::from("List must be non-empty"))
            }
            (Self::Topic, ConfigValue::String(text)) => crate::TopicName::parse(text)
                .map(|_| ())
                .map_err(|e| format!("{e}")),
            _ => Ok(()),
        }
    }
}
