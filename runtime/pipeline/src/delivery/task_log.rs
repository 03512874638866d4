//! The one place where an append becomes a [`Receipt`] and a [`Stored`].

use std::future::Future;

use longshore_model::{SourcePosition, TaskId, Watermark};

use crate::batch::Outgoing;
use crate::port::{Append, BrokerResult, Generation, GroupOffsets, Move, Owner, Write};

/// Proof that records are durable in the log.
#[derive(Debug)]
pub struct Receipt {
    task: TaskId,
    generation: Generation,
}

/// Proof that records *and* the positions they take with them are durable.
#[derive(Debug)]
pub struct Stored {
    receipt: Receipt,
    positions: Vec<SourcePosition>,
    watermarks: Vec<Watermark>,
}

impl Stored {
    /// The task whose append it was.
    #[must_use]
    pub fn task(&self) -> &TaskId {
        &self.receipt.task
    }

    /// The generation that the append carried.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.receipt.generation
    }

    /// The positions that are durable.
    #[must_use]
    pub fn positions(&self) -> &[SourcePosition] {
        &self.positions
    }

    /// What may be confirmed upstream.
    #[must_use]
    pub fn watermarks(&self) -> &[Watermark] {
        &self.watermarks
    }
}

/// What one append settles once it is durable.
#[derive(Debug, Default)]
pub struct Settles {
    /// Positions, as the ledger turned them into moves.
    pub positions: Vec<SourcePosition>,
    /// The moves.
    pub moves: Vec<Move>,
    /// What the batch completes of each stream.
    pub watermarks: Vec<Watermark>,
    /// A sink's progress.
    pub group: Option<GroupOffsets>,
}

/// A broker's log, as one generation of one task writes to it.
#[derive(Clone, Debug)]
pub struct TaskLog<B> {
    broker: B,
    owner: Owner,
    task: TaskId,
    generation: Generation,
}

impl<B: Append> TaskLog<B> {
    /// The log under a generation that was raised for this task.
    pub fn new(broker: B, task: TaskId, generation: Generation) -> Self {
        Self {
            broker,
            owner: Owner::task(&task),
            task,
            generation,
        }
    }

    /// The task that writes.
    pub fn task(&self) -> &TaskId {
        &self.task
    }

    /// The generation that appends carry.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The broker behind it.
    pub fn broker(&self) -> &B {
        &self.broker
    }

    /// Appends records and what they settle, as one atomic write (invariant 5). Its place is taken
    /// at once; the future completes when all of it is durable.
    pub fn append(
        &self,
        records: Outgoing,
        settles: Settles,
    ) -> impl Future<Output = BrokerResult<Stored>> + Send + use<B> {
        let Settles {
            positions,
            moves,
            watermarks,
            group,
        } = settles;
        let receipt = Receipt {
            task: self.task.clone(),
            generation: self.generation,
        };
        let durable = self.broker.append(Write {
            owner: self.owner.clone(),
            generation: self.generation,
            records,
            moves,
            group,
        });
        async move {
            durable.await?;
            Ok(Stored {
                receipt,
                positions,
                watermarks,
            })
        }
    }
}
