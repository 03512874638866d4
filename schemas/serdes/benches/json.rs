//! A change event of five columns, as the Postgres source makes it, and its key to JSON.
//! `cargo bench -p longshore-serdes`
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark of what is known to be right"
)]

use divan::counter::ItemsCount;
use longshore_model::batch::Datum;
use longshore_model::schema::Schema;
use longshore_model::{Value, avro};
use longshore_serdes::Converter;

const KEY: &str = r#"{"type":"record","name":"Key","namespace":"shop.public.orders","fields":[{"name":"id","type":"long"}]}"#;

const ENVELOPE: &str = include_str!("envelope.avsc");

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Created rows of 100 bytes, of one transaction.
fn created() -> Vec<Value> {
    (0..100).map(created_at).collect()
}

fn created_at(row: i64) -> Value {
    let lsn = 22_191_584 + 160 * row;
    let after = Value::Struct(vec![
        Value::Int64(4711 + row),
        text("customer-00001234@example.org"),
        Value::Int32(250),
        Value::Boolean(true),
        text("a note of some forty-five characters or so.."),
    ]);
    let source = Value::Struct(vec![
        text("0.1.0"),
        text("postgresql"),
        text("shop"),
        Value::Int64(1_795_260_188_847),
        text("false"),
        text("postgres"),
        text(&format!("[\"22191416\",\"{lsn}\"]")),
        Value::Int64(1_795_260_188_847_721),
        Value::Int64(1_795_260_188_847_721_000),
        text("public"),
        text("orders"),
        Value::Int64(730),
        Value::Int64(lsn),
        Value::Null,
    ]);
    Value::Struct(vec![
        Value::Null,
        after,
        source,
        Value::Null,
        text("c"),
        Value::Int64(1_795_260_189_068),
        Value::Int64(1_795_260_189_068_745),
        Value::Int64(1_795_260_189_068_745_022),
    ])
}

fn datum(schema: &Schema, value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    avro::write(schema, value, &mut bytes).unwrap();
    bytes
}

/// All of them, one after the other, by one plan.
fn bench(bencher: divan::Bencher<'_, '_>, schema: &str, values: &[Value], enable: &str) {
    let schema = Schema::parse(schema).unwrap();
    let data: Vec<_> = values.iter().map(|value| datum(&schema, value)).collect();
    let settings = [("schemas.enable".to_owned(), enable.to_owned())];
    let converter = Converter::configure("json", &settings, false).unwrap();
    let mut plan = converter.compile(&schema);
    let mut out = Vec::new();
    let bencher = bencher.counter(ItemsCount::new(data.len()));
    bencher.bench_local(|| {
        out.clear();
        for bytes in &data {
            let datum = Datum::Avro { schema: 1, bytes };
            converter
                .serialize(datum, Some(&mut plan), &mut out)
                .unwrap();
        }
    });
}

#[divan::bench]
fn value(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, ENVELOPE, &created(), "false");
}

#[divan::bench]
fn value_with_its_schema(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, ENVELOPE, &created(), "true");
}

#[divan::bench]
fn key(bencher: divan::Bencher<'_, '_>) {
    let key = |id| Value::Struct(vec![Value::Int64(id)]);
    let keys: Vec<_> = (4711..4811).map(key).collect();
    bench(bencher, KEY, &keys, "false");
}

fn main() {
    divan::main();
}
