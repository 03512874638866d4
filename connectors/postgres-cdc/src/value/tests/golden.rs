//! Golden values: least, greatest, zero, empty, special.

use longshore_sdk::Value;

use crate::envelope::probe::Probe;
use crate::schema::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, ValueOptions};
use crate::types::TypeKind;

fn probe(change: impl FnOnce(&mut ValueOptions)) -> Probe {
    let mut probe = Probe::default();
    change(&mut probe.options);
    probe
}

fn becomes(probe: &Probe, oid: u32, modifier: i32, cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        let found = probe.value(oid, modifier, text.as_bytes());
        let found = found.unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{text}");
    }
}

fn refused(probe: &Probe, oid: u32, modifier: i32, code: &str, texts: &[&str]) {
    for text in texts {
        let fault = probe.value(oid, modifier, text.as_bytes()).expect_err(text);
        assert_eq!(
            (fault.class.name(), &*fault.code),
            ("bad-record", code),
            "{text}"
        );
        assert_eq!(fault.detail("table"), Some("public.t"));
        assert_eq!(fault.detail("column"), Some("r"));
        assert!(
            text.len() < 4 || !fault.message.contains(text),
            "{}",
            fault.message
        );
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_owned())
}

#[test]
fn booleans_and_integers() {
    let probe = Probe::default();
    becomes(
        &probe,
        16,
        -1,
        &[("t", Value::Boolean(true)), ("f", Value::Boolean(false))],
    );
    becomes(
        &probe,
        21,
        -1,
        &[
            ("-32768", Value::Int16(i16::MIN)),
            ("32767", Value::Int16(i16::MAX)),
        ],
    );
    becomes(
        &probe,
        23,
        -1,
        &[
            ("-2147483648", Value::Int32(i32::MIN)),
            ("0", Value::Int32(0)),
            ("2147483647", Value::Int32(i32::MAX)),
        ],
    );
    becomes(
        &probe,
        20,
        -1,
        &[
            ("-9223372036854775808", Value::Int64(i64::MIN)),
            ("999999999999999999", Value::Int64(999_999_999_999_999_999)),
            ("9223372036854775807", Value::Int64(i64::MAX)),
        ],
    );
    becomes(
        &probe,
        26,
        -1,
        &[("4294967295", Value::Int64(4_294_967_295))],
    );
    refused(
        &probe,
        21,
        -1,
        "postgres-value-out-of-range",
        &["32768", "-32769"],
    );
    refused(
        &probe,
        26,
        -1,
        "postgres-value-out-of-range",
        &["-1", "4294967296"],
    );
    let wrong = [
        "",
        "-",
        "1.5",
        "9223372036854775808",
        "-9223372036854775809",
        "+1",
        " 1",
    ];
    refused(&probe, 20, -1, "postgres-invalid-value", &wrong);
}

#[test]
fn floating_point_numbers_and_their_specials() {
    let probe = Probe::default();
    becomes(
        &probe,
        701,
        -1,
        &[
            ("0", Value::Float64(0.0)),
            ("-0", Value::Float64(-0.0)),
            ("0.1", Value::Float64(0.1)),
            ("1.7976931348623157e+308", Value::Float64(f64::MAX)),
            ("5e-324", Value::Float64(5e-324)),
            ("NaN", Value::Float64(f64::NAN)),
            ("Infinity", Value::Float64(f64::INFINITY)),
            ("-Infinity", Value::Float64(f64::NEG_INFINITY)),
        ],
    );
    becomes(
        &probe,
        700,
        -1,
        &[
            ("0.1", Value::Float32(0.1)),
            ("-0", Value::Float32(-0.0)),
            ("3.4028235e+38", Value::Float32(f32::MAX)),
            ("1e-45", Value::Float32(f32::from_bits(1))),
            ("NaN", Value::Float32(f32::NAN)),
        ],
    );
}

