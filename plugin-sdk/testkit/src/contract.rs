//! What every connector must do, whatever it connects to.

mod config;
mod sink;
mod source;

pub use sink::{SinkContract, sink};
pub use source::{SourceContract, shown, source};

use longshore_model::{Fault, FaultClass};
use longshore_sdk::ConfigMap;

/// Most host calls that a scenario may take: more means that it does not end.
const CALLS_MAX: u64 = 20_000;

fn config_map(config: &[(&str, &str)]) -> ConfigMap {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    config.iter().map(owned).collect()
}

/// What the contract injects to see that a call can be repeated.
fn outage() -> Fault {
    Fault::new(
        FaultClass::Retriable,
        "outage",
        "the contract suite failed this call",
    )
}
