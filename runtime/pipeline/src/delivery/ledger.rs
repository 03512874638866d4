//! Where a source task stands: what was queued, and what is stored.

use std::collections::HashMap;

use bytes::Bytes;
use longshore_model::{
    ConnectorName, Fault, FaultClass, Order, Position, SourcePosition, TopicName,
};

use super::offsets::{OFFSETS_TOPIC, offset_key, offset_record};
use crate::port::{Expect, Move};

/// Why a position cannot be queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Positions of a source partition only grow (invariant 2).
    #[error("position of source partition {partition} goes back: {to:?} comes after {from:?}")]
    GoesBack {
        /// The source partition.
        partition: String,
        /// The order that was queued last.
        from: Order,
        /// The order that was to follow.
        to: Order,
    },
    /// A plugin's positions always have an order.
    #[error("position of source partition {0} has no order")]
    NoOrder(String),
    /// The source partition or the offset is not a JSON object.
    #[error("source partition {0} or its offset is not a JSON object")]
    NotAnObject(String),
    /// The host keeps them all (invariant 9).
    #[error("a task has at most {PARTITIONS_MAX} source partitions")]
    TooManyPartitions,
}

/// Most source partitions of a task, as the contract says.
const PARTITIONS_MAX: usize = 100_000;

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::new(FaultClass::Fatal, "position", error.to_string())
    }
}

/// The positions of one source task. Everything that comes back against the stream of records comes
/// back through here.
#[derive(Debug)]
pub struct Ledger {
    connector: ConnectorName,
    topic: TopicName,
    /// By the key of the offsets record, which is the same however a connector wrote the partition.
    queued: HashMap<Bytes, Queued>,
}

/// The last position that was queued for a source partition.
#[derive(Debug)]
struct Queued {
    value: Bytes,
    order: Option<Order>,
}

impl Ledger {
    /// A ledger that goes on from what is stored.
    ///
    /// # Errors
    /// When a stored partition is not a JSON object.
    pub fn new(connector: ConnectorName, stored: &[SourcePosition]) -> Result<Self, LedgerError> {
        let topic = TopicName::parse(OFFSETS_TOPIC).expect("a legal name");
        let mut ledger = Self {
            connector,
            topic,
            queued: HashMap::new(),
        };
        for SourcePosition {
            partition,
            position,
        } in stored
        {
            let key = ledger.key(partition)?;
            let (value, _) = offset_record(position);
            let order = position.order;
            ledger.queued.insert(key, Queued { value, order });
        }
        Ok(ledger)
    }

