//! One column of a table: its field, and how its cells are written.

use longshore_sdk::schema::{Field, Schema};
use longshore_sdk::{Fault, FaultClass, Value, avro};

use super::mapping::{self, Mapped};
use super::{ValueOptions, default, placeholder};
use crate::pg_type::{PgType, Types};
use crate::value::Encoder;

/// What a table's topic, schemas and `source` are named after.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    /// `topic.prefix`.
    pub(crate) prefix: &'a str,
    pub(crate) database: &'a str,
    pub(crate) schema: &'a str,
    pub(crate) table: &'a str,
}

impl Names<'_> {
    /// The table as errors name it.
    pub(crate) fn table(&self) -> String {
        format!("{}.{}", self.schema, self.table)
    }
}

/// A column as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) modifier: i32,
    pub(crate) not_null: bool,
    /// As `pg_get_expr` prints it.
    pub(crate) default: Option<String>,
}

/// How a column's cells are written.
#[derive(Clone, Debug)]
pub(crate) struct ColumnPlan {
    /// Its place among the cells.
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) encoder: Encoder,
    /// What stands in front of a value: the number of the union's branch, if there is a union.
    pub(crate) branch: Option<u8>,
    /// What is written where there is no value: null, or what a required column has for it.
    pub(crate) null: Vec<u8>,
    /// What is written for a large value that the server did not send again.
    pub(crate) unchanged: Vec<u8>,
}

impl ColumnPlan {
    /// The column's schema and plan.
    ///
    /// # Errors
    /// When nothing is known of the column's type.
    fn compile(
        (index, column): (usize, &Column),
        names: &Names<'_>,
        types: &Types,
        options: &ValueOptions,
    ) -> Result<(Schema, Self), Fault> {
        let found = mapping::map(types, options, column.type_oid, column.modifier);
        let Some(mapped) = found else {
            return Err(unknown_type(column, names, types.get(column.type_oid)));
        };
        let default = column.default.as_deref().and_then(|expression| {
            default::parse(expression, types.get(column.type_oid)?, &mapped)
        });
        let schema = field_schema(&mapped, column.not_null, default);
        let absent = if schema.optional {
            Value::Null
        } else {
            let zero = || placeholder::zero(&mapped, options.money_fraction_digits);
            schema.default.clone().unwrap_or_else(zero)
        };
        let null = datum(&schema, &absent);
        let unavailable = placeholder::unavailable(&mapped, &options.unavailable);
        let plan = Self {
            index,
            name: column.name.clone(),
            encoder: mapped.encoder,
            branch: schema
                .optional
                .then_some(if schema.null_last { 0 } else { 2 }),
            unchanged: unavailable.map_or_else(|| null.clone(), |value| datum(&schema, &value)),
            null,
        };
        Ok((schema, plan))
    }
}

/// The fields and the plans of the columns at these places.
///
/// # Errors
/// When nothing is known of a column's type.
pub(crate) fn columns(
    columns: &[Column],
    places: &[usize],
    names: &Names<'_>,
    types: &Types,
    options: &ValueOptions,
) -> Result<(Vec<Field>, Vec<ColumnPlan>), Fault> {
    let mut fields = Vec::with_capacity(places.len());
    let mut plans = Vec::with_capacity(places.len());
    for place in places {
        let column = &columns[*place];
        let (schema, plan) = ColumnPlan::compile((*place, column), names, types, options)?;
        fields.push(Field {
            name: column.name.clone(),
            schema,
        });
        plans.push(plan);
    }
    Ok((fields, plans))
}

fn field_schema(mapped: &Mapped, not_null: bool, default: Option<Value>) -> Schema {
    let mut schema = mapped.schema.clone();
    schema.default = default;
    if not_null { schema } else { schema.optional() }
}

fn datum(schema: &Schema, value: &Value) -> Vec<u8> {
    let mut datum = Vec::new();
    avro::write(schema, value, &mut datum).expect("a stand-in is made for its schema");
    datum
}

fn unknown_type(column: &Column, names: &Names<'_>, pg_type: Option<&PgType>) -> Fault {
    let type_name = pg_type.map_or_else(|| format!("oid {}", column.type_oid), PgType::full_name);
    let (table, name) = (names.table(), &column.name);
    let message = format!(
        "column {name} of table {table} has type {type_name}, which has no mapping: set \
         unknown.types=text to get its values as text, or leave it out with column.exclude.list"
    );
    Fault::new(FaultClass::Config, "postgres-unknown-type", message)
        .with("table", table)
        .with("column", name)
        .with("type", type_name)
}
