//! How far the capture has come: one record, whatever the number of tables.

use std::rc::Rc;

use longshore_sdk::{ConfigMap, Fault, FaultClass, Position, SourcePosition};
use serde_json::{Value, json};

use crate::lsn::Lsn;
use crate::ranges::Ranges;

/// What LSNs mean: with another history they are other places (invariant 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// Raised each time that the capture begins anew, perhaps on another server, where LSNs are lower.
    pub(crate) epoch: u16,
    pub(crate) system: u64,
    pub(crate) timeline: u32,
    pub(crate) database: String,
    pub(crate) slot: String,
}

/// A place in a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) history: History,
    pub(crate) phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A slot is about to be made.
    Intent { at: Lsn },
    /// Tables are being read.
    Snapshot(SnapshotPlace),
    /// The slot's stream.
    Stream(StreamPlace),
    /// Everything was read, and that was all that was asked for.
    Finished { at: Lsn },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotPlace {
    /// Where the slot's stream begins.
    pub(crate) consistent: Lsn,
    /// Counts positions.
    pub(crate) step: u64,
    /// Behind the last transaction that the slot's own snapshot saw.
    pub(crate) xmax: u64,
    pub(crate) ranges: Ranges,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamPlace {
    /// The end of the last transaction that is whole, or a keepalive behind it: the server may forget up to here.
    pub(crate) confirmed: Lsn,
    /// The end of the last transaction that is whole, for events to name.
    pub(crate) committed: Option<Lsn>,
    /// The transaction that is not whole.
    pub(crate) open: Option<OpenTransaction>,
    /// The config that counts and filters; the rest of an open transaction goes by it.
    pub(crate) settings: Rc<ConfigMap>,
    pub(crate) ranges: Ranges,
}

/// A transaction of which a part is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenTransaction {
    /// Of its commit record.
    pub(crate) commit: Lsn,
    /// Row messages that are stored, counted before any filter of ours.
    pub(crate) ordinal: u64,
}

impl StreamPlace {
    /// Where a slot's stream begins.
    pub(crate) fn at(confirmed: Lsn, ranges: Ranges) -> Self {
        Self {
            confirmed,
            committed: None,
            open: None,
            settings: Rc::default(),
            ranges,
        }
    }
}

/// An order is the epoch (16 bits), the LSN (64), and what counts within (48), where streams stand behind snapshots.
const STREAM: u64 = 1 << 47;

impl Place {
    pub(crate) fn to_position(&self) -> Position {
        let history = &self.history;
        let mut offset = json!({
            "history": {
                // As text: other readers of JSON know numbers of 53 bits.
                "system": history.system.to_string(),
                "epoch": history.epoch,
                "timeline": history.timeline,
                "database": history.database,
                "slot": history.slot,
            },
        });
        match &self.phase {
            Phase::Intent { at } => {
                offset["phase"] = json!("intent");
                offset["lsn"] = json!(at.0);
            }
            Phase::Finished { at } => {
                offset["phase"] = json!("finished");
                offset["lsn"] = json!(at.0);
            }
            Phase::Snapshot(place) => {
                offset["phase"] = json!("snapshot");
                offset["lsn"] = json!(place.consistent.0);
                offset["step"] = json!(place.step);
                offset["xmax"] = json!(place.xmax);
                offset["delivered"] = place.ranges.to_json();
            }
            Phase::Stream(place) => {
                offset["phase"] = json!("stream");
                offset["lsn"] = json!(place.confirmed.0);
                offset["lsn_commit"] = json!(place.committed.map(|lsn| lsn.0));
                if let Some(open) = &place.open {
                    offset["transaction"] = json!({
                        "lsn_commit": open.commit.0, "ordinal": open.ordinal, "settings": *place.settings,
                    });
                }
                if !place.ranges.is_trivial() {
                    offset["delivered"] = place.ranges.to_json();
                }
            }
        }
        Position::at(offset.to_string(), self.order())
    }

    /// Where the slot was made, where everything was read and nothing else was asked for.
    pub(crate) fn finished_at(&self) -> Option<Lsn> {
        match &self.phase {
            Phase::Finished { at } => Some(*at),
            _ => None,
        }
    }

    fn order(&self) -> u128 {
        let (lsn, below) = match &self.phase {
            Phase::Intent { at } => (*at, 0),
            Phase::Snapshot(place) => (place.consistent, place.step),
            Phase::Finished { at } => (*at, STREAM - 1),
            Phase::Stream(place) => match &place.open {
                None => (place.confirmed, STREAM),
                Some(open) => (open.commit, STREAM + open.ordinal),
            },
        };
        let epoch = u128::from(self.history.epoch) << 112;
        epoch | (u128::from(lsn.0) << 48) | u128::from(below)
    }

    pub(crate) fn parse(stored: &SourcePosition) -> Result<Self, Fault> {
        let parsed = serde_json::from_str(&stored.position.offset).ok();
        parsed.as_ref().and_then(Self::from_json).ok_or_else(|| {
            let message = format!(
                "offset {} is not one of postgres-cdc",
                stored.position.offset
            );
            Fault::new(FaultClass::Config, "foreign-offset", message)
        })
    }

