//! The one door: a converter that was chosen by its class name.

use std::sync::Arc;

use longshore_model::avro;
use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_model::{Value, json as json_text};

use crate::json::{DecimalFormat, JsonFormat, Plan as JsonPlan};
use crate::settings::{ConfigProblem, Name, Place, Settings};
use crate::{SerdeError, header, text};

/// What a datum became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serialized {
    /// Nothing: a tombstone.
    Null,
    /// The datum's own bytes, unchanged.
    AsIs,
    /// Other bytes, which were appended to the buffer.
    Written,
}

/// A schema, compiled to write its data by the converter that made it.
#[derive(Clone, Debug)]
pub struct Plan(JsonPlan);

impl Plan {
    /// About the memory that it takes, for those who keep plans.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// What bytes became.
#[derive(Clone, Debug, PartialEq)]
pub enum Deserialized {
    /// Nothing.
    Null,
    /// Text: the bytes as they are, which are UTF-8.
    AsText,
    /// Bytes as they are.
    AsBytes,
    /// JSON without a schema: the bytes as they are, which are one JSON value.
    AsJson,
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// JSON without a schema.
    Json(String),
    /// Avro binary under a schema.
    Avro {
        /// The schema.
        schema: Arc<Schema>,
        /// The datum.
        datum: Vec<u8>,
    },
}

/// A converter of keys or values.
#[derive(Clone, Debug)]
pub struct Converter(Format);

/// A converter of headers.
#[derive(Clone, Debug)]
pub struct HeaderConverter(Format);

/// The formats there are. Closed: another one is another variant here.
#[derive(Clone, Debug)]
enum Format {
    Json(JsonFormat),
    Text,
    Bytes,
    Header,
}

impl Converter {
    /// The converter of that class: Java's full name, its simple name or an alias. The settings are
    /// those under the converter's prefix, without it.
    ///
    /// # Errors
    /// When nothing here answers to the class, or a setting is unknown or wrong.
    pub fn configure(
        class: &str,
        settings: &[(String, String)],
        _is_key: bool,
    ) -> Result<Self, ConfigProblem> {
        Format::configure(class, settings, Place::KeyOrValue).map(Self)
    }

    /// A schema, compiled to write its data.
    #[must_use]
    pub fn compile(&self, schema: &Schema) -> Plan {
        self.0.compile(schema)
    }

    /// A key or a value as a record carries it, appended to `out` where it is not the datum's own bytes. `plan` is of the
    /// schema behind an Avro datum's handle.
    ///
    /// # Errors
    /// When the datum is not what the converter takes, or is malformed. Nothing is appended then.
    pub fn serialize(
        &self,
        datum: Datum<'_>,
        plan: Option<&mut Plan>,
        out: &mut Vec<u8>,
    ) -> Result<Serialized, SerdeError> {
        self.0.serialize(datum, plan, out)
    }

    /// A record's key or value, read.
    ///
    /// # Errors
    /// When the bytes are malformed.
    pub fn deserialize(&self, bytes: Option<&[u8]>) -> Result<Deserialized, SerdeError> {
        self.0.deserialize(bytes)
    }
}

impl HeaderConverter {
    /// The converter of that class, as [`Converter::configure`] finds it.
    ///
    /// # Errors
    /// When nothing here answers to the class, or a setting is unknown or wrong.
    pub fn configure(class: &str, settings: &[(String, String)]) -> Result<Self, ConfigProblem> {
        Format::configure(class, settings, Place::Header).map(Self)
    }

    /// A schema, compiled to write its data.
    #[must_use]
    pub fn compile(&self, schema: &Schema) -> Plan {
        self.0.compile(schema)
    }

    /// A header's value as a record carries it, appended to `out` where it is not the datum's own bytes. `plan` is of the
    /// schema behind an Avro datum's handle.
    ///
    /// # Errors
    /// When the datum is not what the converter takes, or is malformed. Nothing is appended then.
    pub fn serialize(
        &self,
        datum: Datum<'_>,
        plan: Option<&mut Plan>,
        out: &mut Vec<u8>,
    ) -> Result<Serialized, SerdeError> {
        self.0.serialize(datum, plan, out)
    }

