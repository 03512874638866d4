//! Dates, times, intervals.

use longshore_sdk::Value;

use super::{becomes, refused, text};
use crate::envelope::probe::Probe;
use crate::schema::{IntervalMode, TimeMode};

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
    let iso = super::probe(|options| options.time = TimeMode::IsoString);
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
    let mode = |mode| super::probe(|options| options.time = mode);
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
    let mode = |mode| super::probe(|options| options.time = mode);
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
    // Not as this server prints them.
    let cases = [
        (
            "2026-01-02 24:00:00+00",
            text("2026-01-03T00:00:00.000000Z"),
        ),
        (
            "12026-01-02 03:04:05.123456+00",
            text("+12026-01-02T03:04:05.123456Z"),
        ),
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
    let iso = super::probe(|options| options.interval = IntervalMode::String);
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
