//! The order of keys as the server has it, for the types whose order can be computed from their text.

use std::cmp::Ordering;

/// How the values of a key column stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyOrder {
    Integer,
    /// Dates and timestamps, in ISO form and UTC.
    Time,
    /// Byte by byte: text in collation C, and uuid, whose text is as long and in the same order.
    Bytes,
}

mod oid {
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const OID: u32 = 26;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const DATE: u32 = 1082;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const UUID: u32 = 2950;
}

impl KeyOrder {
    /// None where the order is the server's secret.
    pub(crate) fn of(type_oid: u32, collation_is_c: bool) -> Option<Self> {
        match type_oid {
            oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => Some(Self::Integer),
            oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ => Some(Self::Time),
            oid::UUID => Some(Self::Bytes),
            oid::TEXT | oid::VARCHAR if collation_is_c => Some(Self::Bytes),
            _ => None,
        }
    }

    /// Text that is not of the type stands before all that is.
    fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Integer => a.parse::<i64>().ok().cmp(&b.parse::<i64>().ok()),
            Self::Time => Moment::parse(a).cmp(&Moment::parse(b)),
            Self::Bytes => a.as_bytes().cmp(b.as_bytes()),
        }
    }
}

/// Compares keys column by column.
pub(crate) fn compare<A: AsRef<str>, B: AsRef<str>>(
    orders: &[KeyOrder],
    a: &[A],
    b: &[B],
) -> Ordering {
    let columns = orders.iter().zip(a.iter().zip(b));
    columns
        .map(|(order, (a, b))| order.compare(a.as_ref(), b.as_ref()))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A date or a timestamp, to be compared and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Before,
    At { year: i64, rest: [u32; 6] },
    After,
}

impl Moment {
    /// `2026-11-21`, `2026-11-21 09:20:26.898781+00`, `0044-03-15 00:00:00 BC`, `infinity`.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "infinity" => return Some(Self::After),
            "-infinity" => return Some(Self::Before),
            _ => {}
        }
        let (text, before_christ) = match text.strip_suffix(" BC") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
        let mut date = date.splitn(3, '-');
        let year: i64 = date.next()?.parse().ok()?;
        let month = date.next()?.parse().ok()?;
        let day = date.next()?.parse().ok()?;
        let time = time.trim_end_matches("+00");
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let mut time = time.splitn(3, ':').map(|part| part.parse::<u32>().ok());
        let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
        let micros = format!("{fraction:0<6}").parse().ok()?;
        Some(Self::At {
            year: if before_christ { 1 - year } else { year },
            rest: [month, day, hour, minute, second, micros],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascends(order: KeyOrder, texts: &[&str]) {
        for pair in texts.windows(2) {
            assert_eq!(order.compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(
                order.compare(pair[1], pair[0]),
                Ordering::Greater,
                "{pair:?}"
            );
            assert_eq!(order.compare(pair[0], pair[0]), Ordering::Equal, "{pair:?}");
        }
    }

    #[test]
    fn keys_stand_as_the_server_has_them() {
        ascends(
            KeyOrder::Integer,
            &["-9223372036854775808", "-1", "0", "9", "10", "4294967295"],
        );
        ascends(
            KeyOrder::Time,
            &[
                "-infinity",
                "0045-01-01 00:00:00 BC",
                "0044-03-15 00:00:00+00 BC",
                "0001-01-01",
                "2026-11-21",
                "2026-11-21 09:20:26.89+00",
                "2026-11-21 09:20:26.9+00",
                "2026-11-21 10:00:00",
                "10000-01-01 00:00:00",
                "infinity",
            ],
        );
        ascends(
            KeyOrder::Bytes,
            &[
                "",
                "A",
                "a",
                "a0000000-0000-0000-0000-000000000000",
                "b",
                "é",
            ],
        );
    }

    #[test]
    fn the_first_column_that_differs_decides() {
        let orders = [KeyOrder::Integer, KeyOrder::Bytes];
        assert_eq!(
            compare(&orders, &["1", "b"], &["1", "a"]),
            Ordering::Greater
        );
        assert_eq!(compare(&orders, &["1", "b"], &["2", "a"]), Ordering::Less);
        assert_eq!(compare(&orders, &["1", "b"], &["1", "b"]), Ordering::Equal);
    }

    #[test]
    fn text_of_another_collation_has_no_order_here() {
        assert_eq!(KeyOrder::of(oid::TEXT, false), None);
        assert_eq!(KeyOrder::of(oid::TEXT, true), Some(KeyOrder::Bytes));
        assert_eq!(KeyOrder::of(1700, true), None);
    }
}
