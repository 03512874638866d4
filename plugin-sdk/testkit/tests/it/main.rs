//! The contract suites find what they are for: sources that break them.

mod upstream;
