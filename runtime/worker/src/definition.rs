//! Writes definitions of keys in few words.

use longshore_model::config::{ConfigKey, Importance, KeyType, Validator, Width};

/// A key being defined.
pub(crate) struct Key(ConfigKey);

/// A key that may be left out.
pub(crate) fn key(
    name: &str,
    key_type: KeyType,
    default: Option<&str>,
    importance: Importance,
) -> Key {
    Key(ConfigKey {
        name: name.to_owned(),
        key_type,
        default: default.map(str::to_owned),
        required: false,
        importance,
        doc: String::new(),
        group: None,
        width: Width::None,
        display_name: name.to_owned(),
        validator: None,
    })
}

/// A number with a lower bound.
pub(crate) fn at_least(min: i64, key: Key) -> Key {
    key.rule(Validator::Range {
        min: Some(min),
        max: None,
    })
}

impl Key {
    pub(crate) fn doc(mut self, doc: &str) -> Self {
        doc.clone_into(&mut self.0.doc);
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.0.required = true;
        self
    }

    pub(crate) fn rule(mut self, validator: Validator) -> Self {
        self.0.validator = Some(validator);
        self
    }

    pub(crate) fn one_of(self, allowed: &[&str]) -> Self {
        let allowed = allowed.iter().map(|&text| text.to_owned()).collect();
        self.rule(Validator::OneOf(allowed))
    }

    /// Where a form shows it.
    pub(crate) fn shown(mut self, group: &str, width: Width, display_name: &str) -> Self {
        self.0.group = Some(group.to_owned());
        self.0.width = width;
        display_name.clone_into(&mut self.0.display_name);
        self
    }
}

impl From<Key> for ConfigKey {
    fn from(key: Key) -> Self {
        key.0
    }
}
