//! `longshore:host/log`.

use tracing::Level;

use crate::bindings::v0_1::longshore::host::log;
use crate::instance::GuestState;

impl log::Host for GuestState {
    fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Error => Level::ERROR,
            log::Level::Warn => Level::WARN,
            log::Level::Info => Level::INFO,
            log::Level::Debug => Level::DEBUG,
            log::Level::Trace => Level::TRACE,
        };
        self.voice.say(level, &message, &fields);
        Ok(())
    }
}
