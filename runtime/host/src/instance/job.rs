//! A call in the mailbox.

use futures_util::future::BoxFuture;
use longshore_model::Fault;
use tokio::sync::oneshot;
use wasmtime::component::Accessor;

use super::{GuestState, Patience};
use crate::component::Exports;

/// One export call, whatever its types.
pub(super) trait Job: Send {
    fn name(&self) -> &'static str;

    fn patience(&self) -> Patience;

    /// Runs the call. Called once.
    fn run<'a>(
        &'a mut self,
        accessor: &'a Accessor<GuestState>,
        exports: &'a Exports,
    ) -> BoxFuture<'a, wasmtime::Result<()>>;

    /// Answers the caller: with the call's result, or with why there is none.
    fn finish(self: Box<Self>, fault: Option<Fault>);
}

/// A call and where its result goes.
pub(super) struct Typed<F, R> {
    name: &'static str,
    patience: Patience,
    call: Option<F>,
    result: Option<R>,
    reply: oneshot::Sender<Result<R, Fault>>,
}

impl<F, R> Typed<F, R> {
    pub(super) fn new(
        name: &'static str,
        patience: Patience,
        call: F,
        reply: oneshot::Sender<Result<R, Fault>>,
    ) -> Self {
        Self {
            name,
            patience,
            call: Some(call),
            result: None,
            reply,
        }
    }
}

impl<F, R> Job for Typed<F, R>
where
    R: Send + 'static,
    F: for<'a> FnOnce(&'a Accessor<GuestState>, &'a Exports) -> BoxFuture<'a, wasmtime::Result<R>>
        + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn patience(&self) -> Patience {
        self.patience
    }

    fn run<'a>(
        &'a mut self,
        accessor: &'a Accessor<GuestState>,
        exports: &'a Exports,
    ) -> BoxFuture<'a, wasmtime::Result<()>> {
        let call = self.call.take().expect("a job runs once");
        Box::pin(async move {
            self.result = Some(call(accessor, exports).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, fault: Option<Fault>) {
        let answer = match (fault, self.result) {
            (None, Some(result)) => Ok(result),
            (Some(fault), _) => Err(fault),
            (None, None) => unreachable!("a call without a fault has a result"),
        };
        // A caller that has gone away wants no answer.
        drop(self.reply.send(answer));
    }
}
