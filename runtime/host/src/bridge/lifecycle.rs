//! `longshore:host/lifecycle`.

use std::time::Duration;

use longshore_cap_files::Change;
use serde_json::{Map, Value};
use tracing::Level;
use wasmtime::component::{Accessor, HasSelf};

use crate::bindings::v0_1::longshore::host::lifecycle::{self, Wake};
use crate::instance::{GuestState, Spoken};

/// Largest progress that a status shows.
const PROGRESS_BYTES_MAX: usize = 64 << 10;

/// Longest wait that a clock can hold, for guests that mean "for ever".
const WAIT_MAX: Duration = Duration::from_secs(86_400 * 365);

impl<T: Send> lifecycle::HostWithStore<T> for HasSelf<GuestState> {
    async fn wait(accessor: &Accessor<T, Self>, timeout_ms: u64) -> wasmtime::Result<Wake> {
        let control = accessor.with(|mut access| access.get().control.clone());
        let timeout = Duration::from_millis(timeout_ms).min(WAIT_MAX);
        let wake = tokio::select! {
            biased;
            spoken = control.spoken() => spoken.into(),
            () = tokio::time::sleep(timeout) => Wake::Ready,
        };
        Ok(wake)
    }
}

impl lifecycle::Host for GuestState {
    fn progress(&mut self, json: String) -> wasmtime::Result<()> {
        let fits = json.len() <= PROGRESS_BYTES_MAX;
        if fits && serde_json::from_str::<Map<String, Value>>(&json).is_ok() {
            self.progress.send_replace(Some(json));
        } else {
            let message = "progress is left out: it must be a JSON object of at most 64 KiB";
            self.voice.say(Level::WARN, message, &[]);
        }
        Ok(())
    }
}

impl From<Spoken> for Wake {
    fn from(spoken: Spoken) -> Self {
        match spoken {
            Spoken::Woken => Self::Woken,
            Spoken::Stopping => Self::Stopping,
        }
    }
}

impl From<Change> for Wake {
    /// A change has come or the time is up; the guest looks which.
    fn from(change: Change) -> Self {
        match change {
            Change::Changed | Change::TimedOut => Self::Ready,
        }
    }
}
