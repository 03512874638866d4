//! PostgreSQL change capture: a consistent snapshot, then every change exactly once, in Debezium's
//! topics and shapes.
