//! Topics: found, made, described, deleted.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use kafka_protocol::messages::create_topics_response::CreatableTopicResult;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, DescribeConfigsRequest, MetadataRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::client::Client;
use crate::rig::{CLUSTER_ID, Rig};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic_name(name: &str) -> TopicName {
    text(name).into()
}

async fn metadata(
    client: &mut Client,
    name: &str,
    version: i16,
    may_create: bool,
) -> MetadataResponseTopic {
    let asked = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![asked]))
        .with_allow_auto_topic_creation(may_create || version < 4);
    client.call(request, version).await.topics[0].clone()
}

#[tokio::test]
async fn metadata_names_the_node_and_all_topics_in_every_version() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let orders = rig.topic("orders", 2).await;
    rig.topic("_longshore_status", 1).await;
    for version in 0..=13 {
        let all = if version == 0 { Some(vec![]) } else { None };
        let answer = client
            .call(MetadataRequest::default().with_topics(all), version)
            .await;
        let node = &answer.brokers[0];
        let port = i32::from(rig.address().port());
        assert_eq!(
            (i32::from(node.node_id), &*node.host, node.port),
            (1, "127.0.0.1", port)
        );
        let names = answer
            .topics
            .iter()
            .map(|topic| topic.name.as_ref().unwrap().as_str());
        assert_eq!(
            names.collect::<Vec<_>>(),
            ["_longshore_status", "orders"],
            "{version}"
        );
        let found = &answer.topics[1];
        let leads = |partition: usize| {
            let partition = &found.partitions[partition];
            let replicas = (partition.replica_nodes.len(), partition.isr_nodes.len());
            (
                partition.error_code,
                partition.partition_index,
                i32::from(partition.leader_id),
                replicas,
            )
        };
        assert_eq!((leads(0), leads(1)), ((0, 0, 1, (1, 1)), (0, 1, 1, (1, 1))));
        if version >= 1 {
            assert!(
                answer.topics[0].is_internal && !found.is_internal,
                "{version}"
            );
            assert_eq!(i32::from(answer.controller_id), 1);
            let none = client.call(
                MetadataRequest::default().with_topics(Some(vec![])),
                version,
            );
            assert_eq!(none.await.topics, []);
        }
        if version >= 2 {
            assert_eq!(answer.cluster_id.as_deref(), Some(CLUSTER_ID));
        }
        if version >= 10 {
            assert_eq!(found.topic_id, orders.id);
        }
    }
}

#[tokio::test]
async fn asking_for_an_unknown_topic_creates_it_unless_the_client_says_no() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    for version in 0..=13 {
        let name = format!("made-by-{version}");
        if version >= 4 {
            let refused = metadata(&mut client, &name, version, false).await;
            assert_eq!(
                refused.error_code,
                ResponseError::UnknownTopicOrPartition.code()
            );
        }
        let made = metadata(&mut client, &name, version, true).await;
        assert_eq!(
            (made.error_code, made.partitions.len()),
            (0, 1),
            "{version}"
        );
    }
    let invalid = metadata(&mut client, "not/a/topic", 9, true).await;
    assert_eq!(
        invalid.error_code,
        ResponseError::InvalidTopicException.code()
    );
    let internal = metadata(&mut client, "_longshore_secrets", 9, true).await;
    assert_eq!(
        internal.error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
    assert_eq!(rig.log.topics().len(), 14);
}

#[tokio::test]
async fn two_clients_may_create_the_same_topic_at_once() {
    let rig = Rig::start().await;
    let (mut one, mut two) = (rig.client().await, rig.client().await);
    for round in 0..20 {
        let name = format!("round-{round}");
        let (one, two) = tokio::join!(
            metadata(&mut one, &name, 12, true),
            metadata(&mut two, &name, 12, true)
        );
        assert_eq!((one.error_code, two.error_code), (0, 0));
        assert_eq!(one.topic_id, two.topic_id);
    }
}

#[tokio::test]
async fn topics_are_not_created_by_asking_where_that_is_switched_off() {
    let rig = Rig::with(|config| config.auto_create_topics = false).await;
    let refused = metadata(&mut rig.client().await, "orders", 12, true).await;
    assert_eq!(
        refused.error_code,
        ResponseError::UnknownTopicOrPartition.code()
    );
    assert!(rig.log.topics().is_empty());
}

