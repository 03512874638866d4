//! Compiled plans: any value of any schema comes out as JSON that says the same, and any bytes that are no datum are
//! refused as the reader of values refuses them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use longshore_model::batch::Datum;
use longshore_model::json::{Json, parse};
use longshore_model::schema::{Entry, Field, Kind, Schema, Type};
use longshore_model::{Value, avro};
use longshore_serdes::{SerdeError, Serialized};
use proptest::prelude::*;

use crate::converter;

const DEPTH: u32 = 4;

fn schemas() -> impl Strategy<Value = Schema> {
    let symbols = ["A", "\"quoted\"", "é😀"].map(str::to_owned);
    let leaves = vec![
        Kind::Boolean,
        Kind::Int8,
        Kind::Int16,
        Kind::Int32,
        Kind::Int64,
        Kind::Float32,
        Kind::Float64,
        Kind::String,
        Kind::Bytes,
        Kind::Fixed {
            name: "F".to_owned(),
            size: 4,
        },
        Kind::Enum {
            name: "E".to_owned(),
            symbols: symbols.into(),
        },
    ];
    let leaf = prop::sample::select(leaves).prop_flat_map(adorned);
    leaf.prop_recursive(DEPTH, 24, 4, |inner| {
        let keys = prop::sample::select(vec![Kind::String, Kind::Int16]);
        let keys = (keys, any::<bool>()).prop_map(|(kind, optional)| Schema {
            optional,
            ..Schema::new(kind)
        });
        let maps = (keys, inner.clone());
        prop_oneof![
            inner.clone().prop_map(|items| Kind::Array(items.into())),
            maps.prop_map(|(key, value)| Kind::Map(Entry { key, value }.into())),
            prop::collection::vec(inner.clone(), 0..5).prop_map(|f| Kind::Struct(named(f).into())),
            prop::collection::vec(inner, 1..4).prop_map(|branches| {
                let nested = |field: &Field| matches!(field.schema.kind, Kind::Union(_));
                let branches = named(branches);
                match branches.iter().any(nested) {
                    true => Kind::Struct(branches.into()),
                    false => Kind::Union(branches.into_iter().map(branch).collect()),
                }
            }),
        ]
        .prop_flat_map(adorned)
    })
}

fn branch(field: Field) -> Field {
    Field {
        schema: field.schema.optional(),
        ..field
    }
}

fn named(schemas: Vec<Schema>) -> Vec<Field> {
    let names = ["a", "b\"\\", "é😀\n", "d", "e"].into_iter();
    names
        .zip(schemas)
        .map(|(name, schema)| Field {
            name: name.to_owned(),
            schema,
        })
        .collect()
}

/// Optional or not, and perhaps with a default.
fn adorned(kind: Kind) -> impl Strategy<Value = Schema> {
    let schema = Schema::new(kind);
    let default = prop::option::of(values(&schema));
    (Just(schema), default, any::<(bool, bool)>()).prop_map(
        |(schema, default, (optional, null_last))| Schema {
            optional,
            null_last,
            default,
            ..schema
        },
    )
}

fn values(schema: &Schema) -> BoxedStrategy<Value> {
    let value = match &schema.kind {
        Kind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Int8 => any::<i8>().prop_map(Value::Int8).boxed(),
        Kind::Int16 => any::<i16>().prop_map(Value::Int16).boxed(),
        Kind::Int32 => any::<i32>().prop_map(Value::Int32).boxed(),
        Kind::Int64 => any::<i64>().prop_map(Value::Int64).boxed(),
        Kind::Float32 => {
            let bits = any::<u32>().prop_map(f32::from_bits);
            bits.prop_map(Value::Float32).boxed()
        }
        Kind::Float64 => {
            let bits = any::<u64>().prop_map(f64::from_bits);
            bits.prop_map(Value::Float64).boxed()
        }
        Kind::String => text().prop_map(Value::String).boxed(),
        Kind::Enum { symbols, .. } => {
            let symbols = prop::sample::select(symbols.to_vec());
            symbols.prop_map(Value::String).boxed()
        }
        Kind::Bytes => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        Kind::Fixed { size, .. } => {
            let bytes = prop::collection::vec(any::<u8>(), *size);
            bytes.prop_map(Value::Bytes).boxed()
        }
        Kind::Array(items) => {
            let items = prop::collection::vec(values(items), 0..4);
            items.prop_map(Value::Array).boxed()
        }
        Kind::Map(entry) => {
            let pairs = prop::collection::vec((values(&entry.key), values(&entry.value)), 0..4);
            pairs.prop_map(Value::Map).boxed()
        }
        Kind::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| values(&field.schema)).collect();
            fields.prop_map(Value::Struct).boxed()
        }
        Kind::Union(branches) => {
            let one = |set: usize| {
                let n_branches = branches.len();
                let required = Schema {
                    optional: false,
                    ..branches[set].schema.clone()
                };
                values(&required).prop_map(move |value| {
                    let mut values = vec![Value::Null; n_branches];
                    values[set] = value;
                    Value::Struct(values)
                })
            };
            prop::strategy::Union::new((0..branches.len()).map(one)).boxed()
        }
    };
    match schema.optional {
        true => prop_oneof![1 => Just(Value::Null), 3 => value].boxed(),
        false => value,
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z \"\\\\]{0,40}"]
}

