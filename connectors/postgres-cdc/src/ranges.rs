//! What of the tables was delivered by which snapshot, and which changes that makes superfluous.
//!
//! The rows of all tables stand in one order: the table's oid, which survives renaming, then its key. A range reaches from the one before it up to its
//! mark, and was delivered by one snapshot. The first snapshot is the slot's own, which saw none of the stream's
//! transactions. A later one, taken after a crash, saw some: their changes to rows that it delivered are in those rows
//! already.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::key_order::{self, KeyOrder};
use crate::lsn::Lsn;

/// Which transactions a snapshot saw: `pg_current_snapshot()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Everything before it was seen.
    pub(crate) xmin: u64,
    /// Nothing from it on was seen.
    pub(crate) xmax: u64,
    /// Between the two, what was running and therefore not seen.
    pub(crate) running: Vec<u64>,
    /// All that it saw committed before this.
    pub(crate) until: Lsn,
}

impl Seen {
    /// Reads `xmin:xmax:running,running`.
    pub(crate) fn parse(snapshot: &str, until: Lsn) -> Option<Self> {
        let mut parts = snapshot.splitn(3, ':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts.next()?.split(',').filter(|xid| !xid.is_empty());
        Some(Self {
            xmin,
            xmax,
            running: running.map(|xid| xid.parse().ok()).collect::<Option<_>>()?,
            until,
        })
    }

    /// Whether a transaction of the stream, which has the lower half of its number, was seen.
    pub(crate) fn saw(&self, xid: u32) -> bool {
        let xid = self.whole(xid);
        xid < self.xmin || (xid < self.xmax && !self.running.contains(&xid))
    }

    /// Transactions are at most 2^31 apart.
    fn whole(&self, xid: u32) -> u64 {
        const EPOCH: u64 = 1 << 32;
        let near = (self.xmax & !(EPOCH - 1)) | u64::from(xid);
        if near > self.xmax + EPOCH / 2 {
            near.saturating_sub(EPOCH)
        } else if near + EPOCH / 2 < self.xmax {
            near + EPOCH
        } else {
            near
        }
    }
}

/// How far a table was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Begun; its rows have no order that we know.
    Somewhere,
    /// Up to this key.
    Key(KeyMark),
    /// All of it.
    End,
}

/// A key, and what it is made of: of another key's columns it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyMark {
    /// Names and types.
    pub(crate) columns: String,
    pub(crate) key: Vec<String>,
}

/// A place among the rows of all tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The table's oid.
    pub(crate) table: u32,
    pub(crate) at: At,
}

/// Whether a truncate has been told by the rows that are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truncated {
    Seen,
    Unseen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    upto: Mark,
    /// None: the slot's own.
    seen: Option<Seen>,
}

/// Everything that was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    ranges: Vec<Range>,
    /// Tables that more than one snapshot delivered, in no order: none of their changes may be left out.
    mixed: BTreeSet<u32>,
}

impl Ranges {
    /// Where delivering ended.
    pub(crate) fn end(&self) -> Option<&Mark> {
        self.ranges.last().map(|range| &range.upto)
    }

    /// A new snapshot takes over.
    pub(crate) fn resume(&mut self) {
        if let Some(Mark {
            table,
            at: At::Somewhere,
        }) = self.end()
        {
            self.mixed.insert(*table);
        }
    }

    /// A table's rows are told apart otherwise than when it was begun: nothing of it may be left out.
    pub(crate) fn mix(&mut self, table: u32) {
        self.mixed.insert(table);
    }

    /// Mixes a table whose marks are of another key than this one.
    pub(crate) fn hold_to_key(&mut self, table: u32, columns: Option<&str>) {
        let differs = |range: &Range| match &range.upto.at {
            At::Key(mark) => range.upto.table == table && Some(&*mark.columns) != columns,
            At::Somewhere | At::End => false,
        };
        if self.ranges.iter().any(differs) {
            self.mix(table);
        }
    }

    /// What a truncate by a transaction means to what was delivered of a table.
    pub(crate) fn truncated(&mut self, table: u32, xid: u32) -> Truncated {
        let reaches = |range: &&Range| range.upto.table >= table;
        let first = self
            .ranges
            .iter()
            .position(|range| range.upto.table >= table);
        let Some(first) = first else {
            return Truncated::Unseen;
        };
        // Ranges that end inside the table, and the one that ends behind it.
        let mut covering =
            self.ranges[first..]
                .iter()
                .filter(reaches)
                .scan(false, |over, range| {
                    let was_over = std::mem::replace(
                        over,
                        range.upto.table > table || range.upto.at == At::End,
                    );
                    (!was_over).then_some(range)
                });
        let saw = |range: &Range| range.seen.as_ref().is_some_and(|seen| seen.saw(xid));
        let (mut seen_by_all, mut seen_by_some) = (true, false);
        for range in covering.by_ref() {
            seen_by_all &= saw(range);
            seen_by_some |= saw(range);
        }
        match (seen_by_all && !self.mixed.contains(&table), seen_by_some) {
            (true, _) => Truncated::Seen,
            (false, true) => {
                self.mix(table);
                Truncated::Unseen
            }
            (false, false) => Truncated::Unseen,
        }
    }

