//! A connector's config together with what must not be shown of it.

use std::collections::BTreeSet;

use longshore_model::{Fault, FaultClass};
use longshore_pipeline::settings::Settings;

/// What is shown in place of a password.
pub(crate) const HIDDEN: &str = "[hidden]";

/// A config, and which of its keys hold passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Guarded {
    /// The config itself, passwords in clear; [`HIDDEN`] stands where one could not be opened.
    pub(crate) settings: Settings,
    /// The keys that hold passwords, the plugin's and its transforms'.
    pub(crate) passwords: BTreeSet<String>,
    /// Those that were sealed with a key that the worker does not have.
    pub(crate) unreadable: BTreeSet<String>,
}

impl Guarded {
    /// A task's config: what is a password in this one is one there.
    pub(crate) fn task(&self, settings: Settings) -> Self {
        let passwords = self.passwords.iter();
        let passwords = passwords.filter(|key| settings.contains_key(*key));
        Self {
            passwords: passwords.cloned().collect(),
            unreadable: BTreeSet::new(),
            settings,
        }
    }

    /// The password that a key holds.
    pub(crate) fn password(&self, key: &str) -> Option<&str> {
        let is_known = self.passwords.contains(key) && !self.unreadable.contains(key);
        self.settings
            .get(key)
            .filter(|_| is_known)
            .map(String::as_str)
    }

    /// As it may be shown.
    pub(crate) fn masked(&self) -> Settings {
        let shown = |(key, value): (&String, &String)| {
            let value = if self.passwords.contains(key) {
                HIDDEN
            } else {
                value
            };
            (key.clone(), value.to_owned())
        };
        self.settings.iter().map(shown).collect()
    }

    /// Whether it can be run with.
    pub(crate) fn check_readable(&self) -> Result<(), Fault> {
        let Some(key) = self.unreadable.first() else {
            return Ok(());
        };
        let message = format!(
            "the password in {key} was sealed with another key than this worker has (config.secret.key.file, else \
             secret.key in data.dir): restore that file, or put the connector's config again with its passwords"
        );
        Err(Fault::new(FaultClass::Config, "password-unreadable", message).with("key", key))
    }
}
