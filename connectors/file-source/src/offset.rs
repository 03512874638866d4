//! A file's place in the offsets topic: partition and offset as JSON.

use longshore_sdk::{Fault, FaultClass, Position, SourcePosition};
use serde_json::{Value, json};

use crate::names::base_name;

/// Bytes before a position that tell whether the file still holds what was read.
pub(crate) const WINDOW_BYTES: usize = 1024;

/// How far a file has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Start of the first line that was not read.
    pub(crate) position: u64,
    /// How often the file was cut off and begun again.
    pub(crate) truncations: u64,
    /// Of the window before the position; absent where the offset was set from outside.
    pub(crate) fingerprint: Option<u64>,
}

impl Offset {
    pub(crate) fn start(truncations: u64) -> Self {
        Self {
            position: 0,
            truncations,
            fingerprint: Some(fingerprint(&[])),
        }
    }

    /// Later truncations are later, whatever the position.
    pub(crate) fn to_position(&self) -> Position {
        let mut offset = json!({ "position": self.position, "truncations": self.truncations });
        if let Some(fingerprint) = self.fingerprint {
            offset["fingerprint"] = Value::String(format!("{fingerprint:016x}"));
        }
        Position::at(offset.to_string(), self.order())
    }

    fn order(&self) -> u128 {
        (u128::from(self.truncations) << 64) | u128::from(self.position)
    }

    pub(crate) fn is_behind(&self, other: &Self) -> bool {
        self.order() < other.order()
    }
}

/// A stored position of this connector, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// As it is stored, so that it stays one partition.
    pub(crate) partition: String,
    pub(crate) filename: String,
    pub(crate) identity: String,
    pub(crate) offset: Offset,
}

impl Stored {
    pub(crate) fn parse(stored: &SourcePosition) -> Result<Self, Fault> {
        let partition = object(&stored.partition);
        let text = |name: &str| Some(partition.as_ref()?.get(name)?.as_str()?.to_owned());
        let offset = object(&stored.position.offset);
        let number = |name: &str| offset.as_ref()?.get(name)?.as_u64();
        let hash = |name: &str| u64::from_str_radix(offset.as_ref()?.get(name)?.as_str()?, 16).ok();
        let (Some(filename), Some(identity)) = (text("filename"), text("identity")) else {
            return Err(foreign("partition", &stored.partition));
        };
        let Some(position) = number("position") else {
            return Err(foreign("offset", &stored.position.offset));
        };
        Ok(Self {
            partition: stored.partition.clone(),
            filename: base_name(&filename),
            identity,
            offset: Offset {
                position,
                truncations: number("truncations").unwrap_or(0),
                fingerprint: hash("fingerprint"),
            },
        })
    }
}

/// The source partition of a file.
pub(crate) fn partition(filename: &str, identity: &str) -> String {
    json!({ "filename": filename, "identity": identity }).to_string()
}

/// FNV-1a, which is the same everywhere and for ever.
pub(crate) fn fingerprint(window: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    window.iter().fold(start, step)
}

fn object(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok().filter(Value::is_object)
}

fn foreign(what: &str, json: &str) -> Fault {
    let message = format!(
        "{what} {json} is not one of file-source: a partition is \
         {{\"filename\", \"identity\"}}, an offset {{\"position\"}}"
    );
    Fault::new(FaultClass::Config, "foreign-offset", message).with(what, json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_comes_back_as_it_was_stored() {
        let offset = Offset {
            position: 42,
            truncations: 3,
            fingerprint: Some(fingerprint(b"before")),
        };
        let stored = SourcePosition {
            partition: partition("/var/log/app.log", "1-2-3"),
            position: offset.to_position(),
        };
        let parsed = Stored::parse(&stored).unwrap();
        assert_eq!(parsed.offset, offset);
        assert_eq!(
            (&*parsed.filename, &*parsed.identity),
            ("/var/log/app.log", "1-2-3")
        );
        assert_eq!(stored.position.order.unwrap().0, (3 << 64) | 42);
    }

    #[test]
    fn a_position_set_by_hand_needs_no_fingerprint() {
        let stored = SourcePosition {
            partition: partition("a", "b"),
            position: Position {
                offset: r#"{"position": 7}"#.to_owned(),
                order: None,
            },
        };
        let offset = Stored::parse(&stored).unwrap().offset;
        assert_eq!((offset.position, offset.fingerprint), (7, None));
    }

    #[test]
    fn a_foreign_offset_is_refused_by_name() {
        for (partition, offset) in [
            ("{}", "{}"),
            ("[]", "1"),
            (r#"{"filename":"a","identity":"b"}"#, r#"{"position":-1}"#),
        ] {
            let position = Position {
                offset: offset.to_owned(),
                order: None,
            };
            let partition = partition.to_owned();
            let fault = Stored::parse(&SourcePosition {
                partition,
                position,
            })
            .unwrap_err();
            assert_eq!(fault.code, "foreign-offset");
        }
    }
}
