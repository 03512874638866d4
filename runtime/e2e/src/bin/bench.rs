//! The benchmarks, each beside a baseline of the same run.
#![expect(clippy::print_stdout, reason = "it speaks to the person who runs it")]

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use longshore_e2e::bench::{ALL, Bench, Ground};
use longshore_e2e::program;

fn main() -> ExitCode {
    program::main(run)
}

fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--list") {
        for bench in ALL {
            println!("{:<14} {}", bench.name, bench.about);
        }
        return Ok(());
    }
    let chosen: Vec<&Bench> = if arguments.is_empty() {
        ALL.iter().collect()
    } else {
        let find = |name: &String| {
            let found = ALL.iter().find(|bench| bench.name == name);
            found.with_context(|| format!("there is no benchmark {name}; --list names them"))
        };
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

/// In a process of its own, so that memory and CPU time are those of one benchmark.
fn run_apart(bench: &Bench) -> Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .arg(bench.name)
        .status()?;
    ensure!(status.success(), "{} ended with {status}", bench.name);
    Ok(())
}
