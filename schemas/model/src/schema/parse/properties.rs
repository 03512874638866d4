//! The properties beside a type: `connect.*` and Avro's logical types.

use alloc::borrow::ToOwned;
use alloc::format;

use super::Parser;
use crate::json::Json;
use crate::schema::{
    DATE, DECIMAL, InvalidSchema, Kind, PRECISION_DEFAULT, PRECISION_PARAMETER, SCALE_PARAMETER,
    Schema, TIME, TIMESTAMP, defaults,
};

impl Parser {
    /// Puts what stands beside the type into the schema.
    pub(super) fn annotate(
        &mut self,
        schema: &mut Schema,
        json: &Json<'_>,
    ) -> Result<(), InvalidSchema> {
        self.connect_type(schema, json)?;
        self.logical_type(schema, json)?;
        self.name_and_version(schema, json)?;
        let doc = json.get("connect.doc").or_else(|| json.get("doc"));
        schema.doc = doc.and_then(Json::as_str).map(ToOwned::to_owned);
        self.parameters(schema, json)?;
        match json.get("connect.default") {
            None | Some(Json::Null) => {}
            Some(default) => {
                let Some(value) = defaults::read(schema, default) else {
                    return Err(InvalidSchema::Default { path: self.path() });
                };
                schema.default = Some(value);
            }
        }
        Ok(())
    }

    /// `connect.type` tells the short integers apart, which are Avro ints.
    fn connect_type(&self, schema: &mut Schema, json: &Json<'_>) -> Result<(), InvalidSchema> {
        if schema.kind != Kind::Int32 || json.get("logicalType").is_some() {
            return Ok(());
        }
        schema.kind = match json.get("connect.type").map(Json::as_str) {
            None => return Ok(()),
            Some(Some("int8")) => Kind::Int8,
            Some(Some("int16")) => Kind::Int16,
            Some(_) => return Err(self.attribute("connect.type", "int8 or int16")),
        };
        Ok(())
    }

    /// Avro's logical types that Connect knows. Of others the type beneath remains.
    fn logical_type(&self, schema: &mut Schema, json: &Json<'_>) -> Result<(), InvalidSchema> {
        let logical = json.get("logicalType").and_then(Json::as_str);
        let name = match (logical, &schema.kind) {
            (Some("date"), Kind::Int32) => DATE,
            (Some("time-millis"), Kind::Int32) => TIME,
            (Some("timestamp-millis"), Kind::Int64) => TIMESTAMP,
            (Some("decimal"), Kind::Bytes | Kind::Fixed { .. }) => {
                let scale = match json.get("scale") {
                    None => 0,
                    Some(scale) => (scale.as_i64().and_then(|s| i32::try_from(s).ok()))
                        .ok_or_else(|| self.attribute("scale", "a number"))?,
                };
                schema.set_parameter(SCALE_PARAMETER, &format!("{scale}"));
                if let Some(precision) = json.get("precision") {
                    let precision = precision
                        .as_i64()
                        .ok_or_else(|| self.attribute("precision", "a number"))?;
                    if precision != PRECISION_DEFAULT {
                        schema.set_parameter(PRECISION_PARAMETER, &format!("{precision}"));
                    }
                }
                DECIMAL
            }
            _ => return Ok(()),
        };
        schema.name = Some(name.to_owned());
        schema.version = Some(1);
        Ok(())
    }

    fn name_and_version(&self, schema: &mut Schema, json: &Json<'_>) -> Result<(), InvalidSchema> {
        if let Some(name) = json.get("connect.name") {
            let expected = "the name, and that of the logical type";
            match name.as_str() {
                Some(name) if schema.name.as_deref().is_none_or(|n| n == name) => {
                    schema.name = Some(name.to_owned());
                }
                _ => return Err(self.attribute("connect.name", expected)),
            }
        }
        if let Some(version) = json.get("connect.version") {
            let expected = "a number, and that of the logical type";
            let version = version.as_i64().and_then(|v| i32::try_from(v).ok());
            match version {
                Some(version) if schema.version.is_none_or(|v| v == version) => {
                    schema.version = Some(version);
                }
                _ => return Err(self.attribute("connect.version", expected)),
            }
        }
        Ok(())
    }

    fn parameters(&self, schema: &mut Schema, json: &Json<'_>) -> Result<(), InvalidSchema> {
        let Some(parameters) = json.get("connect.parameters") else {
            return Ok(());
        };
        let wrong = || self.attribute("connect.parameters", "an object of texts");
        for (name, value) in parameters.as_object().ok_or_else(wrong)? {
            schema.set_parameter(name, value.as_str().ok_or_else(wrong)?);
        }
        Ok(())
    }
}
