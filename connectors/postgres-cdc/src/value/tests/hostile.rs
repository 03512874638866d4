//! Texts that no server sends: each is a datum of the schema or an error value.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, proptest};
use proptest::sample::select;

use crate::envelope::probe::Probe;
use crate::pg_type::TypeKind;
use crate::schema::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, ValueOptions};

const HSTORE: u32 = 20_000;
const OIDS: [u32; 37] = [
    16, 17, 20, 21, 23, 25, 26, 600, 700, 701, 790, 1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562,
    1700, 2950, 3904, HSTORE, 1000, 1001, 1007, 1009, 1016, 1017, 1022, 1182, 1185, 1187, 1231,
    791, 1563, 20_001,
];

fn options() -> impl Strategy<Value = ValueOptions> {
    let decimal = select(vec![
        DecimalMode::Precise,
        DecimalMode::Double,
        DecimalMode::String,
    ]);
    let time = select(vec![
        TimeMode::Adaptive,
        TimeMode::Connect,
        TimeMode::Nanoseconds,
        TimeMode::IsoString,
    ]);
    let binary = select(vec![BinaryMode::Bytes, BinaryMode::Base64, BinaryMode::Hex]);
    let interval = select(vec![IntervalMode::Numeric, IntervalMode::String]);
    let hstore = select(vec![HstoreMode::Json, HstoreMode::Map]);
    (decimal, time, binary, interval, hstore).prop_map(
        |(decimal, time, binary, interval, hstore)| ValueOptions {
            decimal,
            time,
            binary,
            interval,
            hstore,
            ..ValueOptions::default()
        },
    )
}

/// Pieces that texts are made of, put together wrongly.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"\"",
        b"\\",
        b",",
        b"NULL",
        b"[0:1]=",
        b"=>",
        b", ",
        b"-",
        b"+",
        b".",
        b"0",
        b"1",
        b"9",
        b"99999999999999999999",
        b":",
        b" ",
        b" BC",
        b"24:00:00",
        b"2026-01-02",
        b"infinity",
        b"NaN",
        b"\\x",
        b"00",
        b"$",
        b"(",
        b")",
        b"1 year",
        b"t",
        b"\xE9",
        b"e9",
    ];
    vec(select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

fn try_all(options: ValueOptions, modifier: i32, text: &[u8]) {
    let mut probe = Probe::default()
        .with(HSTORE, "hstore", TypeKind::Base)
        .with(20_001, "_hstore", TypeKind::Array { element: HSTORE });
    probe.options = options;
    for oid in OIDS {
        if let Err(fault) = probe.value(oid, modifier, text) {
            assert_eq!(fault.class.name(), "bad-record", "{oid}");
        }
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind(options in options(), text in vec(any::<u8>(), 0..40)) {
        try_all(options, -1, &text);
    }

    #[test]
    fn pieces_of_texts(options in options(), modifier in -1_i32..8, text in pieces()) {
        try_all(options, modifier, &text);
    }

    #[test]
    fn any_modifier(modifier in any::<i32>()) {
        try_all(ValueOptions::default(), modifier, b"1");
    }
}

#[test]
fn long_texts_of_one_sign_end_soon() {
    for sign in [b"9", b"{", b"\"", b"\\", b",", b"1", b":", b"-"] {
        try_all(ValueOptions::default(), -1, &sign.repeat(200_000));
    }
}
