//! Text, bytes, bits.

use longshore_sdk::Value;

use super::{becomes, bytes, probe, refused, text};
use crate::envelope::probe::Probe;
use crate::pg_type::TypeKind;
use crate::schema::BinaryMode;

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
fn a_value_over_the_limit_is_refused() {
    let probe = probe(|options| options.value_bytes_max = 10);
    becomes(&probe, 25, -1, &[("0123456789", text("0123456789"))]);
    refused(&probe, 25, -1, "postgres-value-too-large", &["01234567890"]);
}
