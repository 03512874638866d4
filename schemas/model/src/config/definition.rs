//! Definitions of keys, in Kafka Connect's words.

use alloc::string::String;
use alloc::vec::Vec;

use super::Validator;

/// Kafka's `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// `true` or `false`, in any case.
    Boolean,
    /// Text.
    String,
    /// A 32-bit number.
    Int,
    /// A 16-bit number.
    Short,
    /// A 64-bit number.
    Long,
    /// A floating-point number.
    Double,
    /// Comma-separated.
    List,
    /// A class name or its alias.
    Class,
    /// Text that is never shown and that reaches a plugin as a handle only.
    Password,
}

impl KeyType {
    const NAMES: [(Self, &'static str); 9] = [
        (Self::Boolean, "BOOLEAN"),
        (Self::String, "STRING"),
        (Self::Int, "INT"),
        (Self::Short, "SHORT"),
        (Self::Long, "LONG"),
        (Self::Double, "DOUBLE"),
        (Self::List, "LIST"),
        (Self::Class, "CLASS"),
        (Self::Password, "PASSWORD"),
    ];

    /// Kafka Connect's name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        named(&Self::NAMES, name)
    }
}

/// Kafka's `ConfigDef.Importance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Look here first.
    High,
    /// Look here when something is not right.
    Medium,
    /// Rarely touched.
    Low,
}

impl Importance {
    const NAMES: [(Self, &'static str); 3] = [
        (Self::High, "HIGH"),
        (Self::Medium, "MEDIUM"),
        (Self::Low, "LOW"),
    ];

    /// Kafka Connect's name of the importance.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The importance of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        named(&Self::NAMES, name)
    }
}

/// Kafka's `ConfigDef.Width`: how wide a form's field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Not said.
    None,
    /// A word.
    Short,
    /// A few words.
    Medium,
    /// A line.
    Long,
}

impl Width {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::None, "NONE"),
        (Self::Short, "SHORT"),
        (Self::Medium, "MEDIUM"),
        (Self::Long, "LONG"),
    ];

    /// Kafka Connect's name of the width.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, self)
    }

    /// The width of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        named(&Self::NAMES, name)
    }
}

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigKey {
    /// Dotted name, such as `max.line.bytes`.
    pub name: String,
    /// What its text must be.
    pub key_type: KeyType,
    /// The value where none is given; a key without one that is `required` must be given.
    pub default: Option<String>,
    /// Whether a config without it is wrong.
    pub required: bool,
    /// How important it is.
    pub importance: Importance,
    /// What it does, for a person.
    pub doc: String,
    /// The group it is shown in.
    pub group: Option<String>,
    /// How wide a form's field is.
    pub width: Width,
    /// Its name in a form.
    pub display_name: String,
    /// What else its value must satisfy.
    pub validator: Option<Validator>,
}

/// All keys of a plugin, in the order of their declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigDef {
    /// The keys.
    pub keys: Vec<ConfigKey>,
}

impl ConfigDef {
    /// The key of that name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

fn name_of<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names
        .iter()
        .find(|(v, _)| *v == value)
        .map(|(_, name)| *name)
        .expect("every variant is in its table")
}

fn named<T: Copy>(names: &[(T, &'static str)], name: &str) -> Option<T> {
    names.iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
}
