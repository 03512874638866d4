use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest,
    DescribeConfigsRequest, FetchRequest, FindCoordinatorRequest, InitProducerIdRequest,
    ListOffsetsRequest, MetadataRequest, ProduceRequest, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use uuid::Uuid;

use super::ELEMENTS_MAX;
use crate::api::{
    api_versions, create_topics, delete_topics, describe_cluster, describe_configs, fetch,
    find_coordinator, init_producer_id, list_offsets, metadata, produce,
};
use crate::request::Api;

/// Every version of a request is walked to its last byte, is not whole without that byte, and decodes to what it was.
/// Then bytes are changed by a seed: whatever comes of it, nothing panics and nothing reserves memory beyond reason.
fn check<T>(api: &Api, request: impl Fn(i16) -> T)
where
    T: Encodable + Decodable + PartialEq + Debug,
{
    for version in api.versions.clone() {
        let name = format!("{:?} version {version}", api.key);
        let request = request(version);
        let mut bytes = BytesMut::new();
        request.encode(&mut bytes, version).expect(&name);
        let bytes = bytes.freeze();
        assert_eq!(api.shape.check(version, &bytes), Ok(0), "{name}");
        let decoded = T::decode(&mut bytes.clone(), version).expect(&name);
        assert_eq!(decoded, request, "{name}");
        for n_bytes in 0..bytes.len() {
            let cut = api.shape.check(version, &bytes[..n_bytes]);
            assert!(cut.is_err(), "{name} cut to {n_bytes} bytes");
        }
        let surplus = [&bytes[..], b"more"].concat();
        assert_eq!(api.shape.check(version, &surplus), Ok(4), "{name}");
        mutate::<T>(api, version, &bytes);
    }
}

fn mutate<T: Decodable>(api: &Api, version: i16, bytes: &Bytes) {
    let seed = std::env::var("LONGSHORE_SEED").ok();
    let seed = seed
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_121);
    let mut random = Random(seed);
    for round in 0..2_000 {
        let mut hostile = BytesMut::from(&bytes[..]);
        for _ in 0..1 + random.below(4) {
            if hostile.is_empty() {
                break;
            }
            let at = random.below(hostile.len());
            match random.below(4) {
                0 => hostile[at] = random.byte(),
                1 => hostile[at] ^= 1 << random.below(8),
                2 => hostile[at..].fill(0xff),
                _ => hostile.truncate(at),
            }
        }
        let mut hostile = hostile.freeze();
        if api.shape.check(version, &hostile).is_ok() {
            // What the walk let through may still be wrong for the decoder, which then says so.
            let decoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                drop(T::decode(&mut hostile, version));
            }));
            let key = api.key;
            assert!(
                decoded.is_ok(),
                "{key:?} {version}: LONGSHORE_SEED={seed} round {round}"
            );
        }
    }
}

/// Xorshift: as good as needed, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n).expect("64 bits")).expect("below n")
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("below 256")
    }
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn topic() -> TopicName {
    text("orders").into()
}

const ID: Uuid = Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);

#[test]
fn api_versions_is_walked_as_it_is_decoded() {
    check(&api_versions::API, |version| {
        let request = ApiVersionsRequest::default();
        if version < 3 {
            return request;
        }
        request
            .with_client_software_name(text("librdkafka"))
            .with_client_software_version(text("2.0.2"))
    });
}

#[test]
fn metadata_is_walked_as_it_is_decoded() {
    check(&metadata::API, |version| {
        let mut other = MetadataRequestTopic::default().with_name(Some(text("other").into()));
        if version >= 10 {
            other = other.with_topic_id(ID).with_name(None);
        }
        let named = MetadataRequestTopic::default().with_name(Some(topic()));
        MetadataRequest::default()
            .with_topics(Some(vec![named, other]))
            .with_allow_auto_topic_creation(true)
    });
    check(&metadata::API, |version| {
        let topics = if version == 0 { Some(vec![]) } else { None };
        MetadataRequest::default()
            .with_topics(topics)
            .with_allow_auto_topic_creation(true)
    });
}

#[test]
fn produce_is_walked_as_it_is_decoded() {
    check(&produce::API, |version| {
        let partition = |index, records: &'static [u8]| {
            PartitionProduceData::default()
                .with_index(index)
                .with_records(Some(Bytes::from_static(records)))
        };
        let data = TopicProduceData::default()
            .with_partition_data(vec![partition(0, b"a batch"), partition(1, b"")]);
        let data = if version >= 13 {
            data.with_topic_id(ID)
        } else {
            data.with_name(topic())
        };
        ProduceRequest::default()
            .with_transactional_id((version % 2 == 0).then(|| text("tx").into()))
            .with_acks(-1)
            .with_timeout_ms(1_500)
            .with_topic_data(vec![data])
    });
}