/// Whether the JSON says what the value is.
fn says(json: &Json<'_>, schema: &Schema, value: &Value) -> bool {
    match (value, &schema.kind) {
        (Value::Null, _) => match &schema.default {
            Some(default) if *default != Value::Null => says(json, schema, default),
            _ => *json == Json::Null,
        },
        (Value::Boolean(value), _) => *json == Json::Bool(*value),
        (Value::Int8(number), _) => json.as_i64() == Some(i64::from(*number)),
        (Value::Int16(number), _) => json.as_i64() == Some(i64::from(*number)),
        (Value::Int32(number), _) => json.as_i64() == Some(i64::from(*number)),
        (Value::Int64(number), _) => json.as_i64() == Some(*number),
        (Value::Float32(number), _) => match json {
            Json::Number(digits) => digits.parse() == Ok(*number),
            name => !number.is_finite() && name.as_str().unwrap().parse::<f32>().is_ok(),
        },
        (Value::Float64(number), _) => match json {
            Json::Number(digits) => digits.parse() == Ok(*number),
            name => !number.is_finite() && name.as_str().unwrap().parse::<f64>().is_ok(),
        },
        (Value::String(text), _) => json.as_str() == Some(text),
        (Value::Bytes(bytes), _) => json.as_str() == Some(&STANDARD.encode(bytes)),
        (Value::Array(values), Kind::Array(items)) => {
            let list = json.as_array().unwrap();
            let mut pairs = list.iter().zip(values);
            list.len() == values.len() && pairs.all(|(json, value)| says(json, items, value))
        }
        (Value::Map(pairs), Kind::Map(entry)) if entry.key.connect_type() == Type::String => {
            let members = json.as_object().unwrap();
            let mut both = members.iter().zip(pairs);
            members.len() == pairs.len()
                && both.all(|((name, json), (key, value))| {
                    let key = match key {
                        Value::String(key) => key,
                        _ => "null",
                    };
                    name == key && says(json, &entry.value, value)
                })
        }
        (Value::Map(pairs), Kind::Map(entry)) => {
            let list = json.as_array().unwrap();
            let mut both = list.iter().zip(pairs);
            list.len() == pairs.len()
                && both.all(|(pair, (key, value))| {
                    let pair = pair.as_array().unwrap();
                    says(&pair[0], &entry.key, key) && says(&pair[1], &entry.value, value)
                })
        }
        (Value::Struct(values), Kind::Struct(fields) | Kind::Union(fields)) => {
            let members = json.as_object().unwrap();
            let mut all = members.iter().zip(fields.iter().zip(values));
            members.len() == fields.len()
                && all.all(|((name, json), (field, value))| {
                    *name == field.name && says(json, &field.schema, value)
                })
        }
        _ => false,
    }
}

fn data() -> impl Strategy<Value = (Schema, Value)> {
    schemas().prop_flat_map(|schema| {
        let value = values(&schema);
        (Just(schema), value)
    })
}

fn datum(schema: &Schema, value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    avro::write(schema, value, &mut bytes).unwrap();
    bytes
}

/// Structs in structs, one of which is empty.
const NESTED: &str = r#"{"type": "record", "name": "r", "fields": [
    {"name": "a", "type": "long"},
    {"name": "s", "type": {"type": "record", "name": "s", "fields": [
        {"name": "b", "type": "long"},
        {"name": "c", "type": ["null", "long"]},
        {"name": "t", "type": {"type": "record", "name": "t", "fields": [
            {"name": "d", "type": "long"},
            {"name": "z", "type": {"type": "record", "name": "z", "fields": []}}]}}]}},
    {"name": "e", "type": "long"},
    {"name": "f", "type": "string"},
    {"name": "g", "type": "long"}]}"#;

