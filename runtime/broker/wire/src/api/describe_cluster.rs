//! DescribeCluster: the one node, under the address of the listener that the client came in by.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{ApiKey, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

use super::{Context, NODE_ID};
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::DescribeCluster,
    versions: 0..=2,
    shape: Shape {
        flexible_from: 0,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Fixed(1)),
            Field(since(1), Kind::Fixed(1)),
            Field(since(2), Kind::Fixed(1)),
        ],
    },
};

/// What a client may ask for: brokers; the controllers are not reachable for clients.
const BROKERS: i8 = 1;

pub(super) fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: DescribeClusterRequest = request.decode(&API)?;
    if asked.endpoint_type != BROKERS {
        let refused = DescribeClusterResponse::default()
            .with_error_code(ResponseError::MismatchedEndpointType.code())
            .with_endpoint_type(BROKERS);
        return request.answer(&refused);
    }
    let node = DescribeClusterBroker::default()
        .with_broker_id(NODE_ID)
        .with_host(context.host.clone())
        .with_port(i32::from(context.port));
    let cluster_id = StrBytes::from_string(context.broker.config.cluster_id.clone());
    request.answer(
        &DescribeClusterResponse::default()
            .with_cluster_id(cluster_id)
            .with_controller_id(NODE_ID)
            .with_brokers(vec![node]),
    )
}