    /// Queues the positions of one batch: what its append must move, from where to where. A position
    /// that stands where the last one stood moves nothing.
    ///
    /// # Errors
    /// When a position has no order or goes back; nothing is queued then.
    pub fn advance<'a>(
        &mut self,
        positions: impl Iterator<Item = (&'a str, &'a Position)>,
    ) -> Result<Vec<Move>, LedgerError> {
        let mut moves = Vec::new();
        let mut next: HashMap<Bytes, Queued> = HashMap::new();
        for (partition, position) in positions {
            let order = position
                .order
                .ok_or_else(|| LedgerError::NoOrder(partition.to_owned()))?;
            let key = self.key(partition)?;
            let last = next.get(&key).or_else(|| self.queued.get(&key));
            if let Some(from) = last.and_then(|last| last.order)
                && order < from
            {
                let partition = partition.to_owned();
                return Err(LedgerError::GoesBack {
                    partition,
                    from,
                    to: order,
                });
            }
            let (value, headers) = offset_record(position);
            if last.is_some_and(|last| last.value == value && last.order == Some(order)) {
                continue;
            }
            moves.push(Move {
                topic: self.topic.clone(),
                key: key.clone(),
                from: last.map_or(Expect::Absent, |last| Expect::Value(last.value.clone())),
                to: Some(value.clone()),
                headers,
            });
            let order = Some(order);
            next.insert(key, Queued { value, order });
        }
        let new = next.keys().filter(|key| !self.queued.contains_key(*key));
        if self.queued.len() + new.count() > PARTITIONS_MAX {
            return Err(LedgerError::TooManyPartitions);
        }
        self.queued.extend(next);
        Ok(moves)
    }

    fn key(&self, partition: &str) -> Result<Bytes, LedgerError> {
        offset_key(&self.connector, partition)
            .ok_or_else(|| LedgerError::NotAnObject(partition.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITION: &str = r#"{"filename":"a.log","identity":"1"}"#;

    fn position(n: u128) -> Position {
        Position {
            offset: format!(r#"{{"position":{n}}}"#),
            order: Some(Order(n)),
        }
    }

    fn ledger(stored: &[u128]) -> Ledger {
        let stored: Vec<_> = stored
            .iter()
            .map(|n| SourcePosition {
                partition: PARTITION.to_owned(),
                position: position(*n),
            })
            .collect();
        Ledger::new(ConnectorName::parse("c").unwrap(), &stored).unwrap()
    }

    #[test]
    fn moves_start_where_the_last_one_ended() {
        let mut ledger = ledger(&[3]);
        let first = ledger
            .advance([(PARTITION, &position(7))].into_iter())
            .unwrap();
        let second = ledger
            .advance([(PARTITION, &position(9))].into_iter())
            .unwrap();
        assert_eq!(
            first[0].from,
            Expect::Value(Bytes::from(r#"{"position":3}"#))
        );
        assert_eq!(second[0].from, Expect::Value(first[0].to.clone().unwrap()));
    }

    #[test]
    fn a_position_that_goes_back_is_refused_and_queues_nothing() {
        let mut ledger = ledger(&[3]);
        let other = r#"{"filename":"b.log"}"#;
        let positions = [(other, &position(1)), (PARTITION, &position(2))];
        assert!(matches!(
            ledger.advance(positions.into_iter()),
            Err(LedgerError::GoesBack { .. })
        ));
        let moves = ledger.advance([(other, &position(1))].into_iter()).unwrap();
        assert_eq!(moves[0].from, Expect::Absent);
    }

    #[test]
    fn a_position_that_stands_still_moves_nothing() {
        let mut ledger = ledger(&[3]);
        assert!(
            ledger
                .advance([(PARTITION, &position(3))].into_iter())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_partition_is_the_same_however_it_is_written() {
        let mut ledger = ledger(&[3]);
        let spelled = r#"{ "identity": "1", "filename": "a.log" }"#;
        let moves = ledger.advance([(spelled, &position(7))].into_iter());
        let from = Expect::Value(Bytes::from(r#"{"position":3}"#));
        assert_eq!(moves.unwrap()[0].from, from);
        let moves = ledger.advance([(PARTITION, &position(7))].into_iter());
        assert_eq!(moves.unwrap(), []);
    }

    #[test]
    fn partitions_have_a_limit() {
        let mut ledger = ledger(&[]);
        let names = (0..=PARTITIONS_MAX).map(|n| format!(r#"{{"n":{n}}}"#));
        let (names, at) = (names.collect::<Vec<_>>(), position(1));
        let all = names.iter().map(|name| (name.as_str(), &at));
        assert_eq!(ledger.advance(all), Err(LedgerError::TooManyPartitions));
        let allowed = names[1..].iter().map(|name| (name.as_str(), &at));
        assert_eq!(ledger.advance(allowed).unwrap().len(), PARTITIONS_MAX);
    }

    #[test]
    fn a_position_whose_order_is_not_known_lets_any_follow() {
        let stored = SourcePosition {
            partition: PARTITION.to_owned(),
            position: Position {
                order: None,
                ..position(100)
            },
        };
        let mut ledger = Ledger::new(ConnectorName::parse("c").unwrap(), &[stored]).unwrap();
        assert_eq!(
            ledger
                .advance([(PARTITION, &position(1))].into_iter())
                .unwrap()
                .len(),
            1
        );
    }
}
