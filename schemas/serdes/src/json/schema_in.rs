//! The JSON of the envelope to a schema.

use std::sync::Arc;

use longshore_model::json::Json;
use longshore_model::schema::{Entry, Field, Kind, SCHEMA_DEPTH_MAX, Schema};

use super::decode::Decoder;
use crate::SerdeError;

/// Reads a schema, and makes sure that it stands as Avro's JSON too, under whose limits it is
/// declared.
pub(super) fn read(decoder: &mut Decoder<'_>, json: &Json<'_>) -> Result<Schema, SerdeError> {
    let schema = schema(decoder, json, 0)?;
    match Schema::parse(&schema.to_avro_json()) {
        Ok(_) => Ok(schema),
        Err(_) => Err(SerdeError::schema(
            "one that Avro can write within the limits",
        )),
    }
}

fn schema(decoder: &mut Decoder<'_>, json: &Json<'_>, depth: usize) -> Result<Schema, SerdeError> {
    if depth > SCHEMA_DEPTH_MAX {
        return Err(SerdeError::schema("nested less deep"));
    }
    let Some(type_name) = json.get("type").and_then(Json::as_str) else {
        return Err(SerdeError::schema("an object with a type"));
    };
    let mut inner = |member: &'static str| match json.get(member) {
        None | Some(Json::Null) => Err(SerdeError::schema("complete").within(member)),
        Some(json) => schema(decoder, json, depth + 1).map_err(|e| e.within(member)),
    };
    let kind = match type_name {
        "boolean" => Kind::Boolean,
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(Arc::new(inner("items")?)),
        "map" => {
            let key = inner("keys")?;
            let value = inner("values")?;
            Kind::Map(Arc::new(Entry { key, value }))
        }
        "struct" => fields(decoder, json, depth)?,
        _ => return Err(SerdeError::schema("of a type that Connect has")),
    };
    let mut schema = Schema::new(kind);
    annotate(&mut schema, json)?;
    match json.get("default") {
        None => {}
        Some(Json::Null) if schema.optional => {}
        Some(default) => {
            let value = decoder.value(&schema, default);
            schema.default = Some(value.map_err(|e| e.within("default"))?);
            schema.null_last = schema.optional;
        }
    }
    Ok(schema)
}

fn fields(decoder: &mut Decoder<'_>, json: &Json<'_>, depth: usize) -> Result<Kind, SerdeError> {
    let Some(members) = json.get("fields").and_then(Json::as_array) else {
        return Err(SerdeError::schema("a list").within("fields"));
    };
    let mut fields: Vec<Field> = Vec::with_capacity(members.len());
    for member in members {
        let Some(name) = member.get("field").and_then(Json::as_str) else {
            return Err(SerdeError::schema("a field's name").within("fields[].field"));
        };
        let schema = schema(decoder, member, depth + 1).map_err(|e| e.within(name))?;
        fields.push(Field {
            name: name.to_owned(),
            schema,
        });
    }
    Ok(Kind::Struct(fields.into()))
}

fn annotate(schema: &mut Schema, json: &Json<'_>) -> Result<(), SerdeError> {
    let text = |member: &str| json.get(member).and_then(Json::as_str).map(str::to_owned);
    schema.optional = json.get("optional") == Some(&Json::Bool(true));
    schema.name = text("name");
    schema.doc = text("doc");
    if let Some(version @ Json::Number(_)) = json.get("version") {
        let version = version.as_i64().and_then(|v| i32::try_from(v).ok());
        let version = version.ok_or_else(|| SerdeError::schema("a number").within("version"))?;
        schema.version = Some(version);
    }
    if let Some(Json::Object(parameters)) = json.get("parameters") {
        for (name, value) in parameters {
            let Some(value) = value.as_str() else {
                return Err(SerdeError::schema("texts").within("parameters"));
            };
            schema.set_parameter(name, value);
        }
    }
    Ok(())
}
