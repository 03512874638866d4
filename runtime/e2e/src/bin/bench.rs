//! The benchmarks over the binary, each beside a baseline of the same run.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it speaks to the person who runs it"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use longshore_e2e::bench::{file_to_topic, idle, rest_latency};

/// A benchmark: its name, what it measures, and what it runs.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<()>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "file-to-topic",
        about: "1 GiB of 1 KiB lines through file-source with flush commit, beside a raw copy that syncs every 2 MiB",
        run: file_to_topic::run,
    },
    Bench {
        name: "idle",
        about: "a worker's start to ready, first and second, and the memory that it takes when it has nothing to do",
        run: idle::run,
    },
    Bench {
        name: "rest-latency",
        about: "GET /connectors while ten sources are busy, beside the same with none",
        run: rest_latency::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--list") {
        for bench in BENCHES {
            println!("{:<14} {}", bench.name, bench.about);
        }
        return Ok(());
    }
    for name in arguments {
        if !BENCHES.iter().any(|bench| bench.name == name) {
            bail!("there is no benchmark {name}; --list names them");
        }
    }
    for bench in BENCHES {
        if arguments.is_empty() || arguments.iter().any(|name| name == bench.name) {
            println!("\n{}: {}", bench.name, bench.about);
            (bench.run)()?;
        }
    }
    Ok(())
}
