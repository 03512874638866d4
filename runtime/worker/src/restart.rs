//! Restarts: those that a policy decides, and those that a person asks for. Decisions are pure.

use std::collections::BTreeMap;
use std::time::Duration;

use longshore_model::Fault;

use crate::status::State;

const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// A task that ran this long before it failed has its attempts back.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// What happens to a task that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// How often in a row it is restarted.
    pub attempts: u32,
    /// The pause before the first attempt; it doubles with each.
    pub backoff: Duration,
}

impl RestartPolicy {
    /// The pause before the next attempt after `attempts` of them, or `None` for no attempt. A task
    /// that was fenced has a successor, and is never restarted.
    pub(crate) fn pause(&self, attempts: u32, fault: &Fault) -> Option<Duration> {
        if attempts >= self.attempts || fault.code == "fenced" {
            return None;
        }
        let factor = 2u32.checked_pow(attempts).unwrap_or(u32::MAX);
        Some(self.backoff.saturating_mul(factor).min(BACKOFF_MAX))
    }

    /// Whether a task that ran this long has its attempts back.
    pub(crate) fn settled(ran_for: Duration) -> bool {
        ran_for >= SETTLED_AFTER
    }
}

/// Which parts of a connector a person wants restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestartRequest {
    /// Tasks too.
    pub include_tasks: bool,
    /// Only what failed.
    pub only_failed: bool,
}

/// The parts that a request restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestartPlan {
    pub(crate) connector: bool,
    pub(crate) tasks: Vec<u32>,
}

impl RestartRequest {
    pub(crate) fn plan(self, connector: State, tasks: &BTreeMap<u32, State>) -> RestartPlan {
        let wanted = |state: State| !self.only_failed || state == State::Failed;
        let tasks = tasks.iter().filter(|(_, state)| wanted(**state));
        RestartPlan {
            connector: wanted(connector),
            tasks: if self.include_tasks {
                tasks.map(|(task, _)| *task).collect()
            } else {
                Vec::new()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_model::FaultClass;

    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_end() {
        let policy = RestartPolicy {
            attempts: 9,
            backoff: Duration::from_secs(1),
        };
        let fault = Fault::new(FaultClass::Fatal, "trap", "unreachable");
        let pauses: Vec<_> = (0..10)
            .map(|n| policy.pause(n, &fault).map(|p| p.as_secs()))
            .collect();
        let expected = [1, 2, 4, 8, 16, 32, 60, 60, 60].map(Some);
        assert_eq!(pauses[..9], expected);
        assert_eq!(pauses[9], None);
    }

    #[test]
    fn what_is_fenced_is_never_restarted() {
        let policy = RestartPolicy {
            attempts: 9,
            backoff: Duration::from_secs(1),
        };
        let fault = Fault::new(FaultClass::Fatal, "fenced", "task/c/0 is fenced");
        assert_eq!(policy.pause(0, &fault), None);
    }

    #[test]
    fn a_request_names_its_parts() {
        let tasks = BTreeMap::from([(0, State::Running), (1, State::Failed)]);
        let plan = |include_tasks, only_failed| {
            RestartRequest {
                include_tasks,
                only_failed,
            }
            .plan(State::Running, &tasks)
        };
        let parts = |connector, tasks: &[u32]| RestartPlan {
            connector,
            tasks: tasks.to_vec(),
        };
        assert_eq!(plan(false, false), parts(true, &[]));
        assert_eq!(plan(true, false), parts(true, &[0, 1]));
        assert_eq!(plan(true, true), parts(false, &[1]));
        assert_eq!(plan(false, true), parts(false, &[]));
    }
}
