//! Why an instance ended, as the fault that its task fails with.

use std::time::Duration;

use longshore_model::{Fault, FaultClass};
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::limits::{CpuExceeded, MemoryExceeded};
use crate::voice::Voice;

/// How guest code ended without a result.
pub(super) enum Ended {
    /// It trapped, or the host trapped it.
    Trapped(wasmtime::Error),
    /// It took too long by the wall clock.
    Late {
        after: Duration,
        since: &'static str,
    },
}

/// The fault, with a symbolic backtrace and the end of the guest's stderr in its details.
pub(super) fn verdict(plugin: &str, call: &str, ended: Ended, voice: &Voice) -> Fault {
    let fault = match ended {
        Ended::Late { after, since } => {
            let message = format!("{plugin} was ended: {call} had not returned {after:?} {since}");
            Fault::new(FaultClass::Fatal, "plugin-deadline", message)
        }
        Ended::Trapped(error) => {
            let (code, how) = how_it_trapped(&error);
            let message = format!("{plugin} was ended in {call}: {how}");
            let fault = Fault::new(FaultClass::Fatal, code, message);
            match error.downcast_ref::<WasmBacktrace>() {
                Some(backtrace) if !backtrace.frames().is_empty() => {
                    fault.with("backtrace", backtrace.to_string())
                }
                _ => fault,
            }
        }
    };
    let stderr = voice.stderr_tail();
    if stderr.is_empty() {
        fault
    } else {
        fault.with("stderr", stderr)
    }
}

fn how_it_trapped(error: &wasmtime::Error) -> (&'static str, String) {
    if let Some(exceeded) = error.downcast_ref::<CpuExceeded>() {
        return ("plugin-cpu-limit", exceeded.to_string());
    }
    if let Some(exceeded) = error.downcast_ref::<MemoryExceeded>() {
        return ("plugin-memory-limit", exceeded.to_string());
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return ("plugin-exit", format!("it exited with status {}", exit.0));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return ("plugin-trap", format!("it trapped: {trap}"));
    }
    (
        "plugin-trap",
        format!("it was trapped by the host: {}", error.root_cause()),
    )
}
