//! Booleans, numbers, money.

use longshore_sdk::Value;

use super::{becomes, bytes, probe, refused, text};
use crate::envelope::probe::Probe;
use crate::schema::DecimalMode;

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
