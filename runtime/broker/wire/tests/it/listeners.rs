//! Names and addresses.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{DescribeClusterRequest, MetadataRequest};
use longshore_wire::{Error, Listener, WireConfig};

use crate::client::Client;
use crate::rig::{CLUSTER_ID, Rig, endpoints};

#[tokio::test]
async fn every_listener_tells_its_own_address() {
    let rig = Rig::with(|config| {
        config.listeners =
            endpoints("plain://127.0.0.1:0,NAT://127.0.0.1:0,FREE://127.0.0.1:0,ANY://:0");
        config.advertised = endpoints("NAT://kafka.example:19092,FREE://free.example:0");
    })
    .await;
    let ports: Vec<_> = rig.bound.iter().map(|bound| bound.local.port()).collect();
    let expected = [
        ("PLAIN", "127.0.0.1", ports[0]),
        ("NAT", "kafka.example", 19_092),
        ("FREE", "free.example", ports[2]),
        ("ANY", "127.0.0.1", ports[3]),
    ];
    for (bound, (name, host, port)) in rig.bound.iter().zip(expected) {
        assert_eq!(bound.name, name);
        let mut client = Client::connect(([127, 0, 0, 1], bound.local.port()).into()).await;
        let metadata = client
            .call(MetadataRequest::default().with_topics(None), 12)
            .await;
        let node = &metadata.brokers[0];
        assert_eq!((&*node.host, node.port), (host, i32::from(port)), "{name}");
        for version in 0..=2 {
            let cluster = client
                .call(DescribeClusterRequest::default(), version)
                .await;
            let node = &cluster.brokers[0];
            assert_eq!((&*node.host, node.port), (host, i32::from(port)), "{name}");
            assert_eq!(
                (&*cluster.cluster_id, i32::from(cluster.controller_id)),
                (CLUSTER_ID, 1)
            );
        }
    }
}

#[tokio::test]
async fn controllers_are_not_described() {
    let rig = Rig::start().await;
    let asked = DescribeClusterRequest::default().with_endpoint_type(2);
    let refused = rig.client().await.call(asked, 1).await;
    assert_eq!(
        refused.error_code,
        ResponseError::MismatchedEndpointType.code()
    );
}

#[tokio::test]
async fn listeners_that_cannot_work_are_refused_by_name() {
    let rig = Rig::start().await;
    let bind = async |listeners: &str, advertised: &[&str]| {
        let mut config = WireConfig::new(endpoints(listeners), CLUSTER_ID.to_owned());
        config.advertised = advertised.iter().flat_map(|list| endpoints(list)).collect();
        Listener::bind(config, rig.log.clone())
            .await
            .expect_err("refused")
    };
    let unnamed = bind("127.0.0.1:0", &["OTHER://host:1"]).await;
    assert_eq!(
        unnamed.to_string(),
        r#"kafka.advertised.listeners "OTHER://host:1": no listener has this name"#
    );
    for meta in ["0.0.0.0:1", ":1", "[::]:1"] {
        let unreachable = bind("127.0.0.1:0", &[meta]).await;
        assert!(
            matches!(unreachable, Error::Endpoint { .. }),
            "{unreachable}"
        );
    }
    let taken = format!("127.0.0.1:{}", rig.address().port());
    let error = bind(&taken, &[]).await;
    assert!(
        matches!(&error, Error::Bind { endpoint, .. } if endpoint.ends_with(&taken)),
        "{error}"
    );
}