    /// A header's value, read. No converter looks at the header's name.
    ///
    /// # Errors
    /// When the bytes are malformed.
    pub fn deserialize(
        &self,
        _name: &str,
        bytes: Option<&[u8]>,
    ) -> Result<Deserialized, SerdeError> {
        self.0.deserialize(bytes)
    }
}

impl Format {
    fn configure(
        class: &str,
        settings: &[(String, String)],
        place: Place,
    ) -> Result<Self, ConfigProblem> {
        let name = Name::find(class, place)?;
        let mut settings = Settings::new(name, settings);
        let format = match name {
            Name::Json => Self::Json(JsonFormat::configure(&mut settings)?),
            Name::String => {
                text::configure(&mut settings)?;
                Self::Text
            }
            Name::ByteArray => Self::Bytes,
            Name::SimpleHeader => Self::Header,
        };
        settings.finish()?;
        Ok(format)
    }

    fn compile(&self, schema: &Schema) -> Plan {
        Plan(match self {
            Self::Json(format) => format.compile(schema),
            // What they have no form for is JSON there too.
            Self::Text | Self::Bytes | Self::Header => {
                JsonFormat::plain(DecimalFormat::Numeric).compile(schema)
            }
        })
    }

    fn serialize(
        &self,
        datum: Datum<'_>,
        plan: Option<&mut Plan>,
        out: &mut Vec<u8>,
    ) -> Result<Serialized, SerdeError> {
        let (start, plan) = (out.len(), plan.map(|plan| &mut plan.0));
        let serialized = match (self, datum) {
            (_, Datum::Null) => Ok(Serialized::Null),
            (Self::Json(format), datum) => format.serialize(datum, plan, out),
            (Self::Text, datum) => text::serialize(datum, plan, out),
            (Self::Header, datum) => header::serialize(datum, plan, out),
            (Self::Bytes, datum) => bytes_only(datum, plan, out),
        };
        serialized.inspect_err(|_| out.truncate(start))
    }

    fn deserialize(&self, bytes: Option<&[u8]>) -> Result<Deserialized, SerdeError> {
        let Some(bytes) = bytes else {
            return Ok(Deserialized::Null);
        };
        match self {
            Self::Json(format) => format.deserialize(bytes),
            Self::Text => Ok(text::deserialize(bytes)),
            Self::Bytes => Ok(Deserialized::AsBytes),
            Self::Header => Ok(header::deserialize(bytes)),
        }
    }
}

/// `ByteArrayConverter`: bytes as they are and nothing else.
fn bytes_only(
    datum: Datum<'_>,
    plan: Option<&mut JsonPlan>,
    out: &mut Vec<u8>,
) -> Result<Serialized, SerdeError> {
    let found = match datum {
        Datum::Null => return Ok(Serialized::Null),
        Datum::Bytes(_) => return Ok(Serialized::AsIs),
        Datum::Text(_) => "STRING",
        Datum::Json(_) => "JSON without a schema",
        Datum::Avro { bytes, .. } => {
            let schema = plan.ok_or(SerdeError::SchemaMissing)?.schema();
            match avro::read(schema, bytes)? {
                Value::Bytes(bytes) => return Ok(written(out, &bytes)),
                Value::Null => return Ok(Serialized::Null),
                _ => schema.connect_type().name(),
            }
        }
    };
    Err(SerdeError::Type {
        converter: "ByteArrayConverter",
        takes: "BYTES",
        found,
    })
}

/// JSON without a schema, as its one scalar text where it is a string.
pub(crate) fn json_as_text(json: &str, out: &mut Vec<u8>) -> Result<Serialized, SerdeError> {
    let (text, spacing) = json_text::check(json.as_bytes())?;
    Ok(match text.trim_ascii().as_bytes()[0] {
        b'n' => Serialized::Null,
        b'"' => match json_text::parse(json.as_bytes())? {
            json_text::Json::String(text) => written(out, text.as_bytes()),
            _ => Serialized::AsIs,
        },
        _ if spacing == json_text::Spacing::Compact => Serialized::AsIs,
        _ => written(out, json_text::compact(text).as_bytes()),
    })
}

pub(crate) fn written(out: &mut Vec<u8>, bytes: &[u8]) -> Serialized {
    out.extend_from_slice(bytes);
    Serialized::Written
}