#[test]
fn numbers_with_a_scale_are_decimals() {
    let probe = Probe::default();
    let cases = [
        ("0.00", bytes(&[0])),
        ("1.50", bytes(&[0, 150])),
        ("-1.28", bytes(&[128])),
        ("-1.29", bytes(&[0xFF, 127])),
        ("1.27", bytes(&[127])),
        ("-0.01", bytes(&[0xFF])),
        ("99999999.99", bytes(&[2, 84, 11, 227, 255])),
    ];
    becomes(&probe, 1700, ((10 << 16) | 2) + 4, &cases);
    // A scale below zero, as PostgreSQL 15 allows: 11 bits with a sign.
    let negative = ((3 << 16) | (0x7FF & -2)) + 4;
    becomes(
        &probe,
        1700,
        negative,
        &[("1200", bytes(&[12])), ("0", bytes(&[0]))],
    );
    let nines = "9".repeat(60);
    let big = num_bigint::BigInt::parse_bytes(nines.as_bytes(), 10).expect("digits");
    let text = format!("-{}.{}", &nines[..50], &nines[..10]);
    let wide = ((60 << 16) | 10) + 4;
    becomes(
        &probe,
        1700,
        wide,
        &[(&text, bytes(&(-big).to_signed_bytes_be()))],
    );
    let modifier = ((10 << 16) | 2) + 4;
    refused(
        &probe,
        1700,
        modifier,
        "postgres-value-out-of-range",
        &["1.234"],
    );
    let specials = ["NaN", "Infinity", "-Infinity"];
    refused(
        &probe,
        1700,
        modifier,
        "postgres-special-decimal",
        &specials,
    );
    refused(&probe, 1700, -1, "postgres-special-decimal", &specials);
}

#[test]
fn numbers_without_a_scale_carry_their_own() {
    let probe = Probe::default();
    let scaled = |scale, unscaled: &[u8]| Value::Struct(vec![Value::Int32(scale), bytes(unscaled)]);
    let cases = [
        ("0", scaled(0, &[0])),
        ("0.000", scaled(0, &[0])),
        ("1200", scaled(0, &[4, 176])),
        ("1200.00", scaled(0, &[4, 176])),
        ("-1.50", scaled(1, &[0xF1])),
        ("0.0010", scaled(3, &[1])),
    ];
    becomes(&probe, 1700, -1, &cases);
}

#[test]
fn numbers_as_doubles_and_as_texts() {
    let doubles = probe(|options| options.decimal = DecimalMode::Double);
    let cases = [
        ("1.50", Value::Float64(1.5)),
        ("NaN", Value::Float64(f64::NAN)),
        ("-Infinity", Value::Float64(f64::NEG_INFINITY)),
    ];
    becomes(&doubles, 1700, -1, &cases);
    becomes(
        &doubles,
        790,
        -1,
        &[("-$1,234.50", Value::Float64(-1234.5))],
    );
    let texts = probe(|options| options.decimal = DecimalMode::String);
    let cases = [
        ("1.50", text("1.50")),
        ("-0.10", text("-0.10")),
        // Debezium's words.
        ("NaN", text("NAN")),
        ("Infinity", text("POSITIVE_INFINITY")),
        ("-Infinity", text("NEGATIVE_INFINITY")),
    ];
    becomes(&texts, 1700, ((10 << 16) | 2) + 4, &cases);
    becomes(&texts, 790, -1, &[("-$1,234.50", text("-1234.50"))]);
}

#[test]
fn money() {
    let cases = [
        ("$0.00", bytes(&[0])),
        ("-$1,234.50", bytes(&[0xFE, 0x1D, 0xC6])),
        ("$92,233,720,368,547,758.07", bytes(&i64::MAX.to_be_bytes())),
        (
            "-$92,233,720,368,547,758.08",
            bytes(&i64::MIN.to_be_bytes()),
        ),
    ];
    becomes(&Probe::default(), 790, -1, &cases);
    let whole = probe(|options| options.money_fraction_digits = 0);
    let cases = [
        ("$1.50", bytes(&[2])),
        ("-$1.50", bytes(&[0xFE])),
        ("$1.49", bytes(&[1])),
    ];
    becomes(&whole, 790, -1, &cases);
    let fine = probe(|options| options.money_fraction_digits = 4);
    becomes(&fine, 790, -1, &[("$0.01", bytes(&[100]))]);
}

