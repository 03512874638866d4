//! Counters and gauges that a guest keeps through `longshore:host/metrics`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most different names that one task may use.
const PLUGIN_METRICS_MAX: usize = 64;

/// What a guest counted and measured.
#[derive(Debug, Default)]
pub struct PluginMetrics {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    counters: BTreeMap<String, u64>,
    gauges: BTreeMap<String, f64>,
}

impl PluginMetrics {
    /// Adds to a counter; false when the task has used up its names or the name is not legal.
    pub fn count(&self, name: &str, n: u64) -> bool {
        self.with(name, |inner| {
            let counter = inner.counters.entry(name.to_owned()).or_default();
            *counter = counter.saturating_add(n);
        })
    }

    /// Sets a gauge; false when the task has used up its names or the name is not legal.
    pub fn gauge(&self, name: &str, value: f64) -> bool {
        self.with(name, |inner| {
            inner.gauges.insert(name.to_owned(), value);
        })
    }

    /// Counters and gauges as they stand, by name.
    pub fn snapshot(&self) -> (BTreeMap<String, u64>, BTreeMap<String, f64>) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.counters.clone(), inner.gauges.clone())
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut Inner)) -> bool {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let known = inner.counters.contains_key(name) || inner.gauges.contains_key(name);
        let room = inner.counters.len() + inner.gauges.len() < PLUGIN_METRICS_MAX;
        let allowed = known || (room && is_legal(name));
        if !allowed {
            return false;
        }
        change(&mut inner);
        true
    }
}

/// `[a-z][a-z0-9_]*`, at most 64 characters.
fn is_legal(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
