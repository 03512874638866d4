//! Where the tasks of a connector go on from.

use longshore_model::{ConnectorName, SourcePosition, TopicName};
use longshore_pipeline::batch::Outgoing;
use longshore_pipeline::delivery::{OFFSETS_TOPIC, parse_offset_key, stored_positions};
use longshore_pipeline::port::{
    Broker, BrokerError, BrokerResult, Expect, Generation, KeyedRecord, Move, NewTopic, Owner,
    Write,
};

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

/// Removes every stored position of a connector in one write, under a generation of one of its tasks.
pub(crate) async fn forget_positions<B: Broker>(
    broker: &B,
    connector: &ConnectorName,
    owner: Owner,
    generation: Generation,
) -> BrokerResult<()> {
    let topic = offsets_topic();
    let records = broker.replay(&topic).await?.into_iter();
    let is_its = |record: &KeyedRecord| {
        parse_offset_key(&record.key).is_some_and(|(name, _)| name == connector.as_str())
    };
    let moves: Vec<Move> = records
        .filter(is_its)
        .map(|record| Move {
            topic: topic.clone(),
            key: record.key,
            from: Expect::Any,
            to: None,
            headers: Vec::new(),
        })
        .collect();
    if moves.is_empty() {
        return Ok(());
    }
    let write = Write {
        owner,
        generation,
        records: Outgoing::default(),
        moves,
        group: None,
    };
    broker.append(write).await
}

fn offsets_topic() -> TopicName {
    TopicName::parse(OFFSETS_TOPIC).expect("names of internal topics are legal")
}
