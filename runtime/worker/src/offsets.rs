//! Where the tasks of a connector go on from.

use longshore_model::{ConnectorName, SourcePosition, TopicName};
use longshore_pipeline::delivery::{OFFSETS_TOPIC, stored_positions};
use longshore_pipeline::port::{Broker, BrokerError, BrokerResult, NewTopic};

/// Creates the offsets topic where it is missing.
pub(crate) async fn create_offsets_topic<B: Broker>(broker: &B) -> BrokerResult<()> {
    let topic = NewTopic {
        name: offsets_topic(),
        partitions: Some(1),
        configs: std::collections::BTreeMap::new(),
    };
    match broker.create_topic(topic).await {
        Ok(_) | Err(BrokerError::TopicExists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The stored positions of a source connector. Read after the generation was raised, so that
/// nothing of an earlier one can still change them (invariant 2).
pub(crate) async fn positions<B: Broker>(
    broker: &B,
    connector: &ConnectorName,
) -> BrokerResult<Vec<SourcePosition>> {
    let records = broker.replay(&offsets_topic()).await?;
    Ok(stored_positions(connector, &records))
}

fn offsets_topic() -> TopicName {
    TopicName::parse(OFFSETS_TOPIC).expect("names of internal topics are legal")
}
