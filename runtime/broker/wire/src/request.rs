//! From a frame to a request, and from an answer to a frame.

use std::fmt::Display;
use std::ops::RangeInclusive;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};

use crate::budget::Reserved;
use crate::error::Broken;
use crate::frame::{Frame, LENGTH_BYTES};
use crate::shape::Shape;

/// A kind of request that is offered.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) key: ApiKey,
    pub(crate) versions: RangeInclusive<i16>,
    pub(crate) shape: Shape,
}

/// A request whose header was read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) key: i16,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    /// Header and body.
    bytes: Bytes,
    /// What the frame takes of the memory for requests, until the request is answered.
    _memory: Reserved,
}

/// An answer, ready to be written.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) frame: Bytes,
    /// What it holds of the memory for fetched records.
    pub(crate) memory: Option<Reserved>,
}

impl Request {
    pub(crate) fn new(frame: Frame) -> Result<Self, Broken> {
        let mut head = &frame.bytes[..];
        let short = |_| Broken::Malformed("it is shorter than a request's header");
        Ok(Self {
            key: head.try_get_i16().map_err(short)?,
            version: head.try_get_i16().map_err(short)?,
            correlation_id: head.try_get_i32().map_err(short)?,
            bytes: frame.bytes,
            _memory: frame.memory,
        })
    }

    /// Takes the body apart. The strings and record batches of the result are slices of the frame.
    pub(crate) fn decode<T: Decodable>(&self, api: &Api) -> Result<T, Broken> {
        let undecodable = |reason: String| Broken::Undecodable {
            key: self.key,
            version: self.version,
            reason,
        };
        if !api.versions.contains(&self.version) {
            return Err(self.not_offered());
        }
        let mut rest = self.bytes.clone();
        let header_version = api.key.request_header_version(self.version);
        RequestHeader::decode(&mut rest, header_version)
            .map_err(|error| undecodable(format!("header: {error}")))?;
        api.shape
            .check(self.version, &rest)
            .map_err(|reason| undecodable(reason.to_owned()))?;
        T::decode(&mut rest, self.version).map_err(|error| undecodable(error.to_string()))
    }

    /// That this kind, or this version of it, is not offered.
    pub(crate) fn not_offered(&self) -> Broken {
        Broken::NotOffered {
            key: self.key,
            version: self.version,
        }
    }

    /// Writes an answer to this request.
    pub(crate) fn answer<T: Encodable + HeaderVersion>(&self, body: &T) -> Result<Answer, Broken> {
        self.answer_in_version(self.version, body)
    }

    /// Writes an answer in another version than the request's.
    pub(crate) fn answer_in_version<T: Encodable + HeaderVersion>(
        &self,
        version: i16,
        body: &T,
    ) -> Result<Answer, Broken> {
        let frame = encode(self.correlation_id, version, body);
        let frame = frame.map_err(|reason| Broken::Unencodable {
            key: self.key,
            version,
            reason,
        })?;
        Ok(Answer {
            frame,
            memory: None,
        })
    }
}

fn encode<T: Encodable + HeaderVersion>(
    correlation_id: i32,
    version: i16,
    body: &T,
) -> Result<Bytes, String> {
    let header = ResponseHeader::default().with_correlation_id(correlation_id);
    let header_version = T::header_version(version);
    let header_len = header.compute_size(header_version).map_err(text)?;
    let len = header_len + body.compute_size(version).map_err(text)?;
    let mut frame = BytesMut::with_capacity(LENGTH_BYTES + len);
    frame.put_i32(i32::try_from(len).map_err(text)?);
    header.encode(&mut frame, header_version).map_err(text)?;
    body.encode(&mut frame, version).map_err(text)?;
    Ok(frame.freeze())
}

fn text(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