#[tokio::test]
async fn metadata_is_found_by_topic_id() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    let orders = rig.topic("orders", 1).await;
    for version in 12..=13 {
        for (id, expected) in [
            (orders.id, (0, Some("orders"))),
            (
                Uuid::from_u128(1),
                (ResponseError::UnknownTopicId.code(), None),
            ),
        ] {
            let asked = MetadataRequestTopic::default()
                .with_topic_id(id)
                .with_name(None);
            let request = MetadataRequest::default().with_topics(Some(vec![asked]));
            let found = &client.call(request, version).await.topics[0];
            assert_eq!(found.topic_id, id);
            assert_eq!(
                (found.error_code, found.name.as_ref().map(|n| n.as_str())),
                expected
            );
        }
    }
}

fn new(name: &str) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
}

fn config(name: &str, value: Option<&str>) -> CreatableTopicConfig {
    CreatableTopicConfig::default()
        .with_name(text(name))
        .with_value(value.map(text))
}

fn assignments(partitions: &[i32]) -> Vec<CreatableReplicaAssignment> {
    let assignment = |index: &i32| {
        CreatableReplicaAssignment::default()
            .with_partition_index(*index)
            .with_broker_ids(vec![1.into(), 2.into(), 3.into()])
    };
    partitions.iter().map(assignment).collect()
}

async fn create(client: &mut Client, topic: CreatableTopic, version: i16) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(1_000);
    client.call(request, version).await.topics[0].clone()
}

#[tokio::test]
async fn topics_are_created_in_every_version_whatever_replication_is_asked_for() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    for version in 2..=7 {
        let name = format!("orders-{version}");
        let asked = new(&name)
            .with_num_partitions(3)
            .with_replication_factor(3)
            .with_configs(vec![config("retention.ms", Some("1000"))]);
        let created = create(&mut client, asked.clone(), version).await;
        assert_eq!(
            (created.error_code, &created.error_message),
            (0, &None),
            "{version}"
        );
        let topic = rig
            .log
            .topic(&longshore_model::TopicName::parse(&name).unwrap())
            .unwrap();
        assert_eq!(
            (topic.n_partitions, topic.settings.retention_ms),
            (3, Some(1_000))
        );
        if version >= 5 {
            assert_eq!((created.num_partitions, created.replication_factor), (3, 1));
            let configs = created.configs.unwrap();
            let given = configs
                .iter()
                .find(|config| &*config.name == "retention.ms")
                .unwrap();
            assert_eq!(
                (given.value.as_deref(), given.config_source),
                (Some("1000"), 1)
            );
            let default = configs
                .iter()
                .find(|config| &*config.name == "retention.bytes")
                .unwrap();
            assert_eq!(
                (default.value.as_deref(), default.config_source),
                (Some("-1"), 5)
            );
        }
        if version >= 7 {
            assert_eq!(created.topic_id, topic.id);
        }
        let again = create(&mut client, asked, version).await;
        assert_eq!(again.error_code, ResponseError::TopicAlreadyExists.code());
    }
    let by_hand = new("by-hand").with_assignments(assignments(&[1, 0]));
    let created = create(&mut client, by_hand, 7).await;
    assert_eq!((created.error_code, created.num_partitions), (0, 2));
    let by_default = create(&mut client, new("by-default"), 7).await;
    assert_eq!((by_default.error_code, by_default.num_partitions), (0, 1));
}

#[tokio::test]
async fn a_topic_that_cannot_be_is_refused_with_a_sentence() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    for (asked, code) in [
        (new("not/a/topic"), ResponseError::InvalidTopicException),
        (new("_schemas"), ResponseError::TopicAuthorizationFailed),
        (
            new("a").with_num_partitions(0),
            ResponseError::InvalidPartitions,
        ),
        (
            new("a").with_num_partitions(-2),
            ResponseError::InvalidPartitions,
        ),
        (
            new("a").with_replication_factor(0),
            ResponseError::InvalidReplicationFactor,
        ),
        (
            new("a").with_assignments(assignments(&[0, 2])),
            ResponseError::InvalidReplicaAssignment,
        ),
        (
            new("a").with_assignments(assignments(&[0, 0])),
            ResponseError::InvalidReplicaAssignment,
        ),
        (
            new("a").with_configs(vec![config("retention.ms", None)]),
            ResponseError::InvalidConfig,
        ),
        (
            new("a").with_configs(vec![config("retention.ms", Some("x"))]),
            ResponseError::InvalidConfig,
        ),
        (
            new("a").with_configs(vec![config("no.such.key", Some("1"))]),
            ResponseError::InvalidConfig,
        ),
    ] {
        for validate_only in [true, false] {
            let request = CreateTopicsRequest::default()
                .with_topics(vec![asked.clone()])
                .with_validate_only(validate_only);
            let refused = &client.call(request, 7).await.topics[0];
            assert_eq!(refused.error_code, code.code(), "{asked:?}");
            assert!(
                refused.error_message.as_ref().is_some_and(|m| m.len() > 10),
                "{code}"
            );
        }
    }
    let request = CreateTopicsRequest::default()
        .with_topics(vec![new("twice"), new("once"), new("twice")])
        .with_validate_only(true);
    let answer = client.call(request, 7).await;
    let codes: Vec<_> = answer.topics.iter().map(|topic| topic.error_code).collect();
    let twice = ResponseError::InvalidRequest.code();
    assert_eq!(codes, [twice, 0, twice]);
    assert!(rig.log.topics().is_empty(), "validate_only creates nothing");
}

