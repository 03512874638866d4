//! What the task's status shows.

use serde_json::{Value, json};

use crate::tail::Tail;

/// Most files and gaps that are shown.
const SHOWN_MAX: usize = 100;

/// Bytes of a file that were gone before they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) filename: String,
    pub(crate) identity: String,
    /// Where the gap begins.
    pub(crate) from: u64,
    /// How far the file was seen to go; none where it was not looked at while the worker was down.
    pub(crate) to: Option<u64>,
}

/// The latest gaps.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Vec<Gap>);

impl Gaps {
    pub(crate) fn add(&mut self, gap: Gap) {
        if self.0.len() == SHOWN_MAX {
            self.0.remove(0);
        }
        self.0.push(gap);
    }
}

/// The status as JSON: files as they are read, youngest last, and gaps.
pub(crate) fn status(tails: &[Tail], gaps: &Gaps) -> String {
    let shown = &tails[tails.len().saturating_sub(SHOWN_MAX)..];
    let file = |tail: &Tail| {
        json!({
            "file": tail.entry.path,
            "identity": tail.entry.stat.identity,
            "position": tail.offset.position,
            "size": tail.entry.stat.size,
        })
    };
    let gap = |gap: &Gap| {
        json!({
            "file": gap.filename,
            "identity": gap.identity,
            "from": gap.from,
            "to": gap.to,
        })
    };
    json!({
        "files": shown.iter().map(file).collect::<Vec<Value>>(),
        "gaps": gaps.0.iter().map(gap).collect::<Vec<Value>>(),
    })
    .to_string()
}
