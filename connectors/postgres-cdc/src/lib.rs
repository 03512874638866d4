//! PostgreSQL change capture: a consistent snapshot, then every change exactly once, in Debezium's
//! topics and shapes.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the source that calls it comes next")
)]
mod envelope;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the source that calls it comes next")
)]
mod schema;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the source that calls it comes next")
)]
mod types;
mod value;
