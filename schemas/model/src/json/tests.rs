use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{DEPTH_MAX, Json, JsonError, Spacing, check, compact, parse};
use super::{is_plain, write_f32, write_f64, write_short, write_string};

#[test]
fn numbers_keep_their_digits_and_objects_their_order() {
    let text = br#" {"b": 123456789012345678901234567890.10, "a": [true, null, "\u00e9\ud83d\ude00\n"], "b": 2} "#;
    let json = parse(text).unwrap();
    let members = json.as_object().unwrap();
    assert_eq!(members[0].0, "b");
    assert_eq!(
        members[0].1,
        Json::Number("123456789012345678901234567890.10")
    );
    assert_eq!(json.get("b").and_then(Json::as_i64), Some(2));
    let items = json.get("a").and_then(Json::as_array).unwrap();
    assert_eq!(items[2].as_str(), Some("é😀\n"));
}

#[test]
fn what_is_not_json_is_an_error_with_its_place() {
    for (text, at) in [
        (&b""[..], 0),
        (b"nul", 0),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"{\"a\"}", 4),
        (b"{a:1}", 1),
        (b"{\"a\":1,}", 7),
        (b"1 2", 2),
        (b"01", 1),
        (b"1.", 2),
        (b"-", 1),
        (b"+1", 0),
        (b"1e", 2),
        (b"NaN", 0),
        (b"\"a", 2),
        (b"\"\n\"", 1),
        (b"\"\\x\"", 1),
        (b"\"\\u00g0\"", 5),
        (b"\"\\ud800\"", 1),
        (b"\"\\udc00\"", 1),
        (b"\"\\ud800\\u0041\"", 1),
        (b"\"\xff\"", 1),
        (b"[\"a\",\"\\", 7),
    ] {
        let error = check(text).unwrap_err();
        assert_eq!(parse(text).unwrap_err(), error);
        let place = match error {
            JsonError::Unexpected { at, .. }
            | JsonError::Truncated { at }
            | JsonError::Utf8 { at }
            | JsonError::Depth { at } => at,
        };
        assert_eq!(place, at, "{}: {error}", String::from_utf8_lossy(text));
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(check(nested(DEPTH_MAX).as_bytes()).is_ok());
    let deep = nested(DEPTH_MAX + 1);
    assert_eq!(
        check(deep.as_bytes()),
        Err(JsonError::Depth { at: DEPTH_MAX })
    );
    assert!(parse("[".repeat(10_000_000).as_bytes()).is_err());
}

#[test]
fn spaces_between_tokens_are_found_and_taken_out() {
    assert_eq!(
        check(b"{\"a b\":[1,\"\\\" \"]}").unwrap().1,
        Spacing::Compact
    );
    let (text, spacing) = check(b" {\"a b\" : [1,\t\"\\\" \"]}\r\n").unwrap();
    assert_eq!(spacing, Spacing::Spaced);
    assert_eq!(compact(text), "{\"a b\":[1,\"\\\" \"]}");
}

#[test]
fn strings_are_written_as_jackson_does() {
    let mut out = String::new();
    write_string(
        &mut out,
        "a\"\\/\u{1}\u{1f}\u{7f}\u{2028}é\u{1f600}\u{8}\u{c}\n\r\t",
    );
    assert_eq!(
        out,
        "\"a\\\"\\\\/\\u0001\\u001F\u{7f}\u{2028}é\\uD83D\\uDE00\\b\\f\\n\\r\\t\""
    );
}

#[test]
fn a_character_is_escaped_wherever_it_stands() {
    for at in 0..40 {
        let (before, after) = ("-".repeat(at), "é".repeat(40 - at));
        let mut out = String::new();
        write_string(&mut out, &format!("{before}\"{after}"));
        assert_eq!(out, format!("\"{before}\\\"{after}\""));
    }
}

#[test]
fn short_texts_are_written_at_once() {
    let longest = "\"\\".repeat(32);
    for text in ["", "[\"1\",\"22\"]", "\u{7f}", &longest] {
        let (mut short, mut out) = (Vec::new(), String::new());
        assert!(write_short(&mut short, text.as_bytes()), "{text}");
        write_string(&mut out, text);
        assert_eq!(short, out.as_bytes());
    }
    let (long, mut out) = ("-".repeat(65), Vec::new());
    for text in ["a\n", "\u{80}", &long] {
        assert!(!write_short(&mut out, text.as_bytes()), "{text}");
        assert!(out.is_empty());
    }
}

#[test]
fn floating_point_numbers_are_written_as_java_does() {
    for (number, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.5, "100.5"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (1.5e10, "1.5E10"),
        (0.001, "0.001"),
        (0.000_12, "1.2E-4"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NAN, "\"NaN\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ] {
        let mut out = String::new();
        write_f64(&mut out, number);
        assert_eq!(out, text);
    }
    let mut out = String::new();
    write_f32(&mut out, 1.1);
    assert_eq!(out, "1.1");
}

proptest! {
    #[test]
    fn a_written_string_reads_back(text in any::<String>()) {
        let mut out = String::new();
        write_string(&mut out, &text);
        prop_assert_eq!(is_plain(text.as_bytes()), text.is_ascii() && out.len() == text.len() + 2);
        let mut short = b"before".to_vec();
        match write_short(&mut short, text.as_bytes()) {
            true => prop_assert_eq!(short, format!("before{out}").into_bytes()),
            false => prop_assert_eq!(short, b"before"),
        }
        let json = parse(out.as_bytes()).unwrap();
        prop_assert_eq!(json.as_str(), Some(text.as_str()));
        let theirs: serde_json::Value = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(theirs.as_str(), Some(text.as_str()));
    }

    #[test]
    fn a_written_number_reads_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let mut out = String::new();
        write_f64(&mut out, number);
        let read: f64 = out.parse().unwrap();
        prop_assert_eq!(read.to_bits(), bits);
    }

    #[test]
    fn it_agrees_with_serde_json(text in "[\\[\\]{},: 0-9.eE+\\-\"\\\\untrfalsx]{0,24}") {
        // A raw value is held to the grammar only; a `Value` would also refuse what no float can hold.
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text);
        prop_assert_eq!(check(text.as_bytes()).is_ok(), theirs.is_ok());
    }
}
