//! Turns requests into items of a frame: checks them against everything queued before, and gives out offsets.
//!
//! Invariant: a request is planned wholly or not at all, and in the order of the queue (invariants 4 and 5).

use std::collections::HashMap;

use bytes::Bytes;
use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::port::{Expect, Generation, Move, Owner};
use uuid::Uuid;

use crate::batch::{self, Batch};
use crate::error::Error;
use crate::journal::{Item, Placed};
use crate::log::Append;
use crate::queue::{CopyOf, Reply, Request};
use crate::shared::Shared;
use crate::state::{Change, PartitionId, Sequence, State, TopicState};
use crate::topics::{NewTopic, Produced, ProducerId, Topic, TopicSettings};

/// Sends the answer to one request, once it is known how its write went.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// The state with everything that was queued so far.
#[derive(Debug)]
pub(crate) struct Planner {
    state: State,
    /// Generations of which an append failed: later ones would be out of order.
    ended: HashMap<Owner, Generation>,
    /// Values that moves of the current group set, not yet to be found in the view.
    moved: HashMap<(PartitionId, Bytes), Option<Bytes>>,
}

/// What one request comes to.
pub(crate) struct Planned {
    pub(crate) items: Vec<Item>,
    pub(crate) answer: Answer,
    /// Whose append it is.
    pub(crate) owner: Option<(Owner, Generation)>,
    /// Whether it may be answered before it is synced.
    pub(crate) outside: bool,
}

impl Planner {
    pub(crate) fn new(state: State) -> Self {
        Self {
            state,
            ended: HashMap::new(),
            moved: HashMap::new(),
        }
    }

    /// Begins a group: what was planned before is in the view now.
    pub(crate) fn begin_group(&mut self) {
        self.moved.clear();
    }

