//! The proofs of durability at full count, in named parts that can be broken off, go on where they ended, and add up.
#![expect(clippy::print_stdout, reason = "it speaks to the person who runs it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result, bail};
use longshore_e2e::postgres::proof;
use longshore_e2e::{debezium, java, kill, program, seed, simulation};

/// A part of the proof.
struct Part {
    name: &'static str,
    claim: &'static str,
    rounds: u32,
    /// Rounds that one run of it does, on one data directory.
    at_a_time: u32,
    run: fn(&Path, u64, u32) -> Result<()>,
    /// Programs of others without which it is skipped, with their packages.
    needs: &'static [(&'static str, &'static str)],
}

const KCAT: (&str, &str) = ("kcat", "kcat");

const PARTS: &[Part] = &[
    Part {
        name: "files",
        claim: "kill -9 at random points while a growing file, rotated by rename, goes through a topic into another file: \
                the output equals the input byte for byte",
        rounds: 100,
        at_a_time: 10,
        run: kill::files,
        needs: &[],
    },
    Part {
        name: "producers",
        claim: "kill -9 at random points while an idempotent producer of another project writes: every number is there \
                once, in order",
        rounds: 100,
        at_a_time: 10,
        run: producers,
        needs: &[KCAT],
    },
    Part {
        name: "postgres-snapshot",
        claim: "kill -9 at random points while a snapshot reads tables with and without a usable key, which four sessions \
                change meanwhile, and their keys: replaying the topics gives the tables; each committed change is told once, in \
                the order of its row, or was seen by the snapshot that read the row (without a usable key reads may \
                repeat); the slot was never confirmed past what was stored",
        rounds: 100,
        at_a_time: 10,
        run: proof::snapshot,
        needs: &[KCAT],
    },
    Part {
        name: "postgres-stream",
        claim: "kill -9 at random points while the changes of four sessions stream: the same, and no change is told twice",
        rounds: 100,
        at_a_time: 20,
        run: proof::stream,
        needs: &[KCAT],
    },
    Part {
        name: "postgres-large-snapshot",
        claim: "the same as postgres-snapshot with a million rows",
        rounds: 5,
        at_a_time: 5,
        run: proof::large_snapshot,
        needs: &[KCAT],
    },
    Part {
        name: "postgres-transaction",
        claim: "kill -9 at random points while one transaction of two million rows streams: every row is told once, in order, of \
                one transaction, in less than 512 MB",
        rounds: 100,
        at_a_time: 20,
        run: proof::transaction,
        needs: &[KCAT],
    },
    Part {
        name: "debezium",
        claim: "rows of every mapped type in a snapshot, changes of every kind, and as many random transactions as there are \
                rounds, captured by Debezium 3.3.1 in Kafka Connect 4.1 and by the same connector JSON here, in six \
                modes: keys, values, schemas, headers and order are equal, but for what the guide lists",
        rounds: 1_000,
        at_a_time: 200,
        run: debezium::compare,
        needs: &[KCAT, java::NEEDED[0], java::NEEDED[1]],
    },
    Part {
        name: "postgres-script",
        claim: "kill -9 at one message after another of a script of some 5,000, of small and large transactions, copies, key \
                changes and another shape of the table: the topics hold what they hold without a kill",
        rounds: 500,
        at_a_time: 50,
        run: proof::script,
        needs: &[KCAT],
    },
    Part {
        name: "postgres-outage",
        claim: "nothing becomes durable for as many seconds as there are rounds, while rows are written, and before that now and \
                then for twice the time that the server waits for a word: the connection stays, the slot stays where it is, \
                memory is bounded, and every row is there once, in order",
        rounds: 600,
        at_a_time: 600,
        run: proof::outage,
        needs: &[],
    },
    Part {
        name: "postgres-idle",
        claim: "once a second and round, tables that are not captured are written, in the captured database and in another: the slot \
                follows within seconds, and nothing is told",
        rounds: 300,
        at_a_time: 300,
        run: proof::idle,
        needs: &[],
    },
    Part {
        name: "postgres-small-transactions",
        claim: "as many thousand transactions of one row as there are rounds wait in a slot: they arrive in order, and one \
                position is stored for fifty and more",
        rounds: 200,
        at_a_time: 200,
        run: proof::small_transactions,
        needs: &[],
    },
    Part {
        name: "postgres-many-tables",
        claim: "as many thousand partitions as there are rounds, half as many tables, and a fifth as many types: the capture \
                streams within a minute, and types are not asked for again and again",
        rounds: 10,
        at_a_time: 10,
        run: proof::many_tables,
        needs: &[],
    },
    Part {
        name: "simulation",
        claim: "log, pipeline and both file connectors, compiled natively, over a simulated disk that loses unsynced writes, \
                tears frames, fills up and fails syncs, each round from the next seed: the output equals the \
                input byte for byte, and every line that the sink cannot read is a dead letter once, in order",
        rounds: 10_000,
        at_a_time: 500,
        run: simulated,
        needs: &[],
    },
    Part {
        name: "postgres-simulation",
        claim: "the Postgres connector, compiled natively, over a simulated disk that loses unsynced writes, beside a model of a \
                server that forgets what was confirmed, loses connections, restarts, and answers by and by, each round \
                from the next seed: replaying the topics gives the tables; each committed change is told once, in the order of \
                its row, or was seen by the one snapshot that told the row (without a usable key reads may repeat); \
                the slot was never confirmed past what a crash leaves",
        rounds: 2_000,
        at_a_time: 500,
        run: captured,
        needs: &[],
    },
];

