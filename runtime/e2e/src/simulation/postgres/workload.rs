//! What clients of the server do: several transactions at a time, over few keys, so that they meet again and again.

use super::server::{Change, Server};
use super::table::{FACTS, IGNORED, ITEMS, Key, NAMES, PAIRS, Part, TABLES, WORDS};
use crate::seed::Random;

/// Transactions that are open at a time.
const OPEN_MAX: usize = 4;
/// Rows of a transaction that takes several batches.
const LARGE: std::ops::Range<u64> = 200..700;

impl Server {
    /// What is there before anybody captures.
    pub(super) fn fill(&mut self, random: &mut Random) {
        self.publication = random.one_in(2);
        for _ in 0..random.within(0..6) {
            let xid = self.begin();
            for _ in 0..random.within(1..40) {
                self.change_something(xid, random);
            }
            self.commit(xid, true);
        }
    }

    /// One thing that some client does.
    pub(super) fn step(&mut self, random: &mut Random) {
        let n = usize::try_from(random.within(0..OPEN_MAX as u64)).unwrap();
        let some = self.open.get(n).map(|open| open.xid);
        match (random.within(0..20), some) {
            (0..3, _) => self.show_one(),
            (3, _) => self.write_elsewhere(random.within(1..5_000)),
            (4, Some(xid)) if random.one_in(3) => self.abort(xid),
            (5..9, Some(xid)) => {
                let visible = !random.one_in(3);
                self.commit(xid, visible);
            }
            (9, None) if random.one_in(40) => {
                let xid = self.begin();
                for _ in 0..random.within(LARGE) {
                    self.change_something(xid, random);
                }
                self.commit(xid, true);
            }
            (_, None) => {
                self.begin();
            }
            (_, Some(xid)) => {
                for _ in 0..random.within(1..8) {
                    self.change_something(xid, random);
                }
            }
        }
    }

    /// The last transaction of all, so that there is something to wait for.
    pub(super) fn finish(&mut self, random: &mut Random) {
        self.settle();
        let xid = self.begin();
        while self.open[0].changes.iter().all(is_excluded) {
            self.change_something(xid, random);
        }
        self.commit(xid, true);
    }

    fn change_something(&mut self, xid: u64, random: &mut Random) {
        let table = [ITEMS, ITEMS, PAIRS, WORDS, NAMES, FACTS, IGNORED];
        let table = table[usize::try_from(random.within(0..7)).unwrap()];
        let known = self.some_key(table, random);
        let key = match known {
            Some(key) if random.one_in(2) => key,
            _ => some_key(table, random),
        };
        let Some(old) = self.look(xid, table, &key) else {
            return;
        };
        let note = note(random);
        let (old, new) = match old {
            // What a table without a key held once it never holds again.
            None if table == FACTS => {
                let new = self.row(vec![Part::Int(self.next_version)], note);
                (None, Some(new))
            }
            None => {
                let new = self.row(key, note);
                (None, Some(new))
            }
            Some(old) => match random.within(0..10) {
                0..3 => (Some(old), None),
                3..5 if table != FACTS => {
                    let other = some_key(table, random);
                    if self.look(xid, table, &other) != Some(None) {
                        return;
                    }
                    let new = self.row(other, note);
                    (Some(old), Some(new))
                }
                _ => {
                    let new = self.row(key, note);
                    (Some(old), Some(new))
                }
            },
        };
        self.change(xid, table, old, new);
    }
}

fn is_excluded(change: &Change) -> bool {
    TABLES[change.table].excluded
}

fn some_key(table: usize, random: &mut Random) -> Key {
    let mut text = |n: u64| {
        let letters = ["a", "B", "b", "é", "o'clock", "z z", "Ab", "10", "9", ""];
        let n = usize::try_from(random.within(0..n)).unwrap();
        format!(
            "{}{}",
            letters[n % letters.len()],
            "x".repeat(n / letters.len())
        )
    };
    match table {
        PAIRS => {
            let second = Part::Text(text(10));
            vec![Part::Int(random.within(0..12).cast_signed() - 3), second]
        }
        WORDS => vec![Part::Text(text(60))],
        NAMES => vec![Part::Text(text(40))],
        _ => vec![Part::Int(random.within(0..150).cast_signed() - 20)],
    }
}

fn note(random: &mut Random) -> Option<String> {
    match random.within(0..6) {
        0 => None,
        1 => Some("tab\t, line\n, \\ and \\N".to_owned()),
        _ => Some("n".repeat(usize::try_from(random.within(0..60)).unwrap())),
    }
}
