//! Reading.

use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ListOffsetsRequest};
use kafka_protocol::protocol::StrBytes;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::batch::{base_offset, batch, batch_at, sent_part};
use crate::client::Client;
use crate::produce::write;
use crate::rig::{NOW_MS, Rig};

/// Longer than any answer may take, and shorter than the waits that clients ask for here.
const SOON: Duration = Duration::from_secs(20);

/// Asks for these partitions from these offsets on, with limits that are out of the way, and without waiting.
fn request(topic: &str, from: &[(i32, i64)]) -> FetchRequest {
    let partition = |(index, offset): &(i32, i64)| {
        FetchPartition::default()
            .with_partition(*index)
            .with_fetch_offset(*offset)
            .with_partition_max_bytes(1 << 20)
    };
    let asked = FetchTopic::default()
        .with_topic(StrBytes::from_string(topic.to_owned()).into())
        .with_partitions(from.iter().map(partition).collect());
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_topics(vec![asked])
}

fn by_id(mut request: FetchRequest, id: Uuid) -> FetchRequest {
    request.topics[0].topic = StrBytes::default().into();
    request.topics[0].topic_id = id;
    request
}

pub(crate) async fn fetch(
    client: &mut Client,
    topic: &str,
    partition: i32,
    offset: i64,
) -> PartitionData {
    let answer = client
        .call(request(topic, &[(partition, offset)]), 11)
        .await;
    answer.responses[0].partitions[0].clone()
}

fn lens(answer: &FetchResponse) -> Vec<usize> {
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|p| p.records.as_ref().unwrap().len())
        .collect()
}

#[tokio::test]
async fn every_version_and_isolation_level_reads_the_same_bytes() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let topic = rig.topic("orders", 1).await;
    let sent = batch(&["a", "b", "c"]);
    write(&mut client, "orders", 0, sent.clone()).await;
    for version in 4..=17 {
        for isolation_level in [0, 1] {
            let mut asked = request("orders", &[(0, 0)]).with_isolation_level(isolation_level);
            if version >= 13 {
                asked = by_id(asked, topic.id);
            }
            let answer = client.call(asked, version).await;
            assert_eq!((answer.error_code, answer.session_id), (0, 0), "{version}");
            let read = &answer.responses[0].partitions[0];
            assert_eq!(read.error_code, 0, "{version}");
            assert_eq!((read.high_watermark, read.last_stable_offset), (3, 3));
            assert_eq!(read.log_start_offset, if version >= 5 { 0 } else { -1 });
            assert_eq!(sent_part(read.records.as_ref().unwrap()), sent_part(&sent));
        }
    }
}

#[tokio::test]
async fn a_fetch_from_the_middle_begins_with_the_batch_that_holds_the_offset() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    write(&mut client, "orders", 0, batch(&["a", "b"])).await;
    write(&mut client, "orders", 0, batch(&["c", "d"])).await;
    let read = fetch(&mut client, "orders", 0, 3).await;
    assert_eq!(base_offset(&read.records.unwrap()), 2);
}

#[tokio::test]
async fn partitions_of_several_topics_are_answered_each_in_its_place() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let mut asked = request("a", &[(1, 0), (0, 0)]);
    asked.topics.extend(request("b", &[(0, 0)]).topics);
    asked.topics.extend(request("a", &[(0, 1)]).topics);
    rig.topic("a", 2).await;
    rig.topic("b", 1).await;
    write(&mut client, "a", 0, batch(&["1", "22"])).await;
    write(&mut client, "a", 1, batch(&["333"])).await;
    write(&mut client, "b", 0, batch(&["4444"])).await;
    let answer = client.call(asked, 11).await;
    let in_place = answer.responses.iter().flat_map(|topic| {
        let place =
            |p: &PartitionData| (topic.topic.to_string(), p.partition_index, p.high_watermark);
        topic.partitions.iter().map(place).collect::<Vec<_>>()
    });
    let expected = [("a", 1, 1), ("a", 0, 2), ("b", 0, 1), ("a", 0, 2)];
    let expected = expected.map(|(topic, index, end)| (topic.to_owned(), index, end));
    assert_eq!(in_place.collect::<Vec<_>>(), expected);
    let sizes = [
        batch(&["333"]),
        batch(&["1", "22"]),
        batch(&["4444"]),
        batch(&["1", "22"]),
    ];
    assert_eq!(lens(&answer), sizes.map(|batch| batch.len()));
}

