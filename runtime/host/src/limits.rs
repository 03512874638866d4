//! What one instance may use: memory, CPU time, wall-clock time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::ResourceLimiter;

/// Limits of every instance.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All linear memories of an instance together.
    pub memory_bytes: usize,
    /// CPU time of one call. Waiting costs none.
    pub cpu: Duration,
    /// Wall-clock time of one call. A `poll` that waits has no such limit until it is woken.
    pub call: Duration,
    /// Wall-clock time to end in, once the task stops.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu: Duration::from_secs(30),
            call: Duration::from_secs(120),
            stop: Duration::from_secs(5),
        }
    }
}

/// Elements of all tables together: indirect calls of the largest guests need some thousands.
const TABLE_ELEMENTS_MAX: usize = 1_000_000;

/// An instance wanted more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("it asked for more memory than the limit of {} MiB", limit_bytes >> 20)]
pub(crate) struct MemoryExceeded {
    limit_bytes: usize,
}

/// Counts an instance's memory. Unlike wasmtime's own limiter it counts all memories of a component
/// together, and traps with a message instead of letting the guest's allocator abort.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    limit_bytes: usize,
    used_bytes: usize,
    table_elements: usize,
}

impl MemoryLimit {
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            used_bytes: 0,
            table_elements: 0,
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self
            .used_bytes
            .saturating_add(desired.saturating_sub(current));
        if used > self.limit_bytes {
            let limit_bytes = self.limit_bytes;
            return Err(MemoryExceeded { limit_bytes }.into());
        }
        self.used_bytes = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS_MAX {
            return Ok(false);
        }
        self.table_elements = elements;
        Ok(true)
    }
}

/// A call used more CPU time than it may.
#[derive(Debug, thiserror::Error)]
#[error("it used more than its limit of {limit:?} of CPU time in one call")]
pub(crate) struct CpuExceeded {
    limit: Duration,
}

/// The CPU time of an instance's calls: the thread's CPU time, summed over the polls of the call's
/// future. Counting epochs instead would charge a guest for its neighbours' time.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    limit: Duration,
    /// Nanoseconds of the call's earlier polls.
    call_ns: AtomicU64,
    /// The thread's clock at the start of the poll that is under way.
    poll_began_ns: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            call_ns: AtomicU64::new(0),
            poll_began_ns: AtomicU64::new(0),
        }
    }

    /// Runs one call, counted from zero.
    pub(crate) async fn measure<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        self.call_ns.store(0, Ordering::Relaxed);
        poll_fn(|cx| {
            let began = thread_cpu_ns();
            self.poll_began_ns.store(began, Ordering::Relaxed);
            let polled = call.as_mut().poll(cx);
            let used = thread_cpu_ns().saturating_sub(began);
            self.call_ns.fetch_add(used, Ordering::Relaxed);
            polled
        })
        .await
    }

    /// Called from within a poll, on its thread: has the call used up its time?
    pub(crate) fn check(&self) -> Result<(), CpuExceeded> {
        let began = self.poll_began_ns.load(Ordering::Relaxed);
        let this_poll = thread_cpu_ns().saturating_sub(began);
        let used = self.call_ns.load(Ordering::Relaxed) + this_poll;
        if Duration::from_nanos(used) > self.limit {
            return Err(CpuExceeded { limit: self.limit });
        }
        Ok(())
    }
}

fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + nanos
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together() {
        let mut limit = MemoryLimit::new(3 << 16);
        assert!(limit.memory_growing(0, 1 << 16, None).unwrap());
        assert!(limit.memory_growing(0, 1 << 16, None).unwrap());
        assert!(limit.memory_growing(1 << 16, 2 << 16, None).unwrap());
        let refused = limit.memory_growing(1 << 16, 2 << 16, None).unwrap_err();
        assert!(refused.downcast_ref::<MemoryExceeded>().is_some());
    }

    #[test]
    fn tables_are_limited() {
        let mut limit = MemoryLimit::new(0);
        assert!(limit.table_growing(0, TABLE_ELEMENTS_MAX, None).unwrap());
        assert!(!limit.table_growing(0, 1, None).unwrap());
    }

    #[tokio::test]
    async fn cpu_time_is_what_a_call_uses_and_waiting_costs_none() {
        let meter = CpuMeter::new(Duration::from_millis(20));
        meter
            .measure(async {
                tokio::task::yield_now().await;
                meter.check().unwrap();
                let mut burned = 0u64;
                while meter.check().is_ok() {
                    burned = std::hint::black_box(burned + 1);
                }
            })
            .await;
        // The next call starts from zero.
        meter.measure(async { meter.check().unwrap() }).await;
    }
}
