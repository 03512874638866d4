//! PostgreSQL under a grant: ordinary sessions, copies, and the replication protocol.
