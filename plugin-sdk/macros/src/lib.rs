//! derive(Config).