fn main() -> ExitCode {
    program::main(run)
}

fn run(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--list") {
        for part in PARTS {
            println!("{:<10} {} rounds: {}", part.name, part.rounds, part.claim);
        }
        return Ok(());
    }
    for name in arguments {
        if !PARTS.iter().any(|part| part.name == name) {
            bail!("there is no part {name}; --list names them");
        }
    }
    let chosen =
        |part: &&Part| arguments.is_empty() || arguments.iter().any(|name| name == part.name);
    for part in PARTS.iter().filter(chosen) {
        prove(part)?;
    }
    Ok(())
}

/// Runs what is left of a part; with a given seed, that alone.
fn prove(part: &Part) -> Result<()> {
    for (program, package) in part.needs {
        if program::installed(program, package)?.is_none() {
            println!("{}: skipped without {program}", part.name);
            return Ok(());
        }
    }
    if let Some(seed) = seed::given() {
        return run_once(part, seed, part.at_a_time);
    }
    let ledger = Progress::open(part)?;
    let mut runs = ledger.runs()?;
    let mut done: u32 = runs.iter().map(|(_, rounds)| rounds).sum();
    while done < part.rounds {
        let seed = seed::seed();
        let rounds = part.at_a_time.min(part.rounds - done);
        println!(
            "{}: {done} of {} rounds; LONGSHORE_SEED={seed}",
            part.name, part.rounds
        );
        run_once(part, seed, rounds)?;
        runs.push((seed, rounds));
        done += rounds;
        ledger.write(&runs)?;
    }
    println!("{}: {done} rounds passed", part.name);
    report(part, &runs)
}

fn run_once(part: &Part, seed: u64, rounds: u32) -> Result<()> {
    let folder = tempfile::tempdir().context("make a directory")?;
    (part.run)(folder.path(), seed, rounds).with_context(|| format!("LONGSHORE_SEED={seed}"))
}

fn simulated(_: &Path, seed: u64, rounds: u32) -> Result<()> {
    let seen = simulation::run(seed, rounds.into())?;
    println!("simulation: {seen:?}");
    Ok(())
}

fn captured(_: &Path, seed: u64, rounds: u32) -> Result<()> {
    let seen = simulation::postgres::run(seed, rounds.into())?;
    println!("postgres-simulation: {seen:?}");
    Ok(())
}

fn producers(folder: &Path, seed: u64, n_kills: u32) -> Result<()> {
    let kcat = program::installed("kcat", "kcat")?.context("kcat is not installed")?;
    kill::producer(folder, &kcat, seed, n_kills)
}

/// Which runs have passed: a seed and a number of rounds on each line.
struct Progress {
    file: PathBuf,
}

impl Progress {
    /// What a changed program has to prove again is begun anew.
    fn open(part: &Part) -> Result<Self> {
        let mut built = 0;
        for program in [program::longshore()?, std::env::current_exe()?] {
            let modified = fs::metadata(program)?.modified()?;
            built = built.max(modified.duration_since(UNIX_EPOCH)?.as_millis());
        }
        let folder = program::target_dir()?.join("prove");
        fs::create_dir_all(&folder)?;
        Ok(Self {
            file: folder.join(format!("{}-{built}", part.name)),
        })
    }

    fn runs(&self) -> Result<Vec<(u64, u32)>> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let pairs = text.lines().map(|line| {
            let (seed, rounds) = line.split_once(' ').context("a line is seed and rounds")?;
            Ok((seed.parse()?, rounds.parse()?))
        });
        pairs.collect()
    }

    fn write(&self, runs: &[(u64, u32)]) -> Result<()> {
        let lines: Vec<String> = runs
            .iter()
            .map(|(seed, rounds)| format!("{seed} {rounds}"))
            .collect();
        fs::write(&self.file, lines.join("\n")).context("write down what has passed")
    }
}

fn report(part: &Part, runs: &[(u64, u32)]) -> Result<()> {
    let rounds: u32 = runs.iter().map(|(_, rounds)| rounds).sum();
    let seeds: Vec<String> = runs
        .iter()
        .map(|(seed, rounds)| format!("- `{seed}`: {rounds}"))
        .collect();
    let text = format!(
        "# Proof: {}\n\n{}.\n\n`cargo xtask prove {}`: {rounds} rounds passed, with {} {} ({} build). Each seed replays with `LONGSHORE_SEED`.\n\n{}\n",
        part.name,
        part.claim,
        part.name,
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        if cfg!(debug_assertions) {
            "development"
        } else {
            "release"
        },
        seeds.join("\n")
    );
    // xtask runs it in the root of the clone that it proves.
    let file = Path::new("docs/proofs").join(format!("{}.md", part.name));
    fs::create_dir_all(file.parent().context("a file has a folder")?)?;
    fs::write(&file, text).context("write the report")
}
