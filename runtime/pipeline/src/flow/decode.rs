//! Records of a topic to the rows of a flat batch; what cannot be read is handed back as poison.

use std::ops::Range;
use std::sync::Arc;

use longshore_model::batch::{BATCH_BYTES_MAX, BatchWriter, Datum, Malformed, NewRow};
use longshore_model::{Fault, FaultClass};
use longshore_serdes::{Converter, Deserialized};

use crate::batch::{Fetched, FetchedRecord};
use crate::converter::{Converters, declare};
use crate::failure::Stage;
use crate::schemas::SchemaTable;

/// A record that could not be read, by its place in [`Fetched::records`].
pub(super) type Poison = (usize, Stage, Fault);

/// Turns what was fetched into batches.
#[derive(Debug)]
pub(super) struct Decoder {
    pub(super) converters: Converters,
    pub(super) schemas: Arc<SchemaTable>,
}

/// A key, a value or a header's value, read.
#[derive(Debug)]
enum Read<'a> {
    Borrowed(Datum<'a>),
    Bytes(Vec<u8>),
    Json(String),
    Text(String),
    Avro(u32, Vec<u8>),
}

impl Read<'_> {
    fn datum(&self) -> Datum<'_> {
        match self {
            Self::Borrowed(datum) => *datum,
            Self::Bytes(bytes) => Datum::Bytes(bytes),
            Self::Json(json) => Datum::Json(json),
            Self::Text(text) => Datum::Text(text),
            Self::Avro(schema, bytes) => Datum::Avro {
                schema: *schema,
                bytes,
            },
        }
    }
}

/// What a part of a fetch came to.
pub(super) struct Decoded {
    /// The rows, each row's origin its place in the fetch.
    pub(super) batch: Vec<u8>,
    /// Records that are not among them.
    pub(super) poison: Vec<Poison>,
    /// The place of the first record that was not looked at.
    pub(super) next: usize,
}

/// A batch ends here, so that its tables and what transforms add have room.
const BATCH_BYTES: usize = BATCH_BYTES_MAX / 2;

impl Decoder {
    /// Writes records from a place on into a batch, as many as it takes: records that were compressed come to more than
    /// was fetched. Only what does not fit a batch of its own is poison for its size.
    pub(super) fn decode(&mut self, fetched: &Fetched, from: usize) -> Result<Decoded, Fault> {
        let bytes = fetched.buffer.len().min(BATCH_BYTES);
        let mut writer = BatchWriter::with_capacity(bytes);
        let (mut poison, mut next) = (Vec::new(), from);
        while let Some(record) = fetched.records.get(next)
            && writer.bytes() < BATCH_BYTES
        {
            match self.decode_record(fetched, next, record, &mut writer) {
                Ok(()) => {}
                Err((_, fault)) if fault.class == FaultClass::Fatal => return Err(fault),
                Err((Stage::KafkaConsume, _)) if writer.rows() > 0 => break,
                Err((stage, fault)) => poison.push((next, stage, fault)),
            }
            next += 1;
        }
        Ok(Decoded {
            batch: writer.finish().map_err(too_large)?,
            poison,
            next,
        })
    }

    fn decode_record(
        &mut self,
        fetched: &Fetched,
        place: usize,
        record: &FetchedRecord,
        writer: &mut BatchWriter,
    ) -> Result<(), (Stage, Fault)> {
        let slice = |range: &Option<Range<u32>>| range.as_ref().map(|range| fetched.bytes(range));
        let Converters { key, value, header } = &self.converters;
        let key = read(key, &self.schemas, slice(&record.key))
            .map_err(|fault| (Stage::KeyConverter, fault))?;
        let value = read(value, &self.schemas, slice(&record.value))
            .map_err(|fault| (Stage::ValueConverter, fault))?;
        let mut headers = Vec::with_capacity(record.headers.len());
        for (name, value) in &record.headers {
            let read = header.deserialize(name, slice(value));
            let read = own(&self.schemas, read.map_err(bad_record), slice(value));
            headers.push((
                name.as_str(),
                read.map_err(|f| (Stage::HeaderConverter, f))?,
            ));
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, read)| (*name, read.datum()))
            .collect();
        let consume = |error| (Stage::KafkaConsume, too_large(error));
        let row = NewRow {
            topic: Some(
                writer
                    .topic(fetched.partition.topic.as_str())
                    .map_err(consume)?,
            ),
            source: None,
            partition: Some(fetched.partition.partition),
            origin: u32::try_from(place).unwrap_or(u32::MAX),
            timestamp: record.timestamp_ms,
            offset: Some(record.offset),
            key: key.datum(),
            value: value.datum(),
            headers: &headers,
            fault: None,
        };
        writer.push(&row).map_err(consume)
    }
}

fn read<'a>(
    converter: &Converter,
    schemas: &SchemaTable,
    bytes: Option<&'a [u8]>,
) -> Result<Read<'a>, Fault> {
    own(
        schemas,
        converter.deserialize(bytes).map_err(bad_record),
        bytes,
    )
}

fn own<'a>(
    schemas: &SchemaTable,
    read: Result<Deserialized, Fault>,
    bytes: Option<&'a [u8]>,
) -> Result<Read<'a>, Fault> {
    let bytes = bytes.unwrap_or_default();
    let text = || {
        std::str::from_utf8(bytes)
            .map_err(|_| Fault::new(FaultClass::BadRecord, "not-utf8", "text is not UTF-8"))
    };
    Ok(match read? {
        Deserialized::Null => Read::Borrowed(Datum::Null),
        Deserialized::AsBytes => Read::Borrowed(Datum::Bytes(bytes)),
        Deserialized::AsText => Read::Borrowed(Datum::Text(text()?)),
        Deserialized::AsJson => Read::Borrowed(Datum::Json(text()?)),
        Deserialized::Text(text) => Read::Text(text),
        Deserialized::Bytes(bytes) => Read::Bytes(bytes),
        Deserialized::Json(json) => Read::Json(json),
        Deserialized::Avro { schema, datum } => Read::Avro(declare(schemas, &schema)?, datum),
    })
}

fn bad_record(error: longshore_serdes::SerdeError) -> Fault {
    Fault::new(error.class(), error.code(), error.to_string())
}

fn too_large(error: Malformed) -> Fault {
    Fault::new(FaultClass::BadRecord, "record-too-large", error.to_string())
}
