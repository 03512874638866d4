//! Records to the lines of a file, each exactly once.
//!
//! Beside the file `NAME` stands `NAME.longshore`, its sidecar: up to which length the file is good,
//! and which records are in it up to there. A flush syncs the file first and replaces the sidecar then;
//! opening cuts the file back to that length and reads on from those offsets, whatever the group says.
//! `sidecar` owns that file, `value` turns a record into a line.
//!
//! *Must not know*: how files are reached; that is `ctx.files()`. *Invariant*: the sidecar never claims
//! what is not synced, and belongs to one generation and to topics by their ids (invariant 2).

mod config;
mod sidecar;
mod sink;
mod value;

pub use sink::FileSink;

longshore_sdk::plugin! {
    name: "file-sink",
    sink: FileSink,
    aliases: [
        "FileStreamSink",
        "FileStreamSinkConnector",
        "org.apache.kafka.connect.file.FileStreamSinkConnector",
    ],
    capabilities: [write_files("file")]
}
