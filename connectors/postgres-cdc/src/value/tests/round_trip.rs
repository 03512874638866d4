//! Values printed as PostgreSQL prints them, and read back from the datum.

use std::fmt::Write;

use longshore_sdk::Value;
use num_bigint::BigInt;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{any, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use crate::envelope::probe::Probe;
use crate::pg_type::TypeKind;
use crate::schema::HstoreMode;
use crate::value::clock::Day;

fn value(oid: u32, modifier: i32, text: &str) -> Value {
    let value = Probe::default().value(oid, modifier, text.as_bytes());
    value.unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

/// Double quotes around, backslashes in front of what needs them.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn array(items: &[Option<String>]) -> String {
    let items: Vec<String> = (items.iter())
        .map(|item| item.as_deref().map_or_else(|| "NULL".to_owned(), quoted))
        .collect();
    format!("{{{}}}", items.join(","))
}

fn optional_text(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::String)
}

proptest! {
    #[test]
    fn integers(number in any::<i64>()) {
        prop_assert_eq!(value(20, -1, &number.to_string()), Value::Int64(number));
    }

    #[test]
    fn doubles(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let text = format!("{number:e}").replace("inf", "Infinity");
        let Value::Float64(found) = value(701, -1, &text) else { panic!("it is a double") };
        prop_assert_eq!(found.is_nan(), number.is_nan());
        prop_assert_eq!(found.to_bits() == bits, !number.is_nan() || found.to_bits() == bits);
    }

    #[test]
    fn decimals(digits in "[1-9][0-9]{0,79}", scale in 0_usize..40, negative in any::<bool>()) {
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        let mut text = format!("{}{whole}", if negative { "-" } else { "" });
        if scale > 0 {
            write!(text, ".{fraction}").expect("a String takes what is written");
        }
        let mut number: BigInt = digits.parse().expect("digits");
        if negative {
            number = -number;
        }
        let scale = i32::try_from(scale).expect("it is small");
        let modifier = ((200 << 16) | scale) + 4;
        let expected = Value::Bytes(number.to_signed_bytes_be());
        prop_assert_eq!(value(1700, modifier, &text), expected);
        let Value::Struct(parts) = value(1700, -1, &text) else { panic!("it is a struct") };
        let [Value::Int32(own), Value::Bytes(unscaled)] = &parts[..] else { panic!("of two") };
        let rest = u32::try_from(scale - own).expect("its own scale is not greater");
        prop_assert_eq!(BigInt::from_signed_bytes_be(unscaled) * BigInt::from(10).pow(rest), number);
    }

    #[test]
    fn bytes(bytes in vec(any::<u8>(), 0..200)) {
        let mut text = "\\x".to_owned();
        for byte in &bytes {
            write!(text, "{byte:02x}").expect("a String takes what is written");
        }
        prop_assert_eq!(value(17, -1, &text), Value::Bytes(bytes));
    }

    #[test]
    fn timestamps(micros in -210_000_000_000_000_000_i64..=i64::MAX) {
        let (days, in_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
        let Day { year, month, day } = Day::at(days);
        let (era, year) = if year > 0 { ("", year) } else { (" BC", 1 - year) };
        let (seconds, fraction) = (in_day / 1_000_000, in_day % 1_000_000);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let time = format!("{hour:02}:{minute:02}:{second:02}.{fraction:06}");
        let text = format!("{year:04}-{month:02}-{day:02} {time}");
        prop_assert_eq!(value(1114, -1, &format!("{text}{era}")), Value::Int64(micros));
        let Value::String(zoned) = value(1184, -1, &format!("{text}+00{era}")) else {
            panic!("it is a text")
        };
        let suffix = format!("-{month:02}-{day:02}T{time}Z");
        assert!(zoned.ends_with(&suffix), "{zoned} {suffix}");
    }

    #[test]
    fn a_time_at_greenwich_is_one_of_any_offset(
        digits in select(vec![-1, 0, 3, 6]),
        at in 0_usize..26,
        byte in prop_oneof![any::<u8>(), b' '..=b':'],
        cut in 18_usize..=26,
    ) {
        let mut text = *b"2026-11-21 09:20:26.898781";
        text[at] = byte;
        let written = |offset: &[u8]| {
            let text = [&text[..cut], offset].concat();
            let value = Probe::default().value(1184, digits, &text);
            value.map_err(|fault| fault.code)
        };
        prop_assert_eq!(written(b"+00"), written(b"+00:00"));
    }

    #[test]
    fn arrays_of_text(items in vec(option::of(any::<String>()), 0..8)) {
        let text = array(&items);
        let expected = items.into_iter().map(optional_text).collect();
        prop_assert_eq!(value(1009, -1, &text), Value::Array(expected));
    }

    #[test]
    fn hstores(pairs in vec((any::<String>(), option::of(any::<String>())), 0..8)) {
        let mut probe = Probe::default().with(20_000, "hstore", TypeKind::Base);
        let printed: Vec<String> = (pairs.iter())
            .map(|(key, value)| {
                let value = value.as_deref().map_or_else(|| "NULL".to_owned(), quoted);
                format!("{}=>{value}", quoted(key))
            })
            .collect();
        let printed = printed.join(", ");
        let json = probe.value(20_000, -1, printed.as_bytes()).expect("it is an hstore");
        let Value::String(json) = json else { panic!("it is a text") };
        let read = longshore_sdk::json::parse(json.as_bytes()).expect("it is JSON");
        let members = read.as_object().expect("it is an object");
        prop_assert_eq!(members.len(), pairs.len());
        for ((key, value), (name, member)) in pairs.iter().zip(members) {
            prop_assert_eq!((&**key, value.as_deref()), (&**name, member.as_str()));
        }
        probe.options.hstore = HstoreMode::Map;
        let map = probe.value(20_000, -1, printed.as_bytes()).expect("it is an hstore");
        let expected = pairs.into_iter().map(|(key, value)| (Value::String(key), optional_text(value)));
        prop_assert_eq!(map, Value::Map(expected.collect()));
    }
}

#[test]
fn every_day_of_twelve_centuries_follows_the_one_before() {
    let (mut year, mut month, mut day) = (1200, 1, 1);
    let first = Day { year, month, day }.since_epoch();
    assert_eq!(first, -281_237);
    for since_epoch in first..first + 3 * 146_097 {
        let expected = Day { year, month, day };
        assert_eq!(Day::at(since_epoch), expected);
        assert_eq!(expected.since_epoch(), since_epoch);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    assert_eq!((year, month, day), (2400, 1, 1));
}
