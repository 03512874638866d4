//! Runs a connector's call without a runtime.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::FakeHost;

/// A call of a connector that is under way.
pub struct Call<'a, T> {
    host: FakeHost,
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
}

/// How far a call has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// It returned.
    Done(T),
    /// It waits for something of the host.
    Waiting,
    /// The host was killed under it.
    Killed,
}

impl<'a, T> Call<'a, T> {
    /// Prepares a call; [`Call::step`] runs it.
    pub fn new(host: &FakeHost, future: impl Future<Output = T> + 'a) -> Self {
        Self {
            host: host.clone(),
            future: Box::pin(future),
        }
    }

    /// Runs the call until it returns, waits, or the host is killed.
    pub fn step(&mut self) -> Step<T> {
        let mut context = Context::from_waker(Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(done) => Step::Done(done),
            Poll::Pending if self.host.is_killed() => Step::Killed,
            Poll::Pending => Step::Waiting,
        }
    }
}

/// Runs a call that neither waits nor is killed.
///
/// # Panics
/// When it does.
pub fn complete<T>(host: &FakeHost, future: impl Future<Output = T>) -> T {
    match Call::new(host, future).step() {
        Step::Done(done) => done,
        Step::Waiting => panic!("the call waits for the host"),
        Step::Killed => panic!("the host was killed under the call"),
    }
}
