//! What waits for the committer, in order, and how much of it there may be (invariant 9).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Generation, Owner};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use uuid::Uuid;

use crate::batch::Batch;
use crate::error::Error;
use crate::index::{EntryKey, Place};
use crate::log::Append;
use crate::state::PartitionId;
use crate::topics::{NewTopic, Produced, ProducerId, Topic};

/// Where an answer goes. Nobody may be waiting for it any more.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What the committer is asked to do.
#[derive(Debug)]
pub(crate) enum Request {
    Append {
        append: Box<Append>,
        timestamp: i64,
        reply: Reply<()>,
    },
    Raise {
        owners: Vec<Owner>,
        reply: Reply<Generation>,
    },
    Produce {
        partition: TopicPartition,
        batch: Batch,
        reply: Reply<Produced>,
        room: OwnedSemaphorePermit,
    },
    CreateTopic {
        topic: NewTopic,
        id: Uuid,
        reply: Reply<Topic>,
    },
    DeleteTopic {
        name: TopicName,
        reply: Reply<()>,
    },
    InitProducerId {
        reply: Reply<ProducerId>,
    },
    MoveLogStart {
        partition: PartitionId,
        offset: i64,
        reply: Reply<()>,
    },
    Copy {
        copies: Vec<CopyOf>,
        reply: Reply<()>,
    },
}

/// A live batch of a file that is being cleaned.
#[derive(Debug)]
pub(crate) struct CopyOf {
    pub(crate) key: EntryKey,
    pub(crate) from: Place,
    pub(crate) batch: Batch,
}

/// A request that changes no batch is taken for this many bytes.
const SMALL_BYTES: usize = 128;
/// Room is counted in units of this many bytes, because a semaphore counts only so far.
const ROOM_UNIT: usize = 1024;
/// Appends of owners take their place at once and so cannot wait; each owner limits its own appends in flight. What
/// all of them may have queued together is this many times what outside writes may have, and one append more.
const OWNERS_FACTOR: usize = 8;

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    /// Wakes the committer.
    arrived: Notify,
    room: Arc<Semaphore>,
    bytes_max: usize,
    append_bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: VecDeque<Request>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize, append_bytes_max: usize) -> Self {
        let room = Arc::new(Semaphore::new(bytes_max.div_ceil(ROOM_UNIT)));
        Self {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            room,
            bytes_max,
            append_bytes_max,
        }
    }

    /// Waits until outside writes of `bytes` have room. Who wants more than there is waits for all of it.
    pub(crate) async fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let units = bytes.min(self.bytes_max).div_ceil(ROOM_UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        Arc::clone(&self.room)
            .acquire_many_owned(units)
            .await
            .map_err(|_| Error::Closed)
    }

    /// Gives a request its place.
    pub(crate) fn push(&self, request: Request) -> Result<(), Error> {
        let mut waiting = self.waiting();
        if waiting.closed {
            return Err(Error::Closed);
        }
        let bytes = request.bytes();
        if let Request::Append { append, .. } = &request {
            if bytes > self.append_bytes_max {
                return Err(Error::WriteTooLarge {
                    bytes,
                    max: self.append_bytes_max,
                });
            }
            let all_max = self.bytes_max.saturating_mul(OWNERS_FACTOR);
            if waiting.bytes > all_max {
                return Err(Error::QueueFull {
                    owner: append.owner.clone(),
                });
            }
        }
        waiting.bytes += bytes;
        waiting.requests.push_back(request);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes requests until they hold `bytes_max`, one at least if there is one.
    pub(crate) fn take(&self, bytes_max: usize) -> Vec<Request> {
        let mut waiting = self.waiting();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(request) = waiting.requests.front() {
            bytes += request.bytes();
            if bytes > bytes_max && !taken.is_empty() {
                break;
            }
            waiting.bytes -= request.bytes();
            taken.extend(waiting.requests.pop_front());
        }
        taken
    }

    /// Completes when a request arrived, or the queue was closed, since the last call.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Takes no more requests; those that wait are still answered.
    pub(crate) fn close(&self) {
        self.waiting().closed = true;
        self.room.close();
        self.arrived.notify_one();
    }

    /// Whether nothing waits and nothing can come.
    pub(crate) fn is_finished(&self) -> bool {
        let waiting = self.waiting();
        waiting.closed && waiting.requests.is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { append, .. } => append.bytes() + SMALL_BYTES,
            Self::Produce { batch, .. } => batch.bytes().len(),
            Self::Copy { copies, .. } => copies.iter().map(|copy| copy.batch.bytes().len()).sum(),
            _ => SMALL_BYTES,
        }
    }

    /// Answers with an error.
    pub(crate) fn refuse(self, error: Error) {
        // Whoever asked may have gone.
        match self {
            Self::Append { reply, .. } | Self::DeleteTopic { reply, .. } => {
                reply.send(Err(error)).ok()
            }
            Self::MoveLogStart { reply, .. } | Self::Copy { reply, .. } => {
                reply.send(Err(error)).ok()
            }
            Self::Raise { reply, .. } => reply.send(Err(error)).map_err(drop).ok(),
            Self::Produce { reply, .. } => reply.send(Err(error)).map_err(drop).ok(),
            Self::CreateTopic { reply, .. } => reply.send(Err(error)).map_err(drop).ok(),
            Self::InitProducerId { reply } => reply.send(Err(error)).map_err(drop).ok(),
        };
    }
}