#[tokio::test]
async fn a_waiting_fetch_is_answered_when_something_is_written() {
    let rig = Rig::start().await;
    let mut reader = rig.client().await;
    let mut writer = rig.client().await;
    rig.topic("orders", 2).await;
    let asked = request("orders", &[(0, 0), (1, 0)]).with_max_wait_ms(60_000);
    reader.send(asked, 11).await;
    write(&mut writer, "orders", 1, batch(&["a"])).await;
    let answer = timeout(SOON, reader.receive::<FetchRequest>(11)).await;
    let (_, answer) = answer.expect("answered long before its time is up");
    assert_eq!(lens(&answer)[0], 0);
    assert!(lens(&answer)[1] > 0);
}

#[tokio::test]
async fn a_waiting_fetch_is_answered_with_nothing_when_its_time_is_up() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    let begun = Instant::now();
    let asked = request("orders", &[(0, 0)]).with_max_wait_ms(100);
    let answer = client.call(asked, 11).await;
    assert!(begun.elapsed() >= Duration::from_millis(100));
    assert_eq!(lens(&answer), [0]);
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 0);
}

#[tokio::test]
async fn a_fetch_that_wants_more_waits_for_more() {
    let rig = Rig::start().await;
    let mut reader = rig.client().await;
    let mut writer = rig.client().await;
    rig.topic("orders", 1).await;
    let one = batch(&["a"]);
    write(&mut writer, "orders", 0, one.clone()).await;
    let three = i32::try_from(3 * one.len()).unwrap();
    let asked = request("orders", &[(0, 0)])
        .with_max_wait_ms(16_000)
        .with_min_bytes(three);
    reader.send(asked, 11).await;
    write(&mut writer, "orders", 0, one.clone()).await;
    write(&mut writer, "orders", 0, one.clone()).await;
    let answer = timeout(Duration::from_secs(12), reader.receive::<FetchRequest>(11)).await;
    let (_, answer) = answer.expect("answered before its time is up");
    assert_eq!(lens(&answer), [3 * one.len()]);
}

#[tokio::test]
async fn limits_in_bytes_hold_for_all_but_the_first_batch() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 3).await;
    let one = batch(&["a"]);
    for partition in [0, 1, 2] {
        for _ in 0..3 {
            write(&mut client, "orders", partition, one.clone()).await;
        }
    }
    let all = request("orders", &[(0, 0), (1, 0), (2, 0)]);
    let bytes = |n: usize| i32::try_from(n * one.len()).unwrap();
    for (max_bytes, partition_max_bytes, expected) in [
        (0, 0, [1, 0, 0]),
        (-1, -1, [1, 0, 0]),
        (bytes(1), bytes(3), [1, 0, 0]),
        (bytes(4), bytes(3), [3, 1, 0]),
        (bytes(5), bytes(2), [2, 2, 1]),
        (bytes(9), bytes(3), [3, 3, 3]),
    ] {
        let mut asked = all.clone().with_max_bytes(max_bytes);
        for partition in &mut asked.topics[0].partitions {
            partition.partition_max_bytes = partition_max_bytes;
        }
        let answer = client.call(asked, 11).await;
        assert_eq!(
            lens(&answer),
            expected.map(|n| n * one.len()),
            "{max_bytes}, {partition_max_bytes}"
        );
    }
}

#[tokio::test]
async fn the_brokers_own_limit_bounds_a_fetch() {
    let one = batch(&["a"]);
    let bytes_max = 2 * one.len();
    let rig = Rig::with(|config| config.fetch_bytes_max = bytes_max).await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    for _ in 0..3 {
        write(&mut client, "orders", 0, one.clone()).await;
    }
    let read = fetch(&mut client, "orders", 0, 0).await;
    assert_eq!(read.records.unwrap().len(), bytes_max);
}

