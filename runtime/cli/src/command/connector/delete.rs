//! `longshore connector delete`: what the connector leaves behind is named, or removed first.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{items, text};
use crate::args::DeleteArgs;
use crate::client::Client;
use crate::error::{Code, Failure, Result};
use crate::output::Answer;

/// How long a removal is waited for. It goes on afterwards.
const REMOVED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(client: &Client, args: &DeleteArgs) -> Result<Answer> {
    let path = ["connectors", args.name.as_str()];
    let left = match client.get(&[path[0], path[1], "leftovers"], &[]).await {
        Err(failure) if failure.code == Code::NotFound => return Err(failure),
        // A connector whose server does not answer can be deleted all the same.
        left => left.map_err(|failure| failure.message),
    };
    if args.drop_slot {
        let cleanup = [("cleanup", "true".to_owned())];
        client.delete(&path, &cleanup).await?;
        removed(client, &args.name).await?;
    } else {
        client.delete(&path, &[]).await?;
    }
    let text = describe(&args.name, &left, args.drop_slot);
    let result = match left {
        Ok(left) => json!({ "leftovers": left, "removed": args.drop_slot }),
        Err(unknown) => {
            json!({ "leftovers": null, "unknown": unknown, "removed": args.drop_slot })
        }
    };
    Ok(Answer::new(result, text))
}

/// Waits until the worker has removed what the connector leaves behind, and the connector with it.
async fn removed(client: &Client, name: &str) -> Result<()> {
    let until = Instant::now() + REMOVED_WITHIN;
    loop {
        let connector = match client.get(&["connectors", name, "status"], &[]).await {
            Ok(status) => status["connector"].clone(),
            Err(failure) if failure.code == Code::NotFound => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let (state, trace) = (text(&connector["state"]), text(&connector["trace"]));
        if state == "FAILED" {
            let message = format!("{name} is not deleted: {trace}");
            return Err(Failure::new(Code::WorkerFailed, message).at(name).fix(
                "mend it and delete again, or delete without --drop-slot and remove it by hand",
            ));
        }
        if Instant::now() >= until {
            let message = format!("{name} is not deleted yet, and the worker goes on: {trace}");
            return Err(Failure::new(Code::WorkerFailed, message)
                .at(name)
                .fix("`longshore connector status` shows why until it is gone"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn describe(name: &str, left: &std::result::Result<Value, String>, removed: bool) -> String {
    let mut said = format!("deleted {name}");
    match left {
        Ok(left) => {
            for left in items(left) {
                said.push_str(if removed {
                    "\nremoved "
                } else {
                    "\nleft behind: "
                });
                said.push_str(&leftover(left));
                if !removed {
                    write!(said, "\n  {}", text(&left["command"])).expect("a string grows");
                }
            }
        }
        Err(_) if removed => {}
        Err(unknown) => {
            write!(said, "\nwhat it leaves behind is not known: {unknown}")
                .expect("a string grows");
        }
    }
    said
}

/// What it is, its name, and what it costs.
fn leftover(left: &Value) -> String {
    let mut said = format!("{} {}", text(&left["kind"]), text(&left["name"]));
    if let Some(bytes) = left["bytes"].as_u64() {
        write!(said, ", which holds back {bytes} bytes").expect("a string grows");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_behind_is_named_with_its_cost_and_the_command_that_removes_it() {
        let left = Ok(json!([
            {"kind": "replication slot", "name": "debezium", "bytes": 16_777_216,
             "command": "SELECT pg_drop_replication_slot('debezium')"},
            {"kind": "publication", "name": "dbz_publication", "bytes": null,
             "command": "DROP PUBLICATION dbz_publication"},
        ]));
        insta::assert_snapshot!(describe("inventory", &left, false), @r"
        deleted inventory
        left behind: replication slot debezium, which holds back 16777216 bytes
          SELECT pg_drop_replication_slot('debezium')
        left behind: publication dbz_publication
          DROP PUBLICATION dbz_publication
        ");
        insta::assert_snapshot!(describe("inventory", &left, true), @r"
        deleted inventory
        removed replication slot debezium, which holds back 16777216 bytes
        removed publication dbz_publication
        ");
        let unknown = Err("nobody answers".to_owned());
        insta::assert_snapshot!(describe("inventory", &unknown, false), @r"
        deleted inventory
        what it leaves behind is not known: nobody answers
        ");
    }
}
