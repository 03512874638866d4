//! The file port of the log and of `cap-files`: [`RealDisk`] on an operating system, [`SimDisk`] from a seed.
//!
//! Owns: what a file and a directory promise about durability, and how that promise is broken on purpose.
//! Must not know: journals, records, plugins, time.
//! Invariant: only what [`DiskFile::sync_data`] and [`Disk::sync_dir`] reported as done survives [`SimDisk::crash`]
//! for certain; everything else may be there wholly, partly, or not at all.

mod port;
mod random;
mod real;
mod sim;

pub use port::{Advice, Disk, DiskFile, DiskLock, Entry, Identity, Kind, Metadata};
pub use random::Random;
pub use real::RealDisk;
pub use sim::{Counters, Loss, SimDisk};