#[test]
fn fetch_is_walked_as_it_is_decoded() {
    check(&fetch::API, |version| {
        let partition = FetchPartition::default()
            .with_partition(2)
            .with_fetch_offset(77)
            .with_partition_max_bytes(1 << 20);
        let mut asked = FetchTopic::default().with_partitions(vec![partition.clone(), partition]);
        let mut forgotten = ForgottenTopic::default().with_partitions(vec![1, 2, 3]);
        if version >= 13 {
            asked.topic_id = ID;
            forgotten.topic_id = ID;
        } else {
            asked.topic = topic();
            forgotten.topic = topic();
        }
        let mut request = FetchRequest::default()
            .with_max_wait_ms(500)
            .with_min_bytes(1)
            .with_max_bytes(50 << 20)
            .with_topics(vec![asked]);
        if version >= 7 {
            request.forgotten_topics_data = vec![forgotten];
        }
        if version >= 11 {
            request.rack_id = text("a rack");
        }
        request
    });
}

#[test]
fn find_coordinator_is_walked_as_it_is_decoded() {
    check(&find_coordinator::API, |_| {
        FindCoordinatorRequest::default().with_key(text("a group"))
    });
}

#[test]
fn list_offsets_is_walked_as_it_is_decoded() {
    check(&list_offsets::API, |_| {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(3)
            .with_timestamp(-2);
        let asked = ListOffsetsTopic::default()
            .with_name(topic())
            .with_partitions(vec![partition]);
        ListOffsetsRequest::default().with_topics(vec![asked])
    });
}

#[test]
fn create_topics_is_walked_as_it_is_decoded() {
    check(&create_topics::API, |_| {
        let assignment = CreatableReplicaAssignment::default()
            .with_partition_index(0)
            .with_broker_ids(vec![1.into(), 2.into()]);
        let config = CreatableTopicConfig::default()
            .with_name(text("retention.ms"))
            .with_value(None);
        let asked = CreatableTopic::default()
            .with_name(topic())
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(vec![assignment])
            .with_configs(vec![config]);
        CreateTopicsRequest::default()
            .with_topics(vec![asked])
            .with_timeout_ms(1_000)
            .with_validate_only(true)
    });
}

#[test]
fn delete_topics_is_walked_as_it_is_decoded() {
    check(&delete_topics::API, |version| {
        let request = DeleteTopicsRequest::default().with_timeout_ms(1_000);
        if version >= 6 {
            let by_name = DeleteTopicState::default().with_name(Some(topic()));
            let by_id = DeleteTopicState::default().with_topic_id(ID);
            request.with_topics(vec![by_name, by_id])
        } else {
            request.with_topic_names(vec![topic(), text("other").into()])
        }
    });
}

#[test]
fn init_producer_id_is_walked_as_it_is_decoded() {
    check(&init_producer_id::API, |_| {
        InitProducerIdRequest::default().with_transaction_timeout_ms(60_000)
    });
}

#[test]
fn describe_configs_is_walked_as_it_is_decoded() {
    check(&describe_configs::API, |_| {
        let some = DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("orders"))
            .with_configuration_keys(Some(vec![text("retention.ms"), text("cleanup.policy")]));
        let all = some.clone().with_configuration_keys(None);
        DescribeConfigsRequest::default()
            .with_resources(vec![some, all])
            .with_include_synonyms(true)
    });
}

#[test]
fn describe_cluster_is_walked_as_it_is_decoded() {
    check(&describe_cluster::API, |_| {
        DescribeClusterRequest::default().with_include_cluster_authorized_operations(true)
    });
}

#[test]
fn an_array_that_claims_more_than_is_there_is_refused() {
    // A Metadata request that asks for two thousand million topics, in four and in five bytes.
    let claims = metadata::API.shape.check(0, &[0x7f, 0xff, 0xff, 0xff]);
    assert_eq!(claims, Err("it has more than 100000 elements"));
    let claims = metadata::API
        .shape
        .check(12, &[0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(claims, Err("it has more than 100000 elements"));
    let few = i32::to_be_bytes(i32::try_from(ELEMENTS_MAX).expect("small"));
    assert_eq!(metadata::API.shape.check(0, &few), Err("it ends early"));
}

#[test]
fn what_only_a_follower_sends_is_refused_because_the_decoder_would_trust_its_length() {
    let mut body = BytesMut::new();
    let request = FetchRequest::default().with_cluster_id(Some(text("a cluster")));
    request.encode(&mut body, 12).expect("encodes");
    assert_eq!(
        fetch::API.shape.check(12, &body),
        Err("it comes from a follower, and there are none")
    );
}