#[test]
fn texts_are_kept_as_they_are() {
    let probe = Probe::default()
        .with(20_000, "citext", TypeKind::Base)
        .with(20_001, "ltree", TypeKind::Base);
    let ours = [
        25, 1043, 1042, 18, 19, 2950, 114, 3802, 142, 3614, 20_000, 20_001,
    ];
    for oid in ours {
        becomes(
            &probe,
            oid,
            -1,
            &[
                ("", text("")),
                ("a  ", text("a  ")),
                ("ü𝄞\n\\", text("ü𝄞\n\\")),
            ],
        );
    }
    for (oid, word) in [
        (869, "10.1.2.3"),
        (650, "10.1.0.0/16"),
        (829, "08:00:2b:01:02:03"),
        (774, "08:00:2b:01:02:03:04:05"),
        (3904, "[1,5)"),
        (3926, "empty"),
        (3906, "(,1.5]"),
        (3908, "[\"2020-01-01 00:00:00\",infinity)"),
        (
            3910,
            "[\"2020-01-01 00:00:00+00\",\"2020-01-02 00:00:00+00\")",
        ),
        (3912, "[2020-01-01,2020-01-03)"),
    ] {
        becomes(&probe, oid, -1, &[(word, text(word))]);
    }
    let fault = probe.value(25, -1, b"\xE9").expect_err("it is Latin-1");
    assert_eq!(fault.code, "postgres-invalid-text");
}

#[test]
fn bytes_in_every_mode() {
    let cases = [
        ("\\x", bytes(&[])),
        ("\\x00ff10Ab", bytes(&[0, 255, 16, 0xAB])),
    ];
    becomes(&Probe::default(), 17, -1, &cases);
    let base64 = probe(|options| options.binary = BinaryMode::Base64);
    let cases = [
        ("\\x", text("")),
        ("\\xfb", text("+w==")),
        ("\\xfbff", text("+/8=")),
        ("\\xfbffbe", text("+/++")),
    ];
    becomes(&base64, 17, -1, &cases);
    let url_safe = probe(|options| options.binary = BinaryMode::Base64UrlSafe);
    becomes(
        &url_safe,
        17,
        -1,
        &[("\\xfbffbe", text("-_--")), ("\\xfb", text("-w=="))],
    );
    let hex = probe(|options| options.binary = BinaryMode::Hex);
    becomes(&hex, 17, -1, &[("\\x00ff", text("00ff"))]);
    for probe in [&Probe::default(), &base64, &hex] {
        refused(
            probe,
            17,
            -1,
            "postgres-invalid-value",
            &["", "00", "\\x0", "\\x0g"],
        );
    }
}

#[test]
fn bits_are_packed_from_the_end() {
    let probe = Probe::default();
    becomes(
        &probe,
        1560,
        1,
        &[("1", Value::Boolean(true)), ("0", Value::Boolean(false))],
    );
    let cases = [
        ("101", bytes(&[5])),
        ("000000000", bytes(&[])),
        ("1000000000000001", bytes(&[1, 0x80])),
        ("100000000", bytes(&[0, 1])),
        ("", bytes(&[])),
    ];
    becomes(&probe, 1562, -1, &cases);
    becomes(&probe, 1560, 3, &[("110", bytes(&[6]))]);
    refused(&probe, 1562, -1, "postgres-invalid-value", &["12"]);
}

