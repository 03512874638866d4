//! What cannot be equal, because it says when or by whom a record was written.

use serde_json::Value;

use super::difference::{Difference, Part, Phase};
use super::explained::Rule;

pub(super) const IGNORED: &[Rule] = &[
    Rule {
        name: "source.version",
        why: "each says its own",
        applies: |d| d.part == Part::Value && d.is_at(&["source", "version"]),
    },
    Rule {
        name: "ts_ms, ts_us, ts_ns",
        why: "when each processed the event",
        applies: |d| {
            let stamps = ["ts_ms", "ts_us", "ts_ns"];
            d.part == Part::Value && stamps.iter().any(|stamp| d.is_at(&[stamp]))
        },
    },
    Rule {
        name: "source of a snapshot's row",
        why: "each reads its own snapshot, at its own place in the log and at its own time",
        applies: |d| {
            let fields = ["ts_ms", "ts_us", "ts_ns", "lsn", "txId", "sequence"];
            d.is(Phase::Snapshot, Part::Value)
                && fields.iter().any(|field| d.is_at(&["source", field]))
        },
    },
    Rule {
        name: "digits of a real",
        why: "Java writes the same 32 bits with other digits",
        applies: is_same_real,
    },
];

fn is_same_real(d: &Difference) -> bool {
    let is_same = match (d.theirs.as_ref(), d.ours.as_ref()) {
        (Some(Value::Array(theirs)), Some(Value::Array(ours))) => {
            let mut pairs = theirs.iter().zip(ours);
            theirs.len() == ours.len() && pairs.all(|(a, b)| a == b || is_one_real(a, b))
        }
        (Some(theirs), Some(ours)) => is_one_real(theirs, ours),
        _ => false,
    };
    d.is_value() && matches!(d.pg_type(), "real" | "real[]") && is_same
}

fn is_one_real(a: &Value, b: &Value) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a reader of the schema `float` does this"
    )]
    let real = |value: &Value| value.as_f64().map(|number| (number as f32).to_bits());
    real(a).is_some() && real(a) == real(b)
}
