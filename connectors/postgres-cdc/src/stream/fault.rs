//! A stream that is not what a server sends.

use longshore_sdk::{Fault, FaultClass};

use crate::lsn::Lsn;

pub(super) fn gone(open: Lsn, next: Lsn) -> Fault {
    let message = format!(
        "the transaction that commits at {open} is stored in part, and the stream goes on with the one at {next}"
    );
    Fault::new(FaultClass::Fatal, "postgres-transaction-gone", message)
}

pub(super) fn unknown(relation: u32) -> Fault {
    let message =
        format!("the server sent a row of relation {relation} without saying what that is");
    Fault::new(FaultClass::Fatal, "postgres-malformed-message", message)
}

pub(super) fn outside() -> Fault {
    let message = "the server sent a row outside of a transaction";
    Fault::new(FaultClass::Fatal, "postgres-malformed-message", message)
}
