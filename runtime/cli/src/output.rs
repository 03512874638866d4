//! What a command says: a table or lines for people, one JSON object for programs.
#![expect(clippy::print_stdout, reason = "answers of commands go to stdout")]

use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::error::{Failure, Result};

/// A command's answer, in both forms.
pub(crate) struct Answer {
    pub(crate) result: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn new(result: Value, text: impl Into<String>) -> Self {
        Self {
            result,
            text: text.into(),
        }
    }
}

/// Prints how a command ended.
pub(crate) fn finish(outcome: Result<Answer>, as_json: bool) -> ExitCode {
    match outcome {
        Ok(answer) => {
            if as_json {
                println!("{}", json!({ "ok": true, "result": answer.result }));
            } else if !answer.text.is_empty() {
                println!("{}", answer.text.trim_end());
            }
            ExitCode::SUCCESS
        }
        Err(failure) => fail(&failure, as_json),
    }
}

/// Prints a failure: as JSON to stdout, for people to stderr.
#[expect(clippy::print_stderr, reason = "failures are told on stderr")]
pub(crate) fn fail(failure: &Failure, as_json: bool) -> ExitCode {
    if as_json {
        let error = json!({
            "code": failure.code.as_str(),
            "message": failure.message,
            "path": failure.path,
            "fix": failure.fix,
        });
        println!("{}", json!({ "ok": false, "error": error }));
    } else {
        eprintln!("error: {failure}");
        if let Some(fix) = &failure.fix {
            eprintln!("  fix: {fix}");
        }
    }
    failure.code.exit().into()
}

/// One line of an event stream.
pub(crate) fn event(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Rows under headings, without lines between them.
pub(crate) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    let lines = table.to_string();
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    lines.join("\n")
}