#[test]
fn dates() {
    let probe = Probe::default();
    let cases = [
        ("1970-01-01", Value::Int32(0)),
        ("1969-12-31", Value::Int32(-1)),
        ("2026-01-02", Value::Int32(20_455)),
        ("2000-02-29", Value::Int32(11_016)),
        ("0001-01-01", Value::Int32(-719_162)),
        ("0001-12-31 BC", Value::Int32(-719_163)),
        ("4713-01-01 BC", Value::Int32(-2_440_550)),
        ("5874897-12-31", Value::Int32(2_145_042_905)),
        // LocalDate.parse("-5877611-06-21").toEpochDay(), and of the day after.
        ("infinity", Value::Int32(-2_147_472_692)),
        ("-infinity", Value::Int32(-2_147_472_691)),
    ];
    becomes(&probe, 1082, -1, &cases);
    let iso = self::probe(|options| options.time = TimeMode::IsoString);
    let cases = [
        ("2026-01-02", text("2026-01-02Z")),
        ("0044-03-15 BC", text("-0043-03-15Z")),
        ("0001-01-01 BC", text("0000-01-01Z")),
        ("10000-01-01", text("+10000-01-01Z")),
        ("infinity", text("infinity")),
    ];
    becomes(&iso, 1082, -1, &cases);
    refused(
        &probe,
        1082,
        -1,
        "postgres-invalid-value",
        &["2026-1-02", "2026-13-01", "02/01/2026"],
    );
}

#[test]
fn times_by_precision_and_mode() {
    let probe = Probe::default();
    let cases = [
        ("00:00:00", Value::Int64(0)),
        ("01:02:03.000004", Value::Int64(3_723_000_004)),
        ("23:59:59.999999", Value::Int64(86_399_999_999)),
        ("24:00:00", Value::Int64(86_400_000_000)),
    ];
    becomes(&probe, 1083, -1, &cases);
    becomes(
        &probe,
        1083,
        3,
        &[("01:02:03.004", Value::Int32(3_723_004))],
    );
    becomes(&probe, 1083, 0, &[("24:00:00", Value::Int32(86_400_000))]);
    let mode = |mode| self::probe(|options| options.time = mode);
    let connect = mode(TimeMode::Connect);
    becomes(
        &connect,
        1083,
        -1,
        &[("01:02:03.999999", Value::Int32(3_723_999))],
    );
    let nanos = mode(TimeMode::Nanoseconds);
    becomes(
        &nanos,
        1083,
        0,
        &[("00:00:01", Value::Int64(1_000_000_000))],
    );
    let micros = mode(TimeMode::AdaptiveTimeMicroseconds);
    becomes(&micros, 1083, 0, &[("00:00:01", Value::Int64(1_000_000))]);
    let iso = mode(TimeMode::IsoString);
    let cases = [
        ("01:02:03.100000", text("01:02:03.1Z")),
        ("01:02:03", text("01:02:03Z")),
        ("24:00:00", text("24:00:00Z")),
    ];
    becomes(&iso, 1083, -1, &cases);
    let wrong = [
        "24:00:01",
        "25:00:00",
        "1:00:00",
        "00:60:00",
        "00:00:60",
        "00:00:00.",
    ];
    refused(&probe, 1083, -1, "postgres-invalid-value", &wrong);
    let cases = [
        ("01:02:03.5+00", text("01:02:03.5Z")),
        ("01:00:00+05:30", text("19:30:00Z")),
        ("20:00:00-05", text("01:00:00Z")),
        ("24:00:00+00", text("24:00:00Z")),
        ("24:00:00+05:30", text("18:30:00Z")),
        ("00:00:00-15:59:59", text("15:59:59Z")),
    ];
    becomes(&probe, 1266, -1, &cases);
}

