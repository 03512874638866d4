//! Lines of growing and rotating files to records, each exactly once.
//!
//! A file is known by its identity, not by its name: that is the source partition, and a byte offset
//! at the start of a line is the position. `survey` finds which files there are and in which order
//! they were written, `tail` reads one of them, `lines` cuts its bytes, `filling` makes a
//! batch of them, `copies` recognises what copy-and-truncate leaves behind, `names` tells what means
//! one file.
//!
//! *Must not know*: how files are reached; that is `ctx.files()`. *Invariant*: a position is always
//! behind a line that went into the same batch or an earlier one (invariants 2 and 3), and memory
//! holds no more of a line than `max.line.bytes` (invariant 9).

mod config;
mod copies;
mod filling;
mod lines;
mod names;
mod offset;
mod progress;
mod source;
mod survey;
mod tail;

pub use source::FileSource;

longshore_sdk::plugin! {
    name: "file-source",
    source: FileSource,
    aliases: [
        "FileStreamSource",
        "FileStreamSourceConnector",
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
    ],
    capabilities: [read_files("file")]
}
