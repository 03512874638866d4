//! FindCoordinator: there are no groups yet, and this is how a consumer of one is told.
//!
//! It is offered because librdkafka sends batches compressed with lz4 only to a broker that has this request.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, FindCoordinatorRequest, FindCoordinatorResponse};

use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape};

pub(crate) static API: Api = Api {
    key: ApiKey::FindCoordinator,
    versions: 0..=0,
    shape: Shape {
        flexible_from: 3,
        followers_tags: 0,
        fields: &[Field(ALL, Kind::Text)],
    },
};

pub(super) fn answer(request: &Request) -> Result<Answer, Broken> {
    request.decode::<FindCoordinatorRequest>(&API)?;
    request.answer(
        &FindCoordinatorResponse::default()
            // Not retriable, so that clients report it instead of asking again and again.
            .with_error_code(ResponseError::UnsupportedVersion.code())
            .with_node_id((-1).into())
            .with_port(-1),
    )
}
