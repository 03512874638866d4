//! Connections: what is offered, what ends them, and what does not disturb others.

use std::time::Duration;

use bytes::Buf as _;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, FetchRequest, FindCoordinatorRequest,
    MetadataRequest,
};
use kafka_protocol::protocol::{Decodable as _, StrBytes};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use crate::client::{Client, frame};
use crate::rig::Rig;

/// What the tests of this crate exercise, version by version, and so what may be offered; but for Produce before version
/// 3, without which librdkafka does not compress.
const OFFERED: [(ApiKey, i16, i16); 11] = [
    (ApiKey::Produce, 0, 13),
    (ApiKey::Fetch, 4, 17),
    (ApiKey::ListOffsets, 1, 10),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::FindCoordinator, 0, 0),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::DescribeCluster, 0, 2),
];

fn offered(answer: &ApiVersionsResponse) -> Vec<(i16, i16, i16)> {
    let entry = |api: &ApiVersion| (api.api_key, api.min_version, api.max_version);
    answer.api_keys.iter().map(entry).collect()
}

fn expected() -> Vec<(i16, i16, i16)> {
    OFFERED
        .map(|(key, min, max)| (key as i16, min, max))
        .to_vec()
}

async fn works(client: &mut Client) {
    let answer = client.call(ApiVersionsRequest::default(), 0).await;
    assert_eq!(answer.error_code, 0);
}

#[tokio::test]
async fn what_is_offered_is_told_in_every_version() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    for version in 0..=4 {
        let mut request = ApiVersionsRequest::default();
        if version >= 3 {
            request.client_software_name = StrBytes::from_static_str("a-test");
            request.client_software_version = StrBytes::from_static_str("1");
        }
        let answer = client.call(request, version).await;
        assert_eq!(
            (answer.error_code, offered(&answer)),
            (0, expected()),
            "{version}"
        );
    }
}

#[tokio::test]
async fn a_client_from_the_future_is_told_what_is_offered() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let mut request = frame(&ApiVersionsRequest::default(), 4, 77);
    request[6..8].copy_from_slice(&99_i16.to_be_bytes());
    client.stream.write_all(&request).await.unwrap();
    let mut answer = client.receive_frame().await;
    assert_eq!(answer.get_i32(), 77);
    let answer = ApiVersionsResponse::decode(&mut answer, 0).unwrap();
    assert_eq!(answer.error_code, ResponseError::UnsupportedVersion.code());
    assert_eq!(offered(&answer), expected());
    works(&mut client).await;
}

#[tokio::test]
async fn a_consumer_of_a_group_is_told_that_there_are_none() {
    let rig = Rig::start().await;
    let refused = rig
        .client()
        .await
        .call(FindCoordinatorRequest::default(), 0)
        .await;
    assert_eq!(refused.error_code, ResponseError::UnsupportedVersion.code());
}

#[tokio::test]
async fn a_bad_frame_ends_its_connection_and_no_other() {
    let rig = Rig::start().await;
    let mut bystander = rig.client().await;
    works(&mut bystander).await;
    let whole = frame(&MetadataRequest::default().with_topics(None), 9, 1);
    let framed = |body: &[u8]| [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat();
    let kind_and_version = |kind: i16, version: i16| {
        let mut changed = whole.clone();
        changed[4..6].copy_from_slice(&kind.to_be_bytes());
        changed[6..8].copy_from_slice(&version.to_be_bytes());
        changed
    };
    let many_topics = [&whole[4..18], &[0x7f, 0xff, 0xff, 0xff]].concat();
    let unknown_topics_count = {
        let mut changed = framed(&many_topics);
        changed[6..8].copy_from_slice(&1_i16.to_be_bytes());
        changed
    };
    for (what, bytes) in [
        (
            "a browser",
            b"GET / HTTP/1.1\r\nHost: localhost:9092\r\n\r\n".to_vec(),
        ),
        (
            "a TLS handshake",
            vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03],
        ),
        ("a negative length", (-5_i32).to_be_bytes().to_vec()),
        ("an empty frame", framed(b"")),
        ("a short frame", framed(b"1234567")),
        ("an oversized frame", (101_i32 << 20).to_be_bytes().to_vec()),
        ("a header only", framed(&whole[4..12])),
        ("a cut body", framed(&whole[4..whole.len() - 1])),
        ("junk", framed(&[0xff; 64])),
        ("zeros", framed(&[0; 12])),
        ("two thousand million topics", unknown_topics_count),
        ("a request that no broker knows", kind_and_version(1_000, 0)),
        (
            "a request that is not offered",
            kind_and_version(ApiKey::JoinGroup as i16, 5),
        ),
        (
            "a version that is not offered",
            kind_and_version(ApiKey::Metadata as i16, 14),
        ),
        (
            "a negative version",
            kind_and_version(ApiKey::Metadata as i16, -1),
        ),
    ] {
        let mut client = rig.client().await;
        client.stream.write_all(&bytes).await.unwrap();
        let closed = timeout(Duration::from_secs(20), client.closed()).await;
        assert!(closed.is_ok(), "{what} does not end its connection");
        works(&mut bystander).await;
    }
}

#[tokio::test]
async fn half_a_frame_and_silence_ends_the_connection() {
    let rig = Rig::with(|config| config.stall_max = Duration::from_millis(50)).await;
    let whole = frame(&MetadataRequest::default().with_topics(None), 9, 1);
    for n_bytes in [1, 4, 5, whole.len() - 1] {
        let mut client = rig.client().await;
        client.stream.write_all(&whole[..n_bytes]).await.unwrap();
        client.closed().await;
    }
    // Silence between frames is no stall.
    let mut client = rig.client().await;
    works(&mut client).await;
    let waited = timeout(Duration::from_millis(200), client.closed()).await;
    assert!(waited.is_err());
    works(&mut client).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let rig = Rig::with(|config| config.idle_max = Duration::from_millis(50)).await;
    let mut client = rig.client().await;
    works(&mut client).await;
    client.closed().await;
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_one_to_end() {
    let rig = Rig::with(|config| config.connections_max = 1).await;
    let mut first = rig.client().await;
    works(&mut first).await;
    let mut second = rig.client().await;
    let waited = timeout(Duration::from_millis(100), works(&mut second)).await;
    assert!(waited.is_err());
    drop(first);
    let (_, answer) = second.receive::<ApiVersionsRequest>(0).await;
    assert_eq!(answer.error_code, 0);
}

#[tokio::test]
async fn a_stop_answers_what_was_begun_and_ends_every_connection() {
    let rig = Rig::start().await;
    rig.topic("orders", 1).await;
    let (mut idle, mut waiting) = (rig.client().await, rig.client().await);
    works(&mut idle).await;
    works(&mut waiting).await;
    let partition = FetchPartition::default().with_partition_max_bytes(1);
    let topic = FetchTopic::default()
        .with_topic(StrBytes::from_static_str("orders").into())
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(60_000)
        .with_min_bytes(1)
        .with_topics(vec![topic]);
    waiting.send(request, 11).await;
    // This answer tells that the request before it has reached the session.
    idle.call(MetadataRequest::default().with_topics(None), 12)
        .await;
    rig.shutdown.cancel();
    timeout(Duration::from_secs(20), rig.serving)
        .await
        .expect("in time")
        .unwrap();
    idle.closed().await;
}
