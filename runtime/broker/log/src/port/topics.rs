//! Topic administration.

use std::sync::Arc;

use longshore_model::TopicName;
use longshore_pipeline::port::{BrokerResult, NewTopic, TopicDescription, TopicId, Topics};
use tokio::sync::watch;

use crate::log::Log;
use crate::topics::Topic;

impl Topics for Log {
    async fn create_topic(&self, topic: NewTopic) -> BrokerResult<TopicDescription> {
        let NewTopic {
            name,
            partitions,
            configs,
        } = topic;
        let topic = crate::topics::NewTopic {
            name,
            partitions,
            configs,
        };
        Ok(describe(Self::create_topic(self, topic).await?))
    }

    async fn delete_topic(&self, name: &TopicName) -> BrokerResult<()> {
        Ok(Self::delete_topic(self, name).await?)
    }

    async fn topic(&self, name: &TopicName) -> BrokerResult<Option<TopicDescription>> {
        Ok(Self::topic(self, name).map(describe))
    }

    async fn topics(&self) -> BrokerResult<Vec<TopicDescription>> {
        Ok(Self::topics(self).into_iter().map(describe).collect())
    }

    fn topics_changed(&self) -> watch::Receiver<u64> {
        Self::topics_changed(self)
    }
}

fn describe(topic: Topic) -> TopicDescription {
    let Topic {
        name,
        id,
        n_partitions,
        configs,
        ..
    } = topic;
    TopicDescription {
        name,
        id: TopicId(Arc::from(id.to_string())),
        partitions: n_partitions,
        configs,
    }
}