#[test]
fn timestamps_by_precision_and_mode() {
    let probe = Probe::default();
    let cases = [
        ("1970-01-01 00:00:00", Value::Int64(0)),
        ("1969-12-31 23:59:59.999999", Value::Int64(-1)),
        (
            "4713-01-01 00:00:00 BC",
            Value::Int64(-210_863_520_000_000_000),
        ),
        ("294247-01-10 04:00:54.775807", Value::Int64(i64::MAX)),
        ("infinity", Value::Int64(9_223_372_036_825_200_000)),
        ("-infinity", Value::Int64(-9_223_372_036_832_400_000)),
    ];
    becomes(&probe, 1114, -1, &cases);
    let beyond = [
        "294247-01-10 04:00:54.775808",
        "294276-12-31 23:59:59.999999",
    ];
    refused(&probe, 1114, -1, "postgres-value-out-of-range", &beyond);
    let cases = [
        ("1969-12-31 23:59:59.999", Value::Int64(-1)),
        (
            "294276-12-31 23:59:59.999",
            Value::Int64(9_224_318_015_999_999),
        ),
        ("infinity", Value::Int64(9_223_372_036_825_200)),
    ];
    becomes(&probe, 1114, 3, &cases);
    let mode = |mode| self::probe(|options| options.time = mode);
    let connect = mode(TimeMode::Connect);
    becomes(
        &connect,
        1114,
        -1,
        &[("1969-12-31 23:59:59.999999", Value::Int64(-1))],
    );
    let nanos = mode(TimeMode::Nanoseconds);
    let cases = [
        ("1970-01-01 00:00:00.000001", Value::Int64(1000)),
        ("infinity", Value::Int64(i64::MAX)),
        ("-infinity", Value::Int64(i64::MIN)),
    ];
    becomes(&nanos, 1114, -1, &cases);
    refused(
        &nanos,
        1114,
        -1,
        "postgres-value-out-of-range",
        &["2263-01-01 00:00:00"],
    );
    let iso = mode(TimeMode::IsoString);
    let cases = [
        ("2026-01-02 03:04:05.600000", text("2026-01-02T03:04:05.6Z")),
        ("2026-01-02 03:04:05", text("2026-01-02T03:04:05Z")),
        ("-infinity", text("-infinity")),
    ];
    becomes(&iso, 1114, -1, &cases);
}

#[test]
fn timestamps_with_a_zone() {
    let probe = Probe::default();
    let cases = [
        (
            "2026-01-02 03:04:05.678901+00",
            text("2026-01-02T03:04:05.678901Z"),
        ),
        (
            "2026-01-02 03:04:05+00",
            text("2026-01-02T03:04:05.000000Z"),
        ),
        (
            "2026-01-01 00:30:00+05:30",
            text("2025-12-31T19:00:00.000000Z"),
        ),
        (
            "0044-03-15 00:00:00+00 BC",
            text("-0043-03-15T00:00:00.000000Z"),
        ),
        (
            "294276-12-31 23:59:59.999999+00",
            text("+294276-12-31T23:59:59.999999Z"),
        ),
        (
            "4713-01-01 00:00:00+00 BC",
            text("-4712-01-01T00:00:00.000000Z"),
        ),
        ("infinity", text("infinity")),
        ("-infinity", text("-infinity")),
    ];
    becomes(&probe, 1184, -1, &cases);
    becomes(
        &probe,
        1184,
        3,
        &[("2026-01-02 03:04:05.6+00", text("2026-01-02T03:04:05.600Z"))],
    );
    becomes(
        &probe,
        1184,
        0,
        &[("2026-01-02 03:04:05+00", text("2026-01-02T03:04:05Z"))],
    );
    let wrong = [
        "2026-01-02 03:04:05",
        "2026-01-02T03:04:05+00",
        "2026-01-02 03:04:05+0",
    ];
    refused(&probe, 1184, -1, "postgres-invalid-value", &wrong);
}

