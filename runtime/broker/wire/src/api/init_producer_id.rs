//! InitProducerId: an id for an idempotent producer.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, InitProducerIdRequest, InitProducerIdResponse};

use super::Context;
use super::code::code;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{ALL, Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::InitProducerId,
    versions: 0..=5,
    shape: Shape {
        flexible_from: 2,
        followers_tags: 0,
        fields: &[
            Field(ALL, Kind::Text),
            Field(ALL, Kind::Fixed(4)),
            Field(since(3), Kind::Fixed(8 + 2)),
        ],
    },
};

pub(super) async fn answer(context: &Context, request: &Request) -> Result<Answer, Broken> {
    let asked: InitProducerIdRequest = request.decode(&API)?;
    let given = if asked.transactional_id.is_some() {
        Err(ResponseError::TransactionalIdAuthorizationFailed)
    } else {
        let given = context.broker.log.init_producer_id().await;
        given.map_err(|error| code(&error))
    };
    let answer = match given {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch),
        Err(error) => InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id((-1).into())
            .with_producer_epoch(-1),
    };
    request.answer(&answer)
}
