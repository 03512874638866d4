//! Golden values: least, greatest, zero, empty, special.

mod nested;
mod number;
mod text;
mod time;

use longshore_sdk::Value;

use crate::envelope::probe::Probe;
use crate::schema::ValueOptions;

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
