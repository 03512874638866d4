//! Benchmarks. Each prints what it measured beside a baseline of the same run, because a figure alone says little about a
//! machine; CPU time and memory stand beside every rate.
//!
//! *Must not know*: how the worker is built; only `log` and `plugin_cost` run code of ours in this process.
//! *Invariant*: nothing here waits by looking again and again, and every figure with a target says whether it is met.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod figure;
mod file_to_topic;
mod ground;
mod hot_guests;
mod idle;
mod lines;
mod log;
mod plugin_cost;
mod postgres;
mod process_cost;
mod raw;
mod recovery;

use anyhow::Result;

pub use ground::Ground;

/// What the host calls the threads that guests run on.
const GUEST_THREADS: &str = "longshore-guest";

/// A benchmark.
#[derive(Debug)]
pub struct Bench {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it measures, and beside what.
    pub about: &'static str,
    /// How much disk it takes at most.
    pub disk_bytes: u64,
    /// Measures and prints.
    pub run: fn(&Ground) -> Result<()>,
}

/// All of them, in the order in which they run.
pub const ALL: &[Bench] = &[
    Bench {
        name: "idle",
        about: "a worker from start to ready, and its memory while it has nothing to do, beside a process that only says \
                its version",
        disk_bytes: 1 << 20,
        run: idle::run,
    },
    Bench {
        name: "file-to-topic",
        about: "1 GiB of 1 KiB lines through file-source, string converter, flush commit, three times, each beside a raw \
                copy that syncs every 2 MiB",
        disk_bytes: 6 << 30,
        run: file_to_topic::run,
    },
    Bench {
        name: "plugin-cost",
        about: "CPU time of file-source as a WASM component for 1 GiB, beside the same code compiled natively behind the \
                same port",
        disk_bytes: 3 << 30,
        run: plugin_cost::run,
    },
    Bench {
        name: "hot-guests",
        about: "GET /connectors while ten guests compute without end, beside the same while none does",
        disk_bytes: 1 << 20,
        run: hot_guests::run,
    },
    Bench {
        name: "postgres-stream",
        about: "1 M rows of 100 bytes in transactions of 100 that wait in a slot, JSON without schemas, flush commit, three \
                times, each beside pg_recvlogical to a file",
        disk_bytes: 8 << 30,
        run: postgres::stream,
    },
    Bench {
        name: "postgres-transaction",
        about: "the same rows in one transaction",
        disk_bytes: 8 << 30,
        run: postgres::transaction,
    },
    Bench {
        name: "postgres-snapshot",
        about: "a snapshot of the same rows, three times, each beside COPY to /dev/null and a raw synced write of the bytes \
                that the worker wrote",
        disk_bytes: 8 << 30,
        run: postgres::snapshot,
    },
    Bench {
        name: "postgres-latency",
        about: "from commit to a reader of the topic at 2,000 changes a second, beside a raw sync",
        disk_bytes: 1 << 30,
        run: postgres::latency,
    },
    Bench {
        name: "log",
        about: "10 GB in 32 topics, flush commit, beside a raw file with the same syncs; then three retentions, the cleaner \
                and a cold reader",
        disk_bytes: 40 << 30,
        run: log::run,
    },
    Bench {
        name: "recovery",
        about: "a worker with 10 GB of journal is killed while ten sources write, started again, and started without its \
                index, beside a start without data and a raw read of the journal",
        disk_bytes: 16 << 30,
        run: recovery::run,
    },
];

/// What needs Java, Maven and kcat, and runs only where it is asked for.
pub const WITH_DEBEZIUM: Bench = Bench {
    name: "debezium",
    about: "1 M rows of 100 bytes that wait in a slot in transactions of 100, and a snapshot of them, beside Debezium 3.3.1 in \
            Kafka Connect 4.1 on Kafka, on the same server in the same run; BENCH_ROWS makes it smaller",
    disk_bytes: 12 << 30,
    run: postgres::debezium,
};