    fn from_json(offset: &Value) -> Option<Self> {
        let history = &offset["history"];
        let history = History {
            epoch: u16::try_from(history["epoch"].as_u64()?).ok()?,
            system: history["system"].as_str()?.parse().ok()?,
            timeline: u32::try_from(history["timeline"].as_u64()?).ok()?,
            database: history["database"].as_str()?.to_owned(),
            slot: history["slot"].as_str()?.to_owned(),
        };
        let lsn = Lsn(offset["lsn"].as_u64()?);
        let ranges = |json: &Value| match json {
            Value::Null => Some(Ranges::default()),
            json => Ranges::from_json(json),
        };
        let phase = match offset["phase"].as_str()? {
            "intent" => Phase::Intent { at: lsn },
            "finished" => Phase::Finished { at: lsn },
            "snapshot" => Phase::Snapshot(SnapshotPlace {
                consistent: lsn,
                step: offset["step"].as_u64()?,
                xmax: offset["xmax"].as_u64()?,
                ranges: ranges(&offset["delivered"])?,
            }),
            "stream" => Phase::Stream(StreamPlace {
                confirmed: lsn,
                committed: offset["lsn_commit"].as_u64().map(Lsn),
                open: match &offset["transaction"] {
                    Value::Null => None,
                    open => Some(OpenTransaction {
                        commit: Lsn(open["lsn_commit"].as_u64()?),
                        ordinal: open["ordinal"].as_u64()?,
                    }),
                },
                settings: match &offset["transaction"]["settings"] {
                    Value::Null => Rc::default(),
                    settings => serde_json::from_value(settings.clone()).map(Rc::new).ok()?,
                },
                ranges: ranges(&offset["delivered"])?,
            }),
            _ => return None,
        };
        Some(Self { history, phase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranges::{At, KeyMark, Mark, Seen};

    fn place(phase: Phase) -> Place {
        Place {
            history: History {
                epoch: 0,
                system: u64::MAX,
                timeline: 3,
                database: "db".to_owned(),
                slot: "s".to_owned(),
            },
            phase,
        }
    }

    fn delivered() -> Ranges {
        let mut ranges = Ranges::default();
        let upto = Mark {
            table: 16_384,
            at: At::Key(KeyMark {
                columns: "id 20".to_owned(),
                key: vec!["7".to_owned()],
            }),
        };
        ranges.advance(upto, Seen::parse("1:2:", Lsn(5)).as_ref());
        ranges
    }

    /// In the order in which a capture goes through them.
    fn phases() -> Vec<Phase> {
        let at = |lsn| StreamPlace::at(Lsn(lsn), delivered());
        let open = |ordinal| OpenTransaction {
            commit: Lsn(120),
            ordinal,
        };
        let settings = ConfigMap::from([("skipped.operations".to_owned(), "t".to_owned())]);
        let settings = Rc::new(settings);
        let snapshot = |step| SnapshotPlace {
            consistent: Lsn(100),
            step,
            xmax: 700,
            ranges: delivered(),
        };
        let inside = |ordinal| StreamPlace {
            committed: Some(Lsn(110)),
            open: Some(open(ordinal)),
            settings: Rc::clone(&settings),
            ..at(120)
        };
        vec![
            Phase::Intent { at: Lsn(99) },
            Phase::Snapshot(snapshot(1)),
            Phase::Snapshot(snapshot(2)),
            Phase::Stream(at(100)),
            Phase::Stream(at(120)),
            Phase::Stream(inside(1)),
            Phase::Stream(inside(1_000_000)),
            Phase::Stream(at(121)),
            Phase::Finished { at: Lsn(122) },
        ]
    }

    #[test]
    fn a_place_comes_back_as_it_was_stored() {
        for phase in phases() {
            let place = place(phase);
            let stored = SourcePosition {
                partition: "{}".to_owned(),
                position: place.to_position(),
            };
            assert_eq!(Place::parse(&stored).unwrap(), place);
        }
    }

    #[test]
    fn later_places_are_later() {
        let orders: Vec<_> = phases()
            .into_iter()
            .map(|phase| place(phase).order())
            .collect();
        assert!(orders.is_sorted_by(|a, b| a < b), "{orders:?}");
        let mut anew = place(Phase::Intent { at: Lsn(1) });
        anew.history.epoch = 1;
        assert!(
            anew.order() > orders[orders.len() - 1],
            "on a server that was born yesterday"
        );
    }

    #[test]
    fn a_foreign_offset_is_refused_by_name() {
        for offset in ["", "{}", r#"{"lsn_proc":1,"lsn":2}"#, r#"{"position":7}"#] {
            let position = Position {
                offset: offset.to_owned(),
                order: None,
            };
            let partition = "{}".to_owned();
            let fault = Place::parse(&SourcePosition {
                partition,
                position,
            })
            .unwrap_err();
            assert_eq!(fault.code, "foreign-offset");
        }
    }
}
