//! What the host says to an instance that is in a call.

use std::sync::Arc;

use tokio::sync::watch;

/// Wakes and stops an instance's waiting imports.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Positions became durable since the last call answered.
    woken: bool,
    /// The task stops; for good.
    stopping: bool,
}

impl State {
    fn said(self) -> Option<Spoken> {
        match self {
            Self { stopping: true, .. } => Some(Spoken::Stopping),
            Self { woken: true, .. } => Some(Spoken::Woken),
            Self { .. } => None,
        }
    }
}

/// What a waiting import is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// Positions became durable.
    Woken,
    /// The task stops.
    Stopping,
}

impl Control {
    pub(crate) fn new() -> Self {
        let (state, _) = watch::channel(State::default());
        Self {
            state: Arc::new(state),
        }
    }

    /// Completes waiting imports with `woken`, until the call that is under way answers.
    pub(crate) fn wake(&self) {
        self.state
            .send_if_modified(|state| !std::mem::replace(&mut state.woken, true));
    }

    /// Completes waiting imports with `stopping`, now and from now on.
    pub(crate) fn stop(&self) {
        self.state
            .send_if_modified(|state| !std::mem::replace(&mut state.stopping, true));
    }

    /// The call under way has answered, and with it the wake.
    pub(crate) fn answered(&self) {
        self.state
            .send_if_modified(|state| std::mem::take(&mut state.woken));
    }

    /// What is said now. A stop comes before a wake.
    pub(crate) fn said(&self) -> Option<Spoken> {
        self.state.borrow().said()
    }

    /// Waits for something to be said.
    pub(crate) async fn spoken(&self) -> Spoken {
        let state = self.until(|state| state.said().is_some()).await;
        state.said().expect("this is what was waited for")
    }

    /// Waits for a wake that no call has answered yet.
    pub(crate) async fn woken(&self) {
        self.until(|state| state.woken).await;
    }

    /// Waits for the stop.
    pub(crate) async fn stopped(&self) {
        self.until(|state| state.stopping).await;
    }

    async fn until(&self, said: impl FnMut(&State) -> bool) -> State {
        let mut state = self.state.subscribe();
        let state = state.wait_for(said).await;
        *state.expect("this handle keeps the sender")
    }
}