#[test]
fn intervals_in_both_modes() {
    let probe = Probe::default();
    let cases = [
        ("00:00:00", Value::Int64(0)),
        ("00:00:00.000001", Value::Int64(1)),
        ("-00:00:00.5", Value::Int64(-500_000)),
        ("1 mon", Value::Int64(2_629_800_000_000)),
        (
            "1 year 2 mons -3 days +04:05:06.789",
            Value::Int64(36_572_706_789_000),
        ),
        (
            "-1 years -2 mons +3 days -04:05:06",
            Value::Int64(-36_572_706_000_000),
        ),
    ];
    becomes(&probe, 1186, -1, &cases);
    refused(
        &probe,
        1186,
        -1,
        "postgres-value-out-of-range",
        &["178000000 years"],
    );
    let wrong = [
        "",
        "1",
        "1 fortnight",
        "P1Y",
        "00:00",
        "1 day 00:00:00 1 day",
    ];
    refused(&probe, 1186, -1, "postgres-invalid-value", &wrong);
    let iso = self::probe(|options| options.interval = IntervalMode::String);
    let cases = [
        ("00:00:00", text("P0Y0M0DT0H0M0S")),
        (
            "1 year 2 mons -3 days +04:05:06.789",
            text("P1Y2M-3DT4H5M6.789S"),
        ),
        ("-00:00:00.5", text("P0Y0M0DT0H0M-0.5S")),
        ("-1 years +3 days -04:05:06", text("P-1Y0M3DT-4H-5M-6S")),
        (
            "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775808",
            text("P-178956970Y-8M-2147483648DT-2562047788H0M-54.775808S"),
        ),
    ];
    becomes(&iso, 1186, -1, &cases);
}

