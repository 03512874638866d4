//! The topics that a connector uses: a broker that notes which topics a task's appends and fetches
//! touch, and passes everything on.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_model::{TopicName, TopicPartition};
use longshore_pipeline::batch::Fetched;
use longshore_pipeline::port::{
    Append, BrokerResult, Fetch, Generation, KeyedRecord, NewTopic, Owner, Subscription,
    TopicDescription, Topics, Write,
};
use tokio::sync::watch;

/// Topics that the tasks of a connector have used.
#[derive(Clone, Debug)]
pub(crate) struct ActiveTopics {
    seen: Arc<Mutex<HashMap<TopicName, u32>>>,
    changed: watch::Sender<u64>,
    /// Dead letters do not count, as in Kafka Connect.
    except: Option<TopicName>,
}

impl ActiveTopics {
    pub(crate) fn new(except: Option<TopicName>) -> Self {
        Self {
            seen: Arc::default(),
            changed: watch::Sender::new(0),
            except,
        }
    }

    /// Changes whenever a topic is used for the first time.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// What was used so far, and by which task first.
    pub(crate) fn seen(&self) -> Vec<(TopicName, u32)> {
        let seen = self.lock();
        seen.iter()
            .map(|(topic, task)| (topic.clone(), *task))
            .collect()
    }

    /// Forgets everything; what is in use comes back with its next record.
    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    fn note(&self, topic: &TopicName, task: u32) {
        if self.except.as_ref() == Some(topic) || self.lock().contains_key(topic) {
            return;
        }
        self.lock().insert(topic.clone(), task);
        self.changed.send_modify(|n| *n += 1);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TopicName, u32>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A broker whose use is noted.
#[derive(Clone, Debug)]
pub(crate) struct Tracked<B> {
    broker: B,
    topics: ActiveTopics,
    task: u32,
}

impl<B> Tracked<B> {
    pub(crate) fn new(broker: B, topics: ActiveTopics, task: u32) -> Self {
        Self {
            broker,
            topics,
            task,
        }
    }
}

impl<B: Append> Append for Tracked<B> {
    fn raise(&self, owners: &[Owner]) -> impl Future<Output = BrokerResult<Generation>> + Send {
        self.broker.raise(owners)
    }

    fn append(&self, write: Write) -> impl Future<Output = BrokerResult<()>> + Send + use<B> {
        for partition in &write.records.partitions {
            self.topics.note(&partition.topic, self.task);
        }
        self.broker.append(write)
    }
}

impl<B: Fetch + Sync> Fetch for Tracked<B> {
    type Subscription = TrackedSubscription<B::Subscription>;

    fn fetch(
        &self,
        partition: &TopicPartition,
        offset: i64,
        max_bytes: usize,
    ) -> impl Future<Output = BrokerResult<Fetched>> + Send {
        self.broker.fetch(partition, offset, max_bytes)
    }

    fn bounds(
        &self,
        partition: &TopicPartition,
    ) -> impl Future<Output = BrokerResult<(i64, i64)>> + Send {
        self.broker.bounds(partition)
    }

    async fn subscribe(
        &self,
        from: Vec<(TopicPartition, i64)>,
    ) -> BrokerResult<Self::Subscription> {
        Ok(TrackedSubscription {
            subscription: self.broker.subscribe(from).await?,
            topics: self.topics.clone(),
            task: self.task,
        })
    }

    fn replay(
        &self,
        topic: &TopicName,
    ) -> impl Future<Output = BrokerResult<Vec<KeyedRecord>>> + Send {
        self.broker.replay(topic)
    }

    fn committed(
        &self,
        group: &str,
        partitions: &[TopicPartition],
    ) -> impl Future<Output = BrokerResult<Vec<Option<i64>>>> + Send {
        self.broker.committed(group, partitions)
    }
}

/// See [`Tracked`].
pub(crate) struct TrackedSubscription<S> {
    subscription: S,
    topics: ActiveTopics,
    task: u32,
}

impl<S: Subscription> Subscription for TrackedSubscription<S> {
    async fn next(&mut self, max_bytes: usize) -> BrokerResult<Fetched> {
        let fetched = self.subscription.next(max_bytes).await?;
        if !fetched.records.is_empty() {
            self.topics.note(&fetched.partition.topic, self.task);
        }
        Ok(fetched)
    }

    fn seek(&mut self, partition: &TopicPartition, offset: i64) {
        self.subscription.seek(partition, offset);
    }

    fn unfollow(&mut self, partition: &TopicPartition) {
        self.subscription.unfollow(partition);
    }
}

impl<B: Topics> Topics for Tracked<B> {
    fn create_topic(
        &self,
        topic: NewTopic,
    ) -> impl Future<Output = BrokerResult<TopicDescription>> + Send {
        self.broker.create_topic(topic)
    }

    fn delete_topic(&self, name: &TopicName) -> impl Future<Output = BrokerResult<()>> + Send {
        self.broker.delete_topic(name)
    }

    fn topic(
        &self,
        name: &TopicName,
    ) -> impl Future<Output = BrokerResult<Option<TopicDescription>>> + Send {
        self.broker.topic(name)
    }

    fn topics(&self) -> impl Future<Output = BrokerResult<Vec<TopicDescription>>> + Send {
        self.broker.topics()
    }

    fn topics_changed(&self) -> watch::Receiver<u64> {
        self.broker.topics_changed()
    }
}
