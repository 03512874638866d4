//! Reads typed values out of flat settings and gathers what is wrong, so that a person sees all of
//! it at once.

use std::ops::RangeInclusive;

use longshore_model::{Fault, FaultClass};

use super::Settings;
use crate::port::Problem;

/// Settings being read.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    settings: &'a Settings,
    problems: Vec<Problem>,
}

impl<'a> Lookup<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            problems: Vec::new(),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.settings.get(key).map(|value| value.trim())
    }

    /// The keys that start with a prefix, without it.
    pub(crate) fn under(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let from = self.settings.range(prefix.to_owned()..);
        let prefix = prefix.to_owned();
        from.map_while(move |(key, value)| Some((key.strip_prefix(&prefix)?, value.as_str())))
    }

    pub(crate) fn number(&mut self, key: &str, default: i64, range: RangeInclusive<i64>) -> i64 {
        let Some(text) = self.text(key) else {
            return default;
        };
        match text.parse() {
            Ok(n) if range.contains(&n) => n,
            Ok(_) => {
                let (min, max) = (range.start(), range.end());
                self.problem(
                    key,
                    format!("must be within {min} and {max}, and is {text}"),
                );
                default
            }
            Err(_) => {
                self.problem(key, format!("must be a whole number, and is {text:?}"));
                default
            }
        }
    }

    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.text(key).map(str::to_ascii_lowercase).as_deref() {
            None => default,
            Some("true") => true,
            Some("false") => false,
            Some(text) => {
                self.problem(key, format!("must be true or false, and is {text:?}"));
                default
            }
        }
    }

    pub(crate) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let message = format!("{key} {}", message.into());
        let fault = Fault::new(FaultClass::Config, "config", message).with("key", key);
        self.problems.push(Problem::refusal(key, fault));
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}
