//! Writing.

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{InitProducerIdRequest, MetadataRequest, ProduceRequest};
use kafka_protocol::protocol::StrBytes;
use longshore_log::Topic;

use crate::batch::{
    base_offset, batch, compressed, mislabelled, numbered, old_format, sent_part,
    with_wrong_checksum,
};
use crate::client::Client;
use crate::consume::fetch;
use crate::rig::Rig;

const ALL: i16 = -1;

/// A request with the batches of these partitions.
pub(crate) fn produce(topic: &str, batches: &[(i32, Bytes)]) -> ProduceRequest {
    let partition = |(index, batch): &(i32, Bytes)| {
        PartitionProduceData::default()
            .with_index(*index)
            .with_records(Some(batch.clone()))
    };
    let data = TopicProduceData::default()
        .with_name(StrBytes::from_string(topic.to_owned()).into())
        .with_partition_data(batches.iter().map(partition).collect());
    ProduceRequest::default()
        .with_acks(ALL)
        .with_timeout_ms(1_000)
        .with_topic_data(vec![data])
}

/// Writes one batch and returns what became of it.
pub(crate) async fn write(
    client: &mut Client,
    topic: &str,
    partition: i32,
    batch: Bytes,
) -> PartitionProduceResponse {
    let answer = client.call(produce(topic, &[(partition, batch)]), 9).await;
    answer.responses[0].partition_responses[0].clone()
}

fn by_id(mut request: ProduceRequest, topic: &Topic) -> ProduceRequest {
    request.topic_data[0].name = StrBytes::default().into();
    request.topic_data[0].topic_id = topic.id;
    request
}

#[tokio::test]
async fn a_batch_comes_back_byte_for_byte_in_every_version_and_codec() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let topic = rig.topic("orders", 1).await;
    let mut offset = 0;
    for version in 3..=13 {
        for codec in 0..=4 {
            let batch = compressed(codec);
            let mut request = produce("orders", &[(0, batch.clone())]);
            if version >= 13 {
                request = by_id(request, &topic);
            }
            let answer = client.call(request, version).await;
            let written = &answer.responses[0].partition_responses[0];
            assert_eq!(
                (written.error_code, written.base_offset),
                (0, offset),
                "{version}"
            );
            let fetched = fetch(&mut client, "orders", 0, offset).await;
            let records = fetched.records.unwrap();
            assert_eq!(base_offset(&records), offset);
            assert_eq!(sent_part(&records), sent_part(&batch), "{version}, {codec}");
            offset += 1;
        }
    }
}

#[tokio::test]
async fn partitions_of_one_request_succeed_and_fail_apart() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 2).await;
    let batches = [
        (1, batch(&["a", "b"])),
        (2, batch(&["nowhere"])),
        (-1, batch(&["nowhere"])),
        (0, batch(&["c"])),
    ];
    let mut request = produce("orders", &batches);
    request
        .topic_data
        .extend(produce("missing", &batches[..1]).topic_data);
    let answer = client.call(request, 8).await;
    let codes = |topic: usize| -> Vec<_> {
        let partitions = &answer.responses[topic].partition_responses;
        partitions
            .iter()
            .map(|p| (p.index, p.error_code, p.base_offset))
            .collect()
    };
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    assert_eq!(
        codes(0),
        [(1, 0, 0), (2, unknown, -1), (-1, unknown, -1), (0, 0, 0)]
    );
    assert_eq!(codes(1), [(1, unknown, -1)]);
}

#[tokio::test]
async fn what_is_not_taken_is_refused_with_kafkas_code_and_a_sentence() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic_with("orders", 1, &[("max.message.bytes", "100")])
        .await;
    rig.topic("_longshore_status", 1).await;
    let big = "x".repeat(100);
    let flipped = mislabelled(5);
    for (topic, batch, code) in [
        (
            "_longshore_status",
            batch(&["a"]),
            ResponseError::TopicAuthorizationFailed,
        ),
        (
            "not/a/topic",
            batch(&["a"]),
            ResponseError::UnknownTopicOrPartition,
        ),
        ("orders", batch(&[&big]), ResponseError::MessageTooLarge),
        (
            "orders",
            old_format(0),
            ResponseError::UnsupportedForMessageFormat,
        ),
        (
            "orders",
            old_format(1),
            ResponseError::UnsupportedForMessageFormat,
        ),
        (
            "orders",
            with_wrong_checksum(),
            ResponseError::CorruptMessage,
        ),
        (
            "orders",
            batch(&["cut"]).slice(..70),
            ResponseError::CorruptMessage,
        ),
        ("orders", Bytes::new(), ResponseError::CorruptMessage),
        ("orders", flipped, ResponseError::UnsupportedCompressionType),
        ("orders", mislabelled(1), ResponseError::InvalidRecord),
    ] {
        let refused = write(&mut client, topic, 0, batch).await;
        assert_eq!(refused.error_code, code.code(), "{topic}: {code}");
        assert_eq!(refused.base_offset, -1);
        if topic != "not/a/topic" {
            assert!(
                refused
                    .error_message
                    .is_some_and(|message| !message.is_empty()),
                "{code}"
            );
        }
    }
    assert_eq!(
        write(&mut client, "orders", 0, batch(&["a"]))
            .await
            .base_offset,
        0
    );
}