    /// Falls back to what was written, after a write that failed and was undone.
    pub(crate) fn reset<'a>(&mut self, state: State, written: impl Iterator<Item = &'a Item>) {
        self.state = state;
        self.moved.clear();
        written.for_each(|item| self.apply(item));
    }

    /// No append of this generation is accepted any more.
    pub(crate) fn end_generation(&mut self, owner: Owner, generation: Generation) {
        self.ended.insert(owner, generation);
    }

    pub(crate) fn plan(&mut self, request: Request, shared: &Shared) -> Planned {
        let mut items = Vec::new();
        let mut owner = None;
        let mut outside = false;
        let answer = match request {
            Request::Append {
                append,
                timestamp,
                reply,
            } => {
                owner = Some((append.owner.clone(), append.generation));
                answer(
                    reply,
                    self.plan_append(*append, timestamp, shared, &mut items),
                )
            }
            Request::Raise { owners, reply } => {
                answer(reply, Ok(self.plan_raise(owners, &mut items)))
            }
            Request::Produce {
                partition,
                batch,
                reply,
                room,
            } => {
                outside = true;
                let planned = self.plan_produce(&partition, batch, &mut items);
                let answer = answer(reply, planned);
                Box::new(move |written| {
                    answer(written);
                    drop(room);
                })
            }
            Request::CreateTopic { topic, id, reply } => answer(
                reply,
                self.plan_create(topic, id, shared.config.num_partitions, &mut items),
            ),
            Request::DeleteTopic { name, reply } => {
                answer(reply, self.plan_delete(name, &mut items))
            }
            Request::InitProducerId { reply } => {
                answer(reply, Ok(self.plan_producer_id(&mut items)))
            }
            Request::MoveLogStart {
                partition,
                offset,
                reply,
            } => {
                // The topic may have been deleted since somebody looked.
                if self.state.partitions.contains_key(&partition) {
                    self.push(
                        Item::Change(Change::LogStart { partition, offset }),
                        &mut items,
                    );
                }
                answer(reply, Ok(()))
            }
            Request::Copy { copies, reply } => {
                answer(reply, plan_copies(copies, shared, &mut items))
            }
        };
        Planned {
            items,
            answer,
            owner,
            outside,
        }
    }

    fn plan_append(
        &mut self,
        append: Append,
        timestamp: i64,
        shared: &Shared,
        items: &mut Vec<Item>,
    ) -> Result<(), Error> {
        let (owner, generation) = (append.owner.clone(), append.generation);
        self.state.check_generation(&owner, generation)?;
        if self.ended.get(&owner) == Some(&generation) {
            return Err(Error::GenerationEnded {
                owner: owner.clone(),
                generation,
            });
        }
        let checked = self.check_append(&append, shared);
        if checked.is_err() {
            self.end_generation(owner, generation);
        }
        checked?;
        for (partition, batch) in append.batches {
            let partition = self.state.partition_id(&partition).expect("it was checked");
            self.push_batch(partition, batch, items);
        }
        for moved in append.moves {
            self.push_move(moved, timestamp, items);
        }
        if let Some(group) = append.group {
            self.push(Item::Change(Change::GroupOffsets(group)), items);
        }
        Ok(())
    }

    fn check_append(&self, append: &Append, shared: &Shared) -> Result<(), Error> {
        for (partition, batch) in &append.batches {
            let id = self.state.partition_id(partition)?;
            let max = self
                .state
                .topic(&partition.topic)?
                .settings
                .max_message_bytes;
            check_size(batch, max)?;
            if self.state.partition(id).compacted {
                batch.keyed_record()?;
            }
        }
        // A move of a key that an earlier move of the same append sets starts from there.
        let mut set: HashMap<(&TopicName, &Bytes), Option<Bytes>> = HashMap::new();
        for Move {
            topic,
            key,
            from,
            to,
            ..
        } in &append.moves
        {
            if !topic.is_internal() {
                return Err(Error::NotCompacted(topic.clone()));
            }
            let holds = || match set.get(&(topic, key)) {
                Some(value) => Ok(value.clone()),
                None => self.current(topic, key, shared),
            };
            let stands = match from {
                Expect::Any => true,
                Expect::Absent => holds()?.is_none(),
                Expect::Value(value) => holds()?.as_ref() == Some(value),
            };
            if !stands {
                return Err(Error::PositionMoved {
                    owner: append.owner.clone(),
                    key: key.clone(),
                });
            }
            set.insert((topic, key), to.clone());
        }
        self.check_group(append)
    }

    /// A group's offset names a place in one life of a topic (invariant 2). One beyond the end, with what the append
    /// itself brings, belongs to another life for certain.
    fn check_group(&self, append: &Append) -> Result<(), Error> {
        for (partition, offset) in append.group.iter().flat_map(|group| &group.offsets) {
            let id = self.state.partition_id(partition)?;
            let brought = append.batches.iter().filter(|(to, _)| to == partition);
            let brought: i64 = brought.map(|(_, batch)| batch.fields().n_offsets()).sum();
            let end = self.state.partition(id).next_offset + brought;
            if *offset > end {
                return Err(Error::GroupOffsetBeyondEnd {
                    partition: partition.clone(),
                    offset: *offset,
                    end,
                });
            }
        }
        Ok(())
    }

    /// What a key holds after everything that was queued.
    fn current(
        &self,
        topic: &TopicName,
        key: &Bytes,
        shared: &Shared,
    ) -> Result<Option<Bytes>, Error> {
        let Ok(topic) = self.state.topic(topic) else {
            return Ok(None);
        };
        if let Some(value) = self.moved.get(&(topic.first_partition, key.clone())) {
            return Ok(value.clone());
        }
        Ok(shared
            .latest(topic.first_partition, key)?
            .and_then(|record| record.value))
    }

    fn push_move(&mut self, moved: Move, timestamp: i64, items: &mut Vec<Item>) {
        let Move {
            topic: name,
            key,
            to,
            headers,
            ..
        } = moved;
        if self.state.topic(&name).is_err() {
            // Positions have somewhere to go from the first append on.
            let topic = self.new_topic(TopicSettings::internal(), Uuid::new_v4(), 1);
            self.push(
                Item::Change(Change::TopicCreated {
                    name: name.clone(),
                    topic,
                }),
                items,
            );
        }
        let partition = self
            .state
            .topic(&name)
            .expect("it was created")
            .first_partition;
        let batch = batch::keyed(timestamp, &key, to.as_deref(), &headers);
        self.push_batch(partition, batch, items);
        self.moved.insert((partition, key), to);
    }

    fn plan_raise(&mut self, owners: Vec<Owner>, items: &mut Vec<Item>) -> Generation {
        let generation = self.state.next_generation();
        for owner in &owners {
            self.ended.remove(owner);
        }
        self.push(
            Item::Change(Change::Generation { owners, generation }),
            items,
        );
        generation
    }

    fn plan_produce(
        &mut self,
        partition: &TopicPartition,
        batch: Batch,
        items: &mut Vec<Item>,
    ) -> Result<Produced, Error> {
        let id = self.state.partition_id(partition)?;
        let max = self
            .state
            .topic(&partition.topic)?
            .settings
            .max_message_bytes;
        let log_start = self.state.partition(id).log_start;
        check_size(&batch, max)?;
        let sequence = match batch.fields().producer_id {
            0.. => self.state.producers.check(id, batch.fields())?,
            _ => Sequence::Next,
        };
        let base_offset = match sequence {
            Sequence::Next => self.push_batch(id, batch, items),
            Sequence::Duplicate { base_offset } => base_offset,
        };
        Ok(Produced {
            base_offset,
            log_start,
        })
    }

    fn plan_create(
        &mut self,
        topic: NewTopic,
        id: Uuid,
        num_partitions: u32,
        items: &mut Vec<Item>,
    ) -> Result<Topic, Error> {
        let NewTopic {
            name,
            partitions,
            configs,
        } = topic;
        if self.state.topic(&name).is_ok() {
            return Err(Error::TopicExists(name));
        }
        let settings = TopicSettings::parse(&name, &configs)?;
        let n_partitions = settings.count_partitions(partitions, num_partitions)?;
        self.state.check_room(n_partitions)?;
        let topic = TopicState {
            configs,
            ..self.new_topic(settings, id, n_partitions)
        };
        let described = topic.describe(&name);
        self.push(Item::Change(Change::TopicCreated { name, topic }), items);
        Ok(described)
    }

    fn new_topic(&self, settings: TopicSettings, id: Uuid, n_partitions: u32) -> TopicState {
        let first_partition = self.state.next_partition();
        TopicState {
            id,
            first_partition,
            n_partitions,
            configs: std::collections::BTreeMap::new(),
            settings,
        }
    }

    fn plan_delete(&mut self, name: TopicName, items: &mut Vec<Item>) -> Result<(), Error> {
        self.state.topic(&name)?;
        self.push(Item::Change(Change::TopicDeleted { name }), items);
        Ok(())
    }

    fn plan_producer_id(&mut self, items: &mut Vec<Item>) -> ProducerId {
        let id = self.state.next_producer_id;
        self.push(Item::Change(Change::ProducerIds { next: id + 1 }), items);
        ProducerId { id, epoch: 0 }
    }

    fn push_batch(&mut self, partition: PartitionId, batch: Batch, items: &mut Vec<Item>) -> i64 {
        let base_offset = self.state.partition(partition).next_offset;
        self.push(
            Item::Batch(Placed {
                partition,
                base_offset,
                batch,
            }),
            items,
        );
        base_offset
    }

    fn push(&mut self, item: Item, items: &mut Vec<Item>) {
        self.apply(&item);
        items.push(item);
    }

    fn apply(&mut self, item: &Item) {
        match item {
            Item::Batch(placed) => {
                self.state
                    .apply_batch(placed.partition, placed.base_offset, placed.batch.fields());
            }
            Item::Copy(_) => {}
            Item::Change(change) => self.state.apply(change),
        }
    }
}

/// Copies what still lies where the cleaner found it. A copy of a record that was superseded must not reach a later
/// file than what superseded it: a rebuild would find the dead one alone one day.
fn plan_copies(copies: Vec<CopyOf>, shared: &Shared, items: &mut Vec<Item>) -> Result<(), Error> {
    let view = shared.view();
    for CopyOf { key, from, batch } in copies {
        if view.is_at(key, from)? {
            items.push(Item::Copy(Placed {
                partition: key.partition,
                base_offset: key.offset,
                batch,
            }));
        }
    }
    Ok(())
}

pub(crate) fn check_size(batch: &Batch, max: usize) -> Result<(), Error> {
    let bytes = batch.bytes().len();
    if bytes > max {
        Err(Error::BatchTooLarge { bytes, max })
    } else {
        Ok(())
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, planned: Result<T, Error>) -> Answer {
    Box::new(move |written| {
        // Whoever asked may have gone.
        reply
            .send(planned.and_then(|answer| written.map(|()| answer)))
            .ok();
    })
}
