//! The benchmarks, each beside a baseline of the same run.
#![expect(clippy::print_stdout, reason = "it speaks to the person who runs it")]

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use longshore_e2e::bench::{ALL, Bench, Ground, WITH_DEBEZIUM};
use longshore_e2e::program;

/// Runs the benchmark beside Debezium, alone or after others that are named.
const FLAG: &str = "--with-debezium";

fn main() -> ExitCode {
    program::main(run)
}

fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--list") {
        for bench in ALL {
            println!("{:<14} {}", bench.name, bench.about);
        }
        println!("{FLAG}: {}", WITH_DEBEZIUM.about);
        return Ok(());
    }
    let chosen: Vec<&Bench> = if arguments.is_empty() {
        ALL.iter().collect()
    } else {
        arguments.iter().map(find).collect::<Result<_>>()?
    };
    Ground::check(&chosen)?;
    match chosen.as_slice() {
        [bench] => {
            println!("\n{}: {}", bench.name, bench.about);
            (bench.run)(&Ground::new()?)
        }
        several => several.iter().copied().try_for_each(run_apart),
    }
}

/// A flag is a benchmark like others: alone it runs alone.
fn find(argument: &String) -> Result<&'static Bench> {
    if argument == FLAG {
        return Ok(&WITH_DEBEZIUM);
    }
    let found = ALL.iter().find(|bench| bench.name == argument);
    found.with_context(|| format!("there is no benchmark {argument}; --list names them"))
}

/// In a process of its own, so that memory and CPU time are those of one benchmark.
fn run_apart(bench: &Bench) -> Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .arg(if bench.name == WITH_DEBEZIUM.name {
            FLAG
        } else {
            bench.name
        })
        .status()?;
    ensure!(status.success(), "{} ended with {status}", bench.name);
    Ok(())
}
