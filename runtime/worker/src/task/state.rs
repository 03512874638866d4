//! The life of a task as a table: what happened and where it stands give where it stands then and
//! what is to be done. Pure.

use std::time::Duration;

use longshore_model::{Fault, FaultClass};

use crate::restart::RestartPolicy;
use crate::status::{State, trace};

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not running, and not asked to.
    Idle,
    /// Its instance is being made.
    Opening,
    /// Its flow runs.
    Open,
    /// Asked to end; then perhaps to start again.
    Stopping { restart: bool },
    /// Failed, and waiting for its restart.
    Waiting,
    /// Failed for good.
    Failed,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It is to run.
    Start,
    /// Its instance is open.
    Opened,
    /// It is to be paused, or resumed.
    Paused(bool),
    /// It ended after this long.
    Ended(Result<(), Fault>, Duration),
    /// A person asks for a restart.
    Restart,
    /// The pause before its restart is over.
    PauseOver,
    /// It is to end.
    Stop,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Run it, under a new generation.
    Spawn,
    /// Ask it to drain, flush and close.
    Cancel,
    /// Tell everybody.
    Report(State, Option<String>),
    /// Say [`Event::PauseOver`] after this long.
    Wait(Duration),
}

/// One task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TaskState {
    phase: Phase,
    paused: bool,
    attempts: u32,
}

impl TaskState {
    pub(crate) fn new(paused: bool) -> Self {
        Self {
            phase: Phase::Idle,
            paused,
            attempts: 0,
        }
    }

    /// Whether nothing of it runs or is about to.
    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// Takes note of an event and says what is to be done.
    pub(crate) fn step(&mut self, event: Event, policy: &RestartPolicy) -> Vec<Effect> {
        match (self.phase, event) {
            (_, Event::Paused(paused)) => {
                self.paused = paused;
                match self.phase {
                    Phase::Open => vec![self.report_open()],
                    _ => Vec::new(),
                }
            }
            (Phase::Idle, Event::Start) => self.spawn(),
            (Phase::Waiting, Event::PauseOver) => self.spawn(),
            (Phase::Idle | Phase::Waiting | Phase::Failed, Event::Restart) => {
                self.attempts = 0;
                let mut effects = vec![Effect::Report(State::Restarting, None)];
                effects.extend(self.spawn());
                effects
            }
            (Phase::Opening | Phase::Open, Event::Restart) => {
                self.phase = Phase::Stopping { restart: true };
                self.attempts = 0;
                vec![Effect::Report(State::Restarting, None), Effect::Cancel]
            }
            (Phase::Opening, Event::Opened) => {
                self.phase = Phase::Open;
                vec![self.report_open()]
            }
            (Phase::Opening | Phase::Open, Event::Stop) => {
                self.phase = Phase::Stopping { restart: false };
                vec![Effect::Cancel]
            }
            (Phase::Stopping { restart: true }, Event::Ended(..)) => self.spawn(),
            (Phase::Stopping { .. }, Event::Stop) => {
                self.phase = Phase::Stopping { restart: false };
                Vec::new()
            }
            (Phase::Stopping { restart: false }, Event::Ended(..))
            | (Phase::Idle | Phase::Waiting | Phase::Failed, Event::Stop) => {
                self.phase = Phase::Idle;
                vec![Effect::Report(State::Unassigned, None)]
            }
            (Phase::Opening | Phase::Open, Event::Ended(outcome, ran_for)) => {
                self.failed(outcome, ran_for, policy)
            }
            _ => Vec::new(),
        }
    }

    fn spawn(&mut self) -> Vec<Effect> {
        self.phase = Phase::Opening;
        vec![Effect::Spawn]
    }

    fn report_open(&self) -> Effect {
        let state = if self.paused {
            State::Paused
        } else {
            State::Running
        };
        Effect::Report(state, None)
    }

