//! Everything a person or CI runs: `cargo xtask VERB`.
//!
//! Owns: the order of CI, the rules of the repository, what has to be installed first.
//! Must not know: anything of the program. It depends on almost nothing, so that it is built in seconds.
//! Invariant: every verb works on a fresh clone, and stops only processes that it started.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner speaks to the person who runs it"
)]

mod cargo;
mod demo;
mod dist;
mod measure;
mod plugins;
mod postgres;
mod process;
mod suite;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask VERB

  demo          set everything up, then show changes of a throw-away PostgreSQL going to topics and on to a file;
                `--postgres URL` captures a server of yours, `--once` ends after the first events
  test          everything that CI runs
  tidy          the repository's own rules: layers, sizes, manifests, links
  plugins       build the guests into target/plugins and target/zoo
  prove [NAME]  the proofs of durability at full count; `prove --list` names them
  bench [NAME]  the benchmarks, each beside its own baseline; `bench --list` names them, `bench --with-debezium` runs
                Debezium side by side on the same server
  dist          write dist/longshore, one file with the built-in connectors inside";

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
    let Some((verb, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(());
    };
    match verb.as_str() {
        "demo" => demo::run(rest),
        "test" => test::run(),
        "tidy" => tidy::run(),
        "plugins" => plugins::build_all(),
        "prove" => measure::prove(rest),
        "bench" => measure::bench(rest),
        "dist" => dist::run(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => bail!("{other} is not a verb\n\n{USAGE}"),
    }
}
