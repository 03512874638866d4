//! What a command says: a table or lines for people, one JSON object for programs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::error::{Code, Failure, Result};

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
    let said = outcome.and_then(|answer| {
        if as_json {
            event(json!({ "ok": true, "result": answer.result }))
        } else if answer.text.is_empty() {
            Ok(())
        } else {
            event(answer.text)
        }
    });
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure, as_json),
    }
}

/// Prints a failure: as JSON to stdout, for people to stderr, and there too when stdout takes nothing.
pub(crate) fn fail(failure: &Failure, as_json: bool) -> ExitCode {
    if failure.code == Code::OutputClosed {
        return failure.code.exit().into();
    }
    let told = as_json && {
        let error = json!({
            "code": failure.code.as_str(),
            "message": failure.message,
            "path": failure.path,
            "fix": failure.fix,
        });
        let mut told = json!({ "ok": false, "error": error });
        if let Some(result) = &failure.result {
            told["result"] = Value::clone(result);
        }
        event(told).is_ok()
    };
    if !told {
        let fix = failure.fix.as_ref();
        let fix = fix.map_or_else(String::new, |fix| format!("  fix: {fix}\n"));
        // Where stderr takes nothing either, the exit code is all that can be said.
        drop(write!(io::stderr(), "error: {failure}\n{fix}"));
    }
    failure.code.exit().into()
}

/// One line of an event stream.
pub(crate) fn event(line: impl std::fmt::Display) -> Result<()> {
    // Made whole first, so that it is one write.
    let line = format!("{line}\n");
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(line.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::new(Code::OutputClosed, "nobody reads stdout"),
        _ => Failure::new(Code::Output, format!("stdout: {error}")).at("stdout"),
    })
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
