//! What happens to what fails, under Kafka Connect's `errors.*` keys. Decisions look at a fault's
//! class and at nothing else.

mod dead_letter;
mod policy;
mod retry;
mod stage;

pub use dead_letter::{DeadLetter, DeadLetterPolicy};
pub use policy::FailurePolicy;
pub use retry::{Backoff, RetryPolicy};
pub use stage::Stage;
