use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest,
    DescribeConfigsRequest, FetchRequest, FetchResponse, FindCoordinatorRequest,
    InitProducerIdRequest, ListOffsetsRequest, MetadataRequest, ProduceRequest, ProduceResponse,
    RequestHeader,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use longshore_log::Batch;

use super::{Answer, Request};
use crate::api::{self, OFFERED};
use crate::budget::Budget;
use crate::frame::Frame;

const REQUESTS: &str = include_str!("../../tests/golden/requests.txt");

async fn request(hex: &str) -> Request {
    let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let bytes: Bytes = (0..hex.len()).step_by(2).map(digits).collect();
    let memory = Budget::new(1 << 20).reserve(bytes.len()).await;
    Request::new(Frame { bytes, memory }).expect("a header")
}

/// Takes a frame apart and puts it together again, as the client had done it.
fn round_trip<T: Decodable + Encodable>(request: &Request, line: &str) {
    let api = OFFERED
        .iter()
        .find(|api| api.key as i16 == request.key)
        .expect(line);
    let body: T = request.decode(api).expect(line);
    let mut rest = request.bytes.clone();
    let header_version = api.key.request_header_version(request.version);
    let header = RequestHeader::decode(&mut rest, header_version).expect(line);
    let mut again = BytesMut::new();
    header.encode(&mut again, header_version).expect(line);
    body.encode(&mut again, request.version).expect(line);
    assert_eq!(again, request.bytes, "{line}");
}

#[tokio::test]
async fn what_real_clients_send_is_understood_to_the_last_byte() {
    let mut kinds = BTreeSet::new();
    for line in REQUESTS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(' ').collect();
        let [kind, version, _client, hex] = fields[..] else {
            panic!("{line}");
        };
        let request = request(hex).await;
        assert_eq!(request.version.to_string(), version, "{line}");
        let read = match kind {
            "ApiVersions" => round_trip::<ApiVersionsRequest>,
            "CreateTopics" => round_trip::<CreateTopicsRequest>,
            "DeleteTopics" => round_trip::<DeleteTopicsRequest>,
            "DescribeCluster" => round_trip::<DescribeClusterRequest>,
            "DescribeConfigs" => round_trip::<DescribeConfigsRequest>,
            "Fetch" => round_trip::<FetchRequest>,
            "FindCoordinator" => round_trip::<FindCoordinatorRequest>,
            "InitProducerId" => round_trip::<InitProducerIdRequest>,
            "ListOffsets" => round_trip::<ListOffsetsRequest>,
            "Metadata" => round_trip::<MetadataRequest>,
            "Produce" => round_trip::<ProduceRequest>,
            _ => panic!("{line}"),
        };
        read(&request, line);
        kinds.insert(request.key);
    }
    let offered: BTreeSet<_> = OFFERED.iter().map(|api| api.key as i16).collect();
    assert_eq!(kinds, offered, "every kind has a frame of a real client");
}

#[tokio::test]
async fn the_batches_of_real_producers_are_sound() {
    for line in REQUESTS.lines().filter(|line| line.starts_with("Produce ")) {
        let request = request(line.rsplit(' ').next().expect("a frame")).await;
        let asked: ProduceRequest = request.decode(&api::produce::API).expect(line);
        let records = asked.topic_data[0].partition_data[0]
            .records
            .clone()
            .expect(line);
        let batch = Batch::parse(records).expect(line);
        assert!(batch.n_records() > 0, "{line}");
    }
}

fn hex(answer: &Answer) -> String {
    answer.frame.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes everything");
        hex
    })
}

async fn answered<T: Encodable + HeaderVersion>(kind: ApiKey, version: i16, body: &T) -> String {
    let head = format!("{:04x}{version:04x}00000007", kind as i16);
    hex(&request(&head).await.answer(body).expect("encodes"))
}

#[tokio::test]
async fn an_api_versions_answer_has_the_old_header_in_every_version() {
    let future = request("001200630000000700").await;
    let answer = hex(&api::api_versions::answer(&future).expect("answered"));
    // Length, correlation id, error 35, eleven entries, Produce from 0 to 13.
    assert!(
        answer.starts_with(
            "0000004c000000070023 0000000b00000000000d"
                .replace(' ', "")
                .as_str()
        ),
        "{answer}"
    );
    let current = request("00120004000000070001780004612d62023100").await;
    let answer = hex(&api::api_versions::answer(&current).expect("answered"));
    // No tags after the correlation id; error 0; a compact array of eleven; Produce and its tags.
    assert!(
        answer[8..].starts_with("0000000700000c00000000000d00"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_fetch_answer_is_laid_out_as_kafka_does_it() {
    let name = || StrBytes::from_static_str("t").into();
    let partition = PartitionData::default()
        .with_partition_index(2)
        .with_high_watermark(5)
        .with_last_stable_offset(5)
        .with_log_start_offset(1)
        .with_records(Some(Bytes::from_static(b"BATCH")));
    let topic = FetchableTopicResponse::default()
        .with_topic(name())
        .with_partitions(vec![partition]);
    let body = FetchResponse::default().with_responses(vec![topic]);
    assert_eq!(
        answered(ApiKey::Fetch, 11, &body).await,
        [
            "0000004800000007",                                 // length, correlation id
            "00000000000000000000",                             // throttle time, error, session
            "000000010001740000000100000002",                   // one topic "t", one partition: 2
            "0000",                                             // error
            "000000000000000500000000000000050000000000000001", // high watermark, stable, start
            "00000000ffffffff",   // no aborted transactions, no preferred replica
            "000000054241544348", // the batches
        ]
        .concat()
    );
    assert_eq!(
        answered(ApiKey::Fetch, 12, &body).await,
        [
            "0000003f00000007",
            "00",
            "00000000000000000000",
            "020274",
            "0200000002",
            "0000",
            "000000000000000500000000000000050000000000000001",
            "01ffffffff",
            "064241544348",
            "00",
            "00",
            "00",
        ]
        .concat()
    );
}

#[tokio::test]
async fn a_produce_answer_is_laid_out_as_kafka_does_it() {
    let partition = PartitionProduceResponse::default()
        .with_index(2)
        .with_base_offset(9)
        .with_log_start_offset(1);
    let topic = TopicProduceResponse::default()
        .with_name(StrBytes::from_static_str("t").into())
        .with_partition_responses(vec![partition]);
    let body = ProduceResponse::default().with_responses(vec![topic]);
    assert_eq!(
        answered(ApiKey::Produce, 8, &body).await,
        [
            "0000003700000007",                 // length, correlation id
            "000000010001740000000100000002",   // one topic "t", one partition: 2
            "00000000000000000009",             // error, base offset
            "ffffffffffffffff0000000000000001", // no append time, log start
            "00000000ffff",                     // no errors of records, no message
            "00000000",                         // throttle time
        ]
        .concat()
    );
}
