//! ApiVersions: what is offered. The one request that is answered in any version.

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};

use super::OFFERED;
use crate::error::Broken;
use crate::request::{Answer, Api, Request};
use crate::shape::{Field, Kind, Shape, since};

pub(crate) static API: Api = Api {
    key: ApiKey::ApiVersions,
    versions: 0..=4,
    shape: Shape {
        flexible_from: 3,
        followers_tags: 0,
        fields: &[Field(since(3), Kind::Text), Field(since(3), Kind::Text)],
    },
};

/// librdkafka compresses with gzip and snappy only for a broker that names this version, so Kafka 4 names it too, though
/// neither takes it and no such client sends it.
const PRODUCE_FROM: i16 = 0;

pub(crate) fn answer(request: &Request) -> Result<Answer, Broken> {
    let mut answer = ApiVersionsResponse::default().with_api_keys(offered());
    if !API.versions.contains(&request.version) {
        // A newer client reads version 0, which every client knows, and asks again.
        answer.error_code = ResponseError::UnsupportedVersion.code();
        return request.answer_in_version(0, &answer);
    }
    request.decode::<ApiVersionsRequest>(&API)?;
    request.answer(&answer)
}

fn offered() -> Vec<ApiVersion> {
    let entry = |api: &&Api| {
        let first = match api.key {
            ApiKey::Produce => PRODUCE_FROM,
            _ => *api.versions.start(),
        };
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(first)
            .with_max_version(*api.versions.end())
    };
    OFFERED.iter().map(entry).collect()
}