#[tokio::test]
async fn topics_are_deleted_by_name_and_by_id() {
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic("_longshore_status", 1).await;
    let unknown = ResponseError::UnknownTopicOrPartition.code();
    let refused = ResponseError::TopicAuthorizationFailed.code();
    for version in 1..=6 {
        rig.topic("orders", 1).await;
        let names = ["orders", "orders", "not/a/topic", "_longshore_status"];
        let by_name = |name: &&str| DeleteTopicState::default().with_name(Some(topic_name(name)));
        let request = DeleteTopicsRequest::default().with_timeout_ms(1_000);
        let request = if version >= 6 {
            request.with_topics(names.iter().map(by_name).collect())
        } else {
            request.with_topic_names(names.map(topic_name).to_vec())
        };
        let answer = client.call(request, version).await;
        let codes: Vec<_> = answer
            .responses
            .iter()
            .map(|topic| topic.error_code)
            .collect();
        assert_eq!(codes, [0, unknown, unknown, refused], "{version}");
    }
    let orders = rig.topic("orders", 1).await;
    for (id, code) in [
        (orders.id, 0),
        (orders.id, ResponseError::UnknownTopicId.code()),
    ] {
        let by_id = DeleteTopicState::default()
            .with_name(None)
            .with_topic_id(id);
        let request = DeleteTopicsRequest::default().with_topics(vec![by_id]);
        let deleted = &client.call(request, 6).await.responses[0];
        assert_eq!((deleted.error_code, deleted.topic_id), (code, id));
        let name = deleted.name.as_ref().map(|name| name.as_str());
        assert_eq!(name, (code == 0).then_some("orders"));
    }
}

async fn describe(
    client: &mut Client,
    kind: i8,
    name: &str,
    keys: Option<Vec<StrBytes>>,
    version: i16,
) -> DescribeConfigsResult {
    let asked = DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(keys);
    let request = DescribeConfigsRequest::default().with_resources(vec![asked]);
    client.call(request, version).await.results[0].clone()
}

#[tokio::test]
async fn settings_of_topics_and_of_the_broker_are_described_in_every_version() {
    const TOPIC: i8 = 2;
    const BROKER: i8 = 4;
    let rig = Rig::start().await;
    let mut client = rig.client().await;
    rig.topic_with("orders", 1, &[("retention.ms", "1000")])
        .await;
    for version in 1..=4 {
        let all = describe(&mut client, TOPIC, "orders", None, version).await;
        assert_eq!((all.error_code, &*all.resource_name), (0, "orders"));
        let given = all
            .configs
            .iter()
            .find(|config| &*config.name == "retention.ms")
            .unwrap();
        assert_eq!(
            (given.value.as_deref(), given.config_source),
            (Some("1000"), 1),
            "{version}"
        );
        let policy = Some(vec![text("cleanup.policy")]);
        let one = describe(&mut client, TOPIC, "orders", policy, version).await;
        assert_eq!(one.configs.len(), 1);
        assert_eq!(
            (
                one.configs[0].value.as_deref(),
                one.configs[0].config_source
            ),
            (Some("delete"), 5)
        );
        for name in ["1", ""] {
            let broker = describe(&mut client, BROKER, name, None, version).await;
            let found = broker
                .configs
                .iter()
                .find(|c| &*c.name == "auto.create.topics.enable");
            assert_eq!(found.unwrap().value.as_deref(), Some("true"), "{version}");
        }
    }
    for (kind, name, code) in [
        (TOPIC, "missing", ResponseError::UnknownTopicOrPartition),
        (TOPIC, "not/a/topic", ResponseError::InvalidTopicException),
        (BROKER, "7", ResponseError::InvalidRequest),
        (8, "1", ResponseError::InvalidRequest),
    ] {
        let refused = describe(&mut client, kind, name, None, 4).await;
        assert_eq!(
            (refused.error_code, refused.configs.len()),
            (code.code(), 0),
            "{name}"
        );
    }
}