    fn failed(
        &mut self,
        outcome: Result<(), Fault>,
        ran_for: Duration,
        policy: &RestartPolicy,
    ) -> Vec<Effect> {
        let fault = outcome.err().unwrap_or_else(|| {
            Fault::new(
                FaultClass::Fatal,
                "ended",
                "the task ended without being asked to",
            )
        });
        if RestartPolicy::settled(ran_for) {
            self.attempts = 0;
        }
        if let Some(pause) = policy.pause(self.attempts, &fault) {
            self.phase = Phase::Waiting;
            self.attempts += 1;
            let report = Effect::Report(State::Restarting, Some(trace(&fault)));
            return vec![report, Effect::Wait(pause)];
        }
        self.phase = Phase::Failed;
        vec![Effect::Report(State::Failed, Some(trace(&fault)))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: RestartPolicy = RestartPolicy {
        attempts: 0,
        backoff: Duration::from_secs(1),
    };
    const TWICE: RestartPolicy = RestartPolicy {
        attempts: 2,
        backoff: Duration::from_secs(1),
    };

    fn fault() -> Fault {
        Fault::new(FaultClass::Fatal, "trap", "trapped")
    }

    fn failed_after(secs: u64) -> Event {
        Event::Ended(Err(fault()), Duration::from_secs(secs))
    }

    fn closed() -> Event {
        Event::Ended(Ok(()), Duration::ZERO)
    }

    fn report(state: State) -> Effect {
        Effect::Report(state, None)
    }

    fn with_trace(state: State) -> Effect {
        Effect::Report(state, Some("trapped (trap)".to_owned()))
    }

    /// Goes through events and compares what each asks for.
    fn check(policy: RestartPolicy, steps: &[(Event, &[Effect])]) -> TaskState {
        let mut task = TaskState::new(false);
        for (n, (event, effects)) in steps.iter().enumerate() {
            assert_eq!(
                task.step(event.clone(), &policy),
                *effects,
                "step {n}: {event:?}"
            );
        }
        task
    }

    #[test]
    fn starts_pauses_resumes_and_stops() {
        let task = check(
            NEVER,
            &[
                (Event::Start, &[Effect::Spawn]),
                (Event::Opened, &[report(State::Running)]),
                (Event::Paused(true), &[report(State::Paused)]),
                (Event::Paused(false), &[report(State::Running)]),
                (Event::Stop, &[Effect::Cancel]),
                (Event::Stop, &[]),
                (closed(), &[report(State::Unassigned)]),
            ],
        );
        assert!(task.is_idle());
    }

    #[test]
    fn a_pause_before_it_is_open_is_told_when_it_is() {
        check(
            NEVER,
            &[
                (Event::Start, &[Effect::Spawn]),
                (Event::Paused(true), &[]),
                (Event::Opened, &[report(State::Paused)]),
            ],
        );
    }

    #[test]
    fn a_failure_is_for_good_without_a_policy_until_a_person_restarts_it() {
        check(
            NEVER,
            &[
                (Event::Start, &[Effect::Spawn]),
                (failed_after(0), &[with_trace(State::Failed)]),
                (Event::PauseOver, &[]),
                (Event::Restart, &[report(State::Restarting), Effect::Spawn]),
                (Event::Opened, &[report(State::Running)]),
            ],
        );
    }

    #[test]
    fn a_policy_restarts_with_growing_pauses_and_gives_up() {
        check(
            TWICE,
            &[
                (Event::Start, &[Effect::Spawn]),
                (
                    failed_after(0),
                    &[
                        with_trace(State::Restarting),
                        Effect::Wait(Duration::from_secs(1)),
                    ],
                ),
                (Event::PauseOver, &[Effect::Spawn]),
                (
                    failed_after(1),
                    &[
                        with_trace(State::Restarting),
                        Effect::Wait(Duration::from_secs(2)),
                    ],
                ),
                (Event::PauseOver, &[Effect::Spawn]),
                (failed_after(1), &[with_trace(State::Failed)]),
            ],
        );
    }

    #[test]
    fn a_task_that_ran_well_has_its_attempts_back() {
        let first = [
            with_trace(State::Restarting),
            Effect::Wait(Duration::from_secs(1)),
        ];
        check(
            TWICE,
            &[
                (Event::Start, &[Effect::Spawn]),
                (failed_after(0), &first),
                (Event::PauseOver, &[Effect::Spawn]),
                (failed_after(120), &first),
            ],
        );
    }

    #[test]
    fn a_running_task_is_stopped_before_it_restarts() {
        check(
            NEVER,
            &[
                (Event::Start, &[Effect::Spawn]),
                (Event::Opened, &[report(State::Running)]),
                (Event::Restart, &[report(State::Restarting), Effect::Cancel]),
                (closed(), &[Effect::Spawn]),
            ],
        );
    }

    #[test]
    fn a_stop_beats_a_restart() {
        let task = check(
            TWICE,
            &[
                (Event::Start, &[Effect::Spawn]),
                (Event::Restart, &[report(State::Restarting), Effect::Cancel]),
                (Event::Stop, &[]),
                (failed_after(0), &[report(State::Unassigned)]),
            ],
        );
        assert!(task.is_idle());
    }

    #[test]
    fn an_end_that_nobody_asked_for_is_a_failure() {
        let mut task = TaskState::new(false);
        task.step(Event::Start, &NEVER);
        let effects = task.step(closed(), &NEVER);
        assert!(matches!(
            &effects[..],
            [Effect::Report(State::Failed, Some(_))]
        ));
    }
}
