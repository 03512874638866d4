//! The chain of a task's transforms. A batch is handed from one to the next; transforms keep each
//! row's origin, so that every row can be traced to the one it came from.

use bytes::{Bytes, BytesMut};
use longshore_model::batch::{Batch, Malformed};
use longshore_model::{Fault, FaultClass};

use crate::failure::RetryPolicy;
use crate::port::TransformPlugin;

/// Transforms in the order of `transforms=`.
#[derive(Debug)]
pub struct Chain<T> {
    steps: Vec<T>,
    retry: RetryPolicy,
}

impl<T: TransformPlugin> Chain<T> {
    /// A chain of opened instances.
    pub fn new(steps: Vec<T>, retry: RetryPolicy) -> Self {
        Self { steps, retry }
    }

    /// Whether batches go through as they are.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Hands a batch through all steps.
    ///
    /// # Errors
    /// The first step's fault that retries did not mend, or that it returned no batch.
    pub async fn apply(&mut self, mut batch: Batch<Bytes>) -> Result<Batch<Bytes>, Fault> {
        for step in &mut self.steps {
            let output = apply_step(step, batch.into_buffer(), self.retry).await?;
            batch = Batch::parse(output).map_err(malformed)?;
        }
        Ok(batch)
    }
}

/// A copy of a batch whose rows have their own number as their origin.
pub(crate) fn numbered(batch: &Batch<Bytes>) -> Result<Batch<Bytes>, Fault> {
    let copy = BytesMut::from(&batch.buffer()[..]);
    let mut copy = Batch::parse(copy).map_err(malformed)?;
    copy.number_rows();
    Batch::parse(copy.into_buffer().freeze()).map_err(malformed)
}

async fn apply_step<T: TransformPlugin>(
    step: &mut T,
    batch: Bytes,
    retry: RetryPolicy,
) -> Result<Bytes, Fault> {
    let mut backoff = retry.backoff();
    loop {
        match step.apply(batch.clone()).await {
            Err(fault) if fault.class == FaultClass::Retriable => match backoff.next_delay() {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            },
            done => return done,
        }
    }
}

fn malformed(error: Malformed) -> Fault {
    Fault::new(FaultClass::Fatal, "malformed-batch", error.to_string())
}