#[test]
fn hstore_as_json_and_as_a_map() {
    let json = Probe::default().with(20_000, "hstore", TypeKind::Base);
    let cases = [
        ("", text("{}")),
        (r#""a"=>"1", "b"=>NULL"#, text(r#"{"a":"1","b":null}"#)),
        (r#""q\"\\"=>"NULL""#, text(r#"{"q\"\\":"NULL"}"#)),
        ("\"n\"=>\"\n\u{1}ü\"", text("{\"n\":\"\\n\\u0001ü\"}")),
    ];
    becomes(&json, 20_000, -1, &cases);
    let mut map = Probe::default().with(20_000, "hstore", TypeKind::Base);
    map.options.hstore = HstoreMode::Map;
    let pair = |key, value| (text(key), value);
    let cases = [
        ("", Value::Map(vec![])),
        (
            r#""a"=>"1", "b"=>NULL"#,
            Value::Map(vec![pair("a", text("1")), pair("b", Value::Null)]),
        ),
    ];
    becomes(&map, 20_000, -1, &cases);
    let long = format!("\"k\"=>\"{}\"", "x".repeat(300));
    let expected = format!("{{\"k\":\"{}\"}}", "x".repeat(300));
    becomes(&json, 20_000, -1, &[(&long, text(&expected))]);
    refused(
        &json,
        20_000,
        -1,
        "postgres-invalid-value",
        &["\"a\"", "\"a\"=>1", "a=>b"],
    );
}

#[test]
fn points() {
    let wkb = |x: f64, y: f64| {
        let mut bytes = vec![1, 1, 0, 0, 0];
        bytes.extend(x.to_le_bytes());
        bytes.extend(y.to_le_bytes());
        Value::Bytes(bytes)
    };
    let point = |x, y| {
        Value::Struct(vec![
            Value::Float64(x),
            Value::Float64(y),
            wkb(x, y),
            Value::Null,
        ])
    };
    becomes(
        &Probe::default(),
        600,
        -1,
        &[("(1.5,-2)", point(1.5, -2.0))],
    );
    refused(
        &Probe::default(),
        600,
        -1,
        "postgres-invalid-value",
        &["1,2", "(1)", "(1,2,3)"],
    );
}

#[test]
fn arrays_of_every_kind_of_item() {
    let probe = Probe::default();
    let list = |items: &[Value]| Value::Array(items.to_vec());
    let cases = [
        ("{}", list(&[])),
        (
            "{1,NULL,-3}",
            list(&[Value::Int32(1), Value::Null, Value::Int32(-3)]),
        ),
        ("[0:1]={7,8}", list(&[Value::Int32(7), Value::Int32(8)])),
    ];
    becomes(&probe, 1007, -1, &cases);
    let cases = [
        (
            "{a,\"\",\"NULL\",NULL}",
            list(&[text("a"), text(""), text("NULL"), Value::Null]),
        ),
        (
            r#"{"a,b","{c}","d\"e\\f"}"#,
            list(&[text("a,b"), text("{c}"), text("d\"e\\f")]),
        ),
    ];
    becomes(&probe, 1009, -1, &cases);
    becomes(
        &probe,
        1001,
        -1,
        &[(r#"{"\\x01ff"}"#, list(&[bytes(&[1, 255])]))],
    );
    becomes(
        &probe,
        1000,
        -1,
        &[(
            "{t,f}",
            list(&[Value::Boolean(true), Value::Boolean(false)]),
        )],
    );
    let zoned = [(
        "{\"2026-01-02 03:04:05+00\"}",
        list(&[text("2026-01-02T03:04:05.000Z")]),
    )];
    becomes(&probe, 1185, 3, &zoned);
    let scaled = ((10 << 16) | 1) + 4;
    becomes(
        &probe,
        1231,
        scaled,
        &[("{1.5,NULL}", list(&[bytes(&[15]), Value::Null]))],
    );
    becomes(
        &probe,
        3807,
        -1,
        &[(r#"{"{\"a\": 1}"}"#, list(&[text("{\"a\": 1}")]))],
    );
    becomes(
        &probe,
        791,
        -1,
        &[(r#"{"$1,000.00"}"#, list(&[bytes(&[1, 0x86, 0xA0])]))],
    );
    becomes(
        &probe,
        1182,
        -1,
        &[("{infinity}", list(&[Value::Int32(-2_147_472_692)]))],
    );
    refused(
        &probe,
        1007,
        -1,
        "postgres-array-dimensions",
        &["{{1,2},{3,4}}", "[1:1][1:1]={{1}}"],
    );
    let wrong = [
        "", "{", "{1", "1}", "{1,}", "{,1}", "{\"1}", "{\"1\"2}", "[0:1]", "{1}2",
    ];
    refused(&probe, 1007, -1, "postgres-invalid-value", &wrong);
}

#[test]
fn enums_and_domains() {
    let probe = Probe::default()
        .with(
            20_000,
            "mood",
            TypeKind::Enum {
                labels: vec!["sad".into(), "ok".into()],
            },
        )
        .with(20_001, "_mood", TypeKind::Array { element: 20_000 })
        .with(
            20_002,
            "price",
            TypeKind::Domain {
                base: 1700,
                modifier: ((6 << 16) | 2) + 4,
            },
        )
        .with(
            20_003,
            "dear",
            TypeKind::Domain {
                base: 20_002,
                modifier: -1,
            },
        )
        .with(20_004, "_dear", TypeKind::Array { element: 20_003 })
        .with(
            20_005,
            "numbers",
            TypeKind::Domain {
                base: 1007,
                modifier: -1,
            },
        );
    becomes(&probe, 20_000, -1, &[("sad", text("sad"))]);
    let moods = Value::Array(vec![text("ok"), Value::Null]);
    becomes(&probe, 20_001, -1, &[("{ok,NULL}", moods)]);
    becomes(&probe, 20_003, -1, &[("1.00", bytes(&[100]))]);
    becomes(
        &probe,
        20_004,
        -1,
        &[("{1.00}", Value::Array(vec![bytes(&[100])]))],
    );
    becomes(
        &probe,
        20_005,
        -1,
        &[("{1}", Value::Array(vec![Value::Int32(1)]))],
    );
}

#[test]
fn a_value_over_the_limit_is_refused() {
    let probe = probe(|options| options.value_bytes_max = 10);
    becomes(&probe, 25, -1, &[("0123456789", text("0123456789"))]);
    refused(&probe, 25, -1, "postgres-value-too-large", &["01234567890"]);
}