proptest! {
    #[test]
    fn any_value_of_any_schema_is_said_in_json((schema, value) in data()) {
        let bytes = datum(&schema, &value);
        let datum = Datum::Avro { schema: 1, bytes: &bytes };
        for settings in ["schemas.enable=false", "schemas.enable=true"] {
            let json = converter("json", &[settings]);
            let mut out = b"before".to_vec();
            let written = json.serialize(datum, Some(&mut json.compile(&schema)), &mut out);
            prop_assert_eq!(written, Ok(Serialized::Written));
            let text = out.strip_prefix(b"before").unwrap();
            let tree = parse(text).unwrap();
            let payload = if settings.ends_with("true") { tree.get("payload").unwrap() } else { &tree };
            prop_assert!(says(payload, &schema, &value), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_plan_writes_what_comes_as_if_nothing_had_come_before(
        (schema, values) in schemas().prop_flat_map(|schema| {
            let some = prop::collection::vec(values(&schema), 2..6);
            (Just(schema), some)
        }),
        repeated in any::<prop::sample::Index>(),
        damaged in any::<(prop::sample::Index, prop::sample::Index, u8)>(),
    ) {
        let mut data: Vec<_> = values.iter().map(|value| datum(&schema, value)).collect();
        data.insert(1, data[repeated.index(data.len())].clone());
        let (which, at, byte) = damaged;
        let mut damaged = data[which.index(data.len())].clone();
        if !damaged.is_empty() {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        data.insert(2, damaged);
        let json = converter("json", &["schemas.enable=false"]);
        let mut plan = json.compile(&schema);
        for bytes in &data {
            let datum = Datum::Avro { schema: 1, bytes };
            let (mut out, mut alone) = (Vec::new(), Vec::new());
            let written = json.serialize(datum, Some(&mut plan), &mut out);
            prop_assert_eq!(written, json.serialize(datum, Some(&mut json.compile(&schema)), &mut alone));
            prop_assert_eq!(out, alone);
        }
    }

    #[test]
    fn what_a_record_repeats_of_the_one_before_is_written_where_it_belongs(
        rows in prop::collection::vec(prop::array::uniform7(0_i64..3), 2..8),
    ) {
        let schema = Schema::parse(NESTED).unwrap();
        let json = converter("json", &["schemas.enable=false"]);
        let mut plan = json.compile(&schema);
        for [a, b, c, d, e, f, g] in rows {
            // Of one byte and of three, so that what follows stands elsewhere.
            let wide = |n: i64| n * 10_000;
            let inner = Value::Struct(vec![
                Value::Int64(wide(b)),
                if c == 0 { Value::Null } else { Value::Int64(c) },
                Value::Struct(vec![Value::Int64(d), Value::Struct(vec![])]),
            ]);
            let text = Value::String("\"".repeat(usize::try_from(f).unwrap()));
            let value = Value::Struct(vec![
                Value::Int64(wide(a)), inner, Value::Int64(e), text, Value::Int64(wide(g)),
            ]);
            let bytes = datum(&schema, &value);
            let mut out = Vec::new();
            let written = json.serialize(Datum::Avro { schema: 1, bytes: &bytes }, Some(&mut plan), &mut out);
            prop_assert_eq!(written, Ok(Serialized::Written));
            let c = if c == 0 { "null".to_owned() } else { c.to_string() };
            let text = "\\\"".repeat(usize::try_from(f).unwrap());
            let expected = format!(
                r#"{{"a":{},"s":{{"b":{},"c":{c},"t":{{"d":{d},"z":{{}}}}}},"e":{e},"f":"{text}","g":{}}}"#,
                wide(a), wide(b), wide(g)
            );
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_damaged_datum_is_refused_as_the_reader_refuses_it(
        (schema, value) in data(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = datum(&schema, &value);
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let json = converter("json", &["schemas.enable=false"]);
        let mut out = b"before".to_vec();
        let datum = Datum::Avro { schema: 1, bytes: &bytes };
        let written = json.serialize(datum, Some(&mut json.compile(&schema)), &mut out);
        match avro::read(&schema, &bytes) {
            Ok(value) => prop_assert!(says(&parse(&out[6..]).unwrap(), &schema, &value)),
            Err(error) => {
                prop_assert_eq!(written, Err(SerdeError::Datum(error)));
                prop_assert_eq!(out, b"before");
            }
        }
    }
}