#[tokio::test]
async fn what_cannot_be_fetched_is_answered_at_once_with_its_code() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    write(&mut client, "orders", 0, batch(&["a"])).await;
    for (topic, partition, offset, code) in [
        ("orders", 0, 2, ResponseError::OffsetOutOfRange),
        ("orders", 0, -1, ResponseError::OffsetOutOfRange),
        ("orders", 1, 0, ResponseError::UnknownTopicOrPartition),
        ("orders", -1, 0, ResponseError::UnknownTopicOrPartition),
        ("missing", 0, 0, ResponseError::UnknownTopicOrPartition),
        ("not/a/topic", 0, 0, ResponseError::UnknownTopicOrPartition),
    ] {
        let asked = request(topic, &[(partition, offset)]).with_max_wait_ms(60_000);
        let answer = timeout(SOON, client.call(asked, 11))
            .await
            .expect("at once");
        let read = &answer.responses[0].partitions[0];
        assert_eq!(
            (read.error_code, read.high_watermark),
            (code.code(), -1),
            "{topic}"
        );
    }
    let asked = by_id(request("", &[(0, 0)]), Uuid::from_u128(1));
    let answer = client.call(asked, 13).await;
    let code = ResponseError::UnknownTopicId.code();
    assert_eq!(answer.responses[0].partitions[0].error_code, code);
    let asked = request("orders", &[(0, 0)]).with_session_id(7);
    let answer = client.call(asked, 11).await;
    assert_eq!(
        answer.error_code,
        ResponseError::FetchSessionIdNotFound.code()
    );
}

#[tokio::test]
async fn offsets_are_listed_by_place_and_by_time_in_every_version() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("orders", 1).await;
    write(&mut client, "orders", 0, batch_at(NOW_MS, &["a", "b"])).await;
    write(&mut client, "orders", 0, batch_at(NOW_MS + 50, &["c"])).await;
    write(&mut client, "orders", 0, batch_at(NOW_MS + 20, &["d"])).await;
    for version in 1..=10 {
        for (timestamp, offset, found) in [
            (-1, 4, -1),
            (-2, 0, -1),
            (0, 0, NOW_MS),
            (NOW_MS + 1, 1, NOW_MS + 1),
            (NOW_MS + 2, 2, NOW_MS + 50),
            (NOW_MS + 51, -1, -1),
            (-3, 2, NOW_MS + 50),
            (-4, 0, -1),
            (-5, -1, -1),
        ] {
            let listed = list(&mut client, "orders", 0, timestamp, version).await;
            assert_eq!(
                listed,
                Ok((offset, found)),
                "{timestamp}, version {version}"
            );
        }
    }
    let unknown = Err(ResponseError::UnknownTopicOrPartition.code());
    for timestamp in [-1, -5] {
        assert_eq!(list(&mut client, "missing", 0, timestamp, 5).await, unknown);
        assert_eq!(list(&mut client, "orders", 1, timestamp, 5).await, unknown);
    }
    let invalid = Err(ResponseError::InvalidRequest.code());
    assert_eq!(list(&mut client, "orders", 0, -6, 5).await, invalid);
}

async fn list(
    client: &mut Client,
    topic: &str,
    partition: i32,
    timestamp: i64,
    version: i16,
) -> Result<(i64, i64), i16> {
    let asked = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_timestamp(timestamp);
    let asked = ListOffsetsTopic::default()
        .with_name(StrBytes::from_string(topic.to_owned()).into())
        .with_partitions(vec![asked]);
    let request = ListOffsetsRequest::default().with_topics(vec![asked]);
    let answer = client.call(request, version).await;
    match &answer.topics[0].partitions[0] {
        listed if listed.error_code == 0 => Ok((listed.offset, listed.timestamp)),
        refused => Err(refused.error_code),
    }
}
