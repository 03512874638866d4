//! For tests: cells of one column, written into an envelope and read back with the parsed schema.

use longshore_sdk::schema::{Kind, Schema};
use longshore_sdk::{Fault, Value, avro};

use super::{Cell, Change, Op, Shape, SnapshotMark, SourceFields, Tail};
use crate::pg_type::{PgType, TypeKind, Types};
use crate::schema::{Column, Names, ValueOptions};

/// Types and options to try columns under.
#[derive(Default)]
pub(crate) struct Probe {
    pub(crate) types: Types,
    pub(crate) options: ValueOptions,
}

pub(crate) fn column(name: &str, type_oid: u32, modifier: i32) -> Column {
    Column {
        name: name.to_owned(),
        type_oid,
        modifier,
        not_null: false,
        default: None,
    }
}

impl Probe {
    pub(crate) fn with(mut self, oid: u32, name: &str, kind: TypeKind) -> Self {
        let (schema, name) = ("public".to_owned(), name.to_owned());
        self.types.insert(PgType {
            oid,
            schema,
            name,
            kind,
        });
        self
    }

    pub(crate) fn shape(&self, columns: &[Column]) -> Result<Shape, Fault> {
        let names = Names {
            prefix: "p",
            database: "db",
            schema: "public",
            table: "t",
        };
        let captured = vec![true; columns.len()];
        Shape::compile(&names, columns, &[], &captured, &self.types, &self.options)
    }

    /// The fields of `after`, with their schemas.
    pub(crate) fn row(
        &self,
        columns: &[Column],
        cells: &[Cell<'_>],
    ) -> Result<Vec<(Schema, Value)>, Fault> {
        let shape = self.shape(columns)?;
        let mut datum = Vec::new();
        let change = Change {
            op: Op::Create,
            before: None,
            after: Some(cells),
            source: &source(),
            now_us: 0,
        };
        let written = shape.write_envelope(&change, &mut Tail::default(), &mut datum);
        written.inspect_err(|_| {
            assert!(datum.is_empty(), "what was refused leaves nothing behind");
        })?;
        assert!(datum.len() <= shape.size(&change), "{change:?}");
        for plan in &shape.row {
            let Some(Cell::Text(text)) = cells.get(plan.index) else {
                continue;
            };
            let mut value = Vec::new();
            let written = plan.encoder.write(text, &mut value);
            written.expect("it was just written");
            assert!(value.len() <= plan.encoder.room(text), "{plan:?}");
        }
        let schema = Schema::parse(shape.value_schema()).expect("a shape prints schemas");
        let value = avro::read(&schema, &datum).expect("a shape writes what its schema says");
        let (Kind::Struct(envelope), Value::Struct(mut values)) = (&schema.kind, value) else {
            panic!("an envelope is a struct");
        };
        let Kind::Struct(fields) = &envelope[1].schema.kind else {
            panic!("a row is a struct");
        };
        let Value::Struct(row) = std::mem::take(&mut values[1]) else {
            panic!("there is a row");
        };
        Ok(fields
            .iter()
            .map(|field| field.schema.clone())
            .zip(row)
            .collect())
    }

    /// What a text becomes, in a required column and in an optional one.
    pub(crate) fn value(&self, oid: u32, modifier: i32, text: &[u8]) -> Result<Value, Fault> {
        let (mut required, optional) = (column("r", oid, modifier), column("o", oid, modifier));
        required.not_null = true;
        let both = self.row(&[required, optional], &[Cell::Text(text), Cell::Text(text)])?;
        let [(_, required), (_, optional)] = <[_; 2]>::try_from(both).expect("there are two");
        // NaN is not itself.
        assert_eq!(format!("{required:?}"), format!("{optional:?}"));
        Ok(required)
    }

    /// What a cell of one column becomes.
    pub(crate) fn cell(&self, column: Column, cell: Cell<'_>) -> Value {
        let mut row = self.row(&[column], &[cell]).expect("it is written");
        row.remove(0).1
    }

    /// The schema of a column.
    pub(crate) fn schema(&self, column: Column) -> Schema {
        let mut row = self.row(&[column], &[Cell::Null]).expect("it is written");
        row.remove(0).0
    }
}

pub(crate) fn source() -> SourceFields {
    SourceFields {
        at_us: 1,
        snapshot: SnapshotMark::False,
        last_commit: None,
        lsn: None,
        txid: None,
        xmin: None,
    }
}