#[tokio::test]
async fn transactions_and_unknown_acknowledgements_are_refused() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    let request = produce("orders", &[(0, batch(&["a"]))]);
    let transactional = request
        .clone()
        .with_transactional_id(Some(StrBytes::from_static_str("tx").into()));
    for (request, code) in [
        (
            transactional,
            ResponseError::TransactionalIdAuthorizationFailed,
        ),
        (request.with_acks(2), ResponseError::InvalidRequiredAcks),
    ] {
        let answer = client.call(request, 9).await;
        assert_eq!(
            answer.responses[0].partition_responses[0].error_code,
            code.code()
        );
    }
    let topic = rig.log.topic(&rig.log.topics()[0].name).unwrap();
    let partition = longshore_model::TopicPartition {
        topic: topic.name,
        partition: 0,
    };
    assert_eq!(rig.log.bounds(&partition).unwrap(), (0, 0));
}

#[tokio::test]
async fn a_write_without_acknowledgement_is_not_answered_and_its_failure_ends_the_connection() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    let request = produce("orders", &[(0, batch(&["a"]))]).with_acks(0);
    client.send(request, 9).await;
    // The next answer is the one to the next request.
    assert_eq!(
        write(&mut client, "orders", 0, batch(&["b"]))
            .await
            .base_offset,
        1
    );
    let request = produce("missing", &[(0, batch(&["a"]))]).with_acks(0);
    client.send(request, 9).await;
    client.closed().await;
}

#[tokio::test]
async fn an_idempotent_producer_writes_each_batch_once_and_in_order() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    let given = client
        .call(
            InitProducerIdRequest::default().with_transactional_id(None),
            4,
        )
        .await;
    assert_eq!(given.error_code, 0);
    let id = i64::from(given.producer_id);
    let first = numbered(&["a", "b"], id, 0, 0);
    for _ in 0..2 {
        let written = write(&mut client, "orders", 0, first.clone()).await;
        assert_eq!((written.error_code, written.base_offset), (0, 0));
    }
    let gap = write(&mut client, "orders", 0, numbered(&["d"], id, 0, 3)).await;
    assert_eq!(
        gap.error_code,
        ResponseError::OutOfOrderSequenceNumber.code()
    );
    let next = write(&mut client, "orders", 0, numbered(&["c"], id, 0, 2)).await;
    assert_eq!((next.error_code, next.base_offset), (0, 2));
    let newer = write(&mut client, "orders", 0, numbered(&["d"], id, 1, 0)).await;
    assert_eq!((newer.error_code, newer.base_offset), (0, 3));
    let older = write(&mut client, "orders", 0, numbered(&["e"], id, 0, 3)).await;
    assert_eq!(older.error_code, ResponseError::InvalidProducerEpoch.code());
}

#[tokio::test]
async fn producer_ids_are_handed_out_once_in_every_version_and_not_for_transactions() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let mut seen = std::collections::BTreeSet::new();
    for version in 0..=5 {
        let request = InitProducerIdRequest::default().with_transactional_id(None);
        let given = client.call(request.clone(), version).await;
        assert_eq!(
            (given.error_code, given.producer_epoch),
            (0, 0),
            "{version}"
        );
        assert!(seen.insert(i64::from(given.producer_id)), "{version}");
        let transactional =
            request.with_transactional_id(Some(StrBytes::from_static_str("tx").into()));
        let refused = client.call(transactional, version).await;
        let code = ResponseError::TransactionalIdAuthorizationFailed.code();
        assert_eq!(
            (refused.error_code, i64::from(refused.producer_id)),
            (code, -1)
        );
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_written_in_order() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    let mut ids = Vec::new();
    for round in 0..100 {
        let value = format!("{round}");
        ids.push(
            client
                .send(produce("orders", &[(0, batch(&[&value]))]), 9)
                .await,
        );
        if round % 10 == 9 {
            ids.push(
                client
                    .send(MetadataRequest::default().with_topics(None), 9)
                    .await,
            );
        }
    }
    let mut answered = ids.into_iter();
    for round in 0..100 {
        let (id, answer) = client.receive::<ProduceRequest>(9).await;
        assert_eq!(Some(id), answered.next());
        assert_eq!(
            answer.responses[0].partition_responses[0].base_offset,
            round
        );
        if round % 10 == 9 {
            let (id, _) = client.receive::<MetadataRequest>(9).await;
            assert_eq!(Some(id), answered.next());
        }
    }
}
