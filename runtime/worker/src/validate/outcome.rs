//! What a check finds, in the shape of Kafka Connect's `ConfigInfos`.

use std::collections::{BTreeMap, HashMap};

use longshore_model::config::{ConfigKey, KeyType};
use longshore_pipeline::port::{Problem, Severity};

use crate::guarded::HIDDEN;

/// A config as it arrives: a null is an error of its key.
pub type Submitted = BTreeMap<String, Option<String>>;

/// A config that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The connector class as it was submitted.
    pub name: String,
    /// The groups of keys, in order.
    pub groups: Vec<String>,
    /// Every key.
    pub configs: Vec<KeyInfo>,
    /// Everything that is wrong or deserves a look, in the order in which it was found.
    pub findings: Vec<Finding>,
}

/// Something that is wrong or deserves a look, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key.
    pub key: String,
    /// Whether the config is refused for it.
    pub severity: Severity,
    /// What there is to say.
    pub message: String,
    /// Facts as the plugin names them: the table, the SQL that mends it.
    pub details: Vec<(String, String)>,
}

impl Finding {
    /// In one text, which is all that Kafka Connect has for it.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, fact) in &self.details {
            text.push_str("\n  ");
            text.push_str(name);
            text.push_str(": ");
            text.push_str(fact);
        }
        text
    }
}

/// A key: its definition and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyInfo {
    /// `None` for a key that nobody knows.
    pub definition: Option<ConfigKey>,
    /// Its place within its group, from 1; -1 outside of groups.
    pub order: i32,
    /// What was submitted.
    pub value: KeyValue,
}

/// What was submitted for a key, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValue {
    /// The key.
    pub name: String,
    /// The value, or the default; masked where it is a password.
    pub value: Option<String>,
    /// What it could be.
    pub recommended: Vec<String>,
    /// What is wrong.
    pub errors: Vec<String>,
}

impl Validation {
    /// Everything that is wrong, key by key.
    #[must_use]
    pub fn errors(&self) -> Vec<String> {
        let errors = self.configs.iter().flat_map(|key| key.value.errors.iter());
        errors.cloned().collect()
    }

    /// What deserves a look and makes nothing invalid: Kafka Connect has no place for it.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        let findings = self.findings.iter();
        findings.filter(|finding| finding.severity == Severity::Warning)
    }
}

/// Gathers keys and errors.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    keys: Vec<KeyInfo>,
    index: HashMap<String, usize>,
    orders: HashMap<String, i32>,
    groups: Vec<String>,
    findings: Vec<Finding>,
}

impl Outcome {
    /// Adds a key that is defined. The first definition of a name counts.
    pub(super) fn define(&mut self, key: ConfigKey, submitted: Option<&str>) {
        if self.index.contains_key(&key.name) {
            return;
        }
        let order = match &key.group {
            Some(group) => {
                if !self.groups.contains(group) {
                    self.groups.push(group.clone());
                }
                let order = self.orders.entry(group.clone()).or_default();
                *order += 1;
                *order
            }
            None => -1,
        };
        let value = match (submitted.or(key.default.as_deref()), key.key_type) {
            (Some(_), KeyType::Password) => Some(HIDDEN.to_owned()),
            (value, _) => value.map(str::to_owned),
        };
        self.index.insert(key.name.clone(), self.keys.len());
        self.keys.push(KeyInfo {
            value: KeyValue {
                name: key.name.clone(),
                value,
                ..KeyValue::default()
            },
            definition: Some(key),
            order,
        });
    }

    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// Whether something is wrong with the key already.
    pub(super) fn is_wrong(&self, name: &str) -> bool {
        let key = self.index.get(name).map(|&at| &self.keys[at]);
        key.is_some_and(|key| !key.value.errors.is_empty())
    }

    pub(super) fn error(&mut self, name: &str, message: impl Into<String>) {
        self.refuse(Finding {
            key: name.to_owned(),
            severity: Severity::Refusal,
            message: message.into(),
            details: Vec::new(),
        });
    }

    /// What a plugin has to say of a key.
    pub(super) fn problem(&mut self, problem: Problem) {
        let details = problem.fault.details.into_iter();
        let finding = Finding {
            key: problem.key,
            severity: problem.severity,
            message: problem.fault.message,
            details: details.filter(|(name, _)| name != "key").collect(),
        };
        match finding.severity {
            Severity::Refusal => self.refuse(finding),
            Severity::Warning if self.findings.contains(&finding) => {}
            Severity::Warning => self.findings.push(finding),
        }
    }

    fn refuse(&mut self, finding: Finding) {
        let name = finding.key.as_str();
        let at = *self.index.entry(name.to_owned()).or_insert_with(|| {
            self.keys.push(KeyInfo {
                definition: None,
                order: -1,
                value: KeyValue {
                    name: name.to_owned(),
                    ..KeyValue::default()
                },
            });
            self.keys.len() - 1
        });
        let errors = &mut self.keys[at].value.errors;
        let text = finding.text();
        if !errors.contains(&text) {
            errors.push(text);
            self.findings.push(finding);
        }
    }

    /// The keys that are defined as passwords.
    pub(super) fn passwords(&self) -> impl Iterator<Item = &str> {
        let defined = self.keys.iter().filter_map(|key| key.definition.as_ref());
        let passwords = defined.filter(|key| key.key_type == KeyType::Password);
        passwords.map(|key| key.name.as_str())
    }

    pub(super) fn recommend(&mut self, name: &str, values: Vec<String>) {
        if let Some(&at) = self.index.get(name) {
            self.keys[at].value.recommended = values;
        }
    }

    pub(super) fn finish(self, name: &str) -> Validation {
        Validation {
            name: name.to_owned(),
            groups: self.groups,
            configs: self.keys,
            findings: self.findings,
        }
    }
}
