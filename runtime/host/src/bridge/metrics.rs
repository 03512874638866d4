//! `longshore:host/metrics`.

use tracing::Level;

use crate::bindings::v0_1::longshore::host::metrics;
use crate::instance::GuestState;

impl metrics::Host for GuestState {
    fn count(&mut self, name: String, n: u64) -> wasmtime::Result<()> {
        let kept = self.metrics.count(&name, n);
        self.kept_or_told(kept);
        Ok(())
    }

    fn gauge(&mut self, name: String, value: f64) -> wasmtime::Result<()> {
        let kept = self.metrics.gauge(&name, value);
        self.kept_or_told(kept);
        Ok(())
    }
}

impl GuestState {
    /// A metric over the limits is left out, and its author told so once.
    fn kept_or_told(&mut self, kept: bool) {
        if !kept && !std::mem::replace(&mut self.told_of_metrics, true) {
            let message =
                "a metric is left out: names are [a-z][a-z0-9_]*, and a task has at most 64";
            self.voice.say(Level::WARN, message, &[]);
        }
    }
}