    /// Delivering has come further, in this snapshot.
    pub(crate) fn advance(&mut self, upto: Mark, seen: Option<&Seen>) {
        match self.ranges.last_mut() {
            Some(last) if last.seen.as_ref() == seen => last.upto = upto,
            _ => self.ranges.push(Range {
                upto,
                seen: seen.cloned(),
            }),
        }
    }

    /// Whether any change may be superfluous.
    pub(crate) fn is_trivial(&self) -> bool {
        self.ranges.iter().all(|range| range.seen.is_none())
    }

    /// Forgets what no transaction that commits from here on can have been seen by.
    pub(crate) fn forget_until(&mut self, commit: Lsn) {
        let past = |range: &Range| range.seen.as_ref().is_none_or(|seen| seen.until <= commit);
        if !self.ranges.is_empty() && self.ranges.iter().all(past) {
            *self = Self::default();
        }
    }

    /// The snapshot that delivered a row, where it was another than the slot's own. `key` is absent where the table's
    /// order is not known.
    pub(crate) fn seen<K: AsRef<str>>(
        &self,
        table: u32,
        orders: &[KeyOrder],
        key: Option<&[K]>,
    ) -> Option<&Seen> {
        if self.mixed.contains(&table) {
            return None;
        }
        let reaches = |range: &&Range| match range.upto.table.cmp(&table) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => match (&range.upto.at, key) {
                (At::End | At::Somewhere, _) => true,
                (At::Key(upto), Some(key)) => key_order::compare(orders, key, &upto.key).is_le(),
                (At::Key(_), None) => false,
            },
        };
        let range = self.ranges.iter().find(reaches)?;
        range.seen.as_ref()
    }

    pub(crate) fn to_json(&self) -> Value {
        let range = |range: &Range| {
            let mut json = json!({ "table": range.upto.table });
            match &range.upto.at {
                At::Somewhere => json["begun"] = json!(true),
                At::Key(mark) => {
                    json["columns"] = json!(mark.columns);
                    json["key"] = json!(mark.key);
                }
                At::End => {}
            }
            if let Some(seen) = &range.seen {
                json["seen"] = json!({
                    "xmin": seen.xmin, "xmax": seen.xmax, "running": seen.running, "until": seen.until.0,
                });
            }
            json
        };
        json!({ "ranges": self.ranges.iter().map(range).collect::<Vec<_>>(), "mixed": self.mixed })
    }

    pub(crate) fn from_json(json: &Value) -> Option<Self> {
        let texts = |json: &Value| -> Option<Vec<String>> {
            let texts = json.as_array()?.iter();
            texts.map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let range = |json: &Value| {
            let table = u32::try_from(json["table"].as_u64()?).ok()?;
            let at = match (&json["begun"], &json["key"]) {
                (Value::Bool(true), _) => At::Somewhere,
                (_, Value::Null) => At::End,
                (_, key) => At::Key(KeyMark {
                    columns: json["columns"].as_str()?.to_owned(),
                    key: texts(key)?,
                }),
            };
            let seen = match &json["seen"] {
                Value::Null => None,
                seen => Some(Seen {
                    xmin: seen["xmin"].as_u64()?,
                    xmax: seen["xmax"].as_u64()?,
                    running: (seen["running"].as_array()?.iter().map(Value::as_u64))
                        .collect::<Option<_>>()?,
                    until: Lsn(seen["until"].as_u64()?),
                }),
            };
            let upto = Mark { table, at };
            Some(Range { upto, seen })
        };
        let mixed = |json: &Value| u32::try_from(json.as_u64()?).ok();
        Some(Self {
            ranges: json["ranges"]
                .as_array()?
                .iter()
                .map(range)
                .collect::<Option<_>>()?,
            mixed: json["mixed"]
                .as_array()?
                .iter()
                .map(mixed)
                .collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEGER: &[KeyOrder] = &[KeyOrder::Integer];

    /// Tables are called by letters here.
    fn table(name: &str) -> u32 {
        u32::from(name.as_bytes()[0])
    }

    fn mark(name: &str, at: At) -> Mark {
        Mark {
            table: table(name),
            at,
        }
    }

    fn key(key: &str) -> At {
        At::Key(KeyMark {
            columns: "id 20".to_owned(),
            key: vec![key.to_owned()],
        })
    }

    fn seen(xmax: u64) -> Seen {
        Seen {
            xmin: xmax - 2,
            xmax,
            running: vec![xmax - 1],
            until: Lsn(xmax * 10),
        }
    }

    /// A crash in `b` behind key 9, one in keyless `c`, then the end.
    fn crashed_twice() -> Ranges {
        let mut ranges = Ranges::default();
        ranges.advance(mark("a", At::End), None);
        ranges.advance(mark("b", key("9")), None);
        ranges.resume();
        ranges.advance(mark("b", key("20")), Some(&seen(100)));
        ranges.advance(mark("b", At::End), Some(&seen(100)));
        ranges.advance(mark("c", At::Somewhere), Some(&seen(100)));
        ranges.resume();
        ranges.advance(mark("c", At::End), Some(&seen(200)));
        ranges.advance(mark("d", At::End), Some(&seen(200)));
        ranges
    }

    #[test]
    fn a_row_belongs_to_the_snapshot_that_delivered_it() {
        let ranges = crashed_twice();
        let xmax = |name: &str, key: Option<&str>| {
            let key = key.map(|key| [key]);
            let seen = ranges.seen(table(name), INTEGER, key.as_ref().map(|k| &k[..]));
            seen.map(|seen| seen.xmax)
        };
        assert_eq!(xmax("a", Some("5")), None);
        assert_eq!(xmax("b", Some("9")), None);
        assert_eq!(xmax("b", Some("10")), Some(100));
        assert_eq!(xmax("b", Some("1000000")), Some(100));
        assert_eq!(xmax("c", None), None, "two snapshots delivered it");
        assert_eq!(xmax("d", None), Some(200));
        assert_eq!(xmax("e", None), None, "nothing delivered it");
    }

    #[test]
    fn ranges_of_one_snapshot_are_one() {
        let ranges = crashed_twice();
        assert_eq!(ranges.ranges.len(), 3);
        assert_eq!(Ranges::from_json(&ranges.to_json()), Some(ranges.clone()));
        assert!(!ranges.is_trivial());
        let mut ranges = ranges;
        ranges.forget_until(Lsn(1999));
        assert_eq!(ranges.ranges.len(), 3);
        ranges.forget_until(Lsn(2000));
        assert_eq!(ranges, Ranges::default());
    }

    #[test]
    fn a_key_of_other_columns_says_nothing() {
        let mut ranges = crashed_twice();
        ranges.hold_to_key(table("b"), Some("id 20"));
        assert_eq!(ranges, crashed_twice());
        ranges.hold_to_key(table("b"), Some("u 2950"));
        assert_eq!(ranges.seen(table("b"), INTEGER, Some(&["10"])), None);
    }

    #[test]
    fn a_truncate_is_told_unless_all_of_a_table_was_read_behind_it() {
        let truncated = |name: &str, xid| crashed_twice().truncated(table(name), xid);
        assert_eq!(
            truncated("a", 50),
            Truncated::Unseen,
            "the slot's own saw none"
        );
        assert_eq!(
            truncated("b", 50),
            Truncated::Unseen,
            "a part was read before it"
        );
        assert_eq!(
            truncated("c", 50),
            Truncated::Unseen,
            "two snapshots read it"
        );
        assert_eq!(truncated("d", 50), Truncated::Seen);
        assert_eq!(truncated("d", 199), Truncated::Unseen, "it was running");
        assert_eq!(truncated("e", 50), Truncated::Unseen, "nothing was read");
    }

    #[test]
    fn a_snapshot_saw_what_had_ended() {
        let seen = Seen::parse("10:20:12,15", Lsn(0)).unwrap();
        let saw: Vec<u32> = (8..22).filter(|xid| seen.saw(*xid)).collect();
        assert_eq!(saw, [8, 9, 10, 11, 13, 14, 16, 17, 18, 19]);
        assert_eq!(Seen::parse("7:7:", Lsn(1)).unwrap().running, [0u64; 0]);
        assert_eq!(Seen::parse("7:7", Lsn(1)), None);
    }

    #[test]
    fn numbers_of_transactions_wrap_around() {
        let behind = Seen {
            xmin: (1 << 32) + 5,
            xmax: (1 << 32) + 5,
            running: Vec::new(),
            until: Lsn(0),
        };
        assert!(behind.saw(u32::MAX));
        assert!(behind.saw(4));
        assert!(!behind.saw(5));
        let before = Seen {
            xmin: (2 << 32) - 5,
            xmax: (2 << 32) - 5,
            running: Vec::new(),
            until: Lsn(0),
        };
        assert!(before.saw(u32::MAX - 5));
        assert!(!before.saw(3));
    }
}
