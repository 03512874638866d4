//! How large the next batch may be. Starts small, doubles while batches come back full, falls when
//! idle, because a guest's memory never shrinks.

const BYTES_MIN: u32 = 64 << 10;
const BYTES_MAX: u32 = 512 << 10;

/// Most records of a batch.
pub(super) const RECORDS_MAX: u32 = 2_000;

/// The size asked for next.
#[derive(Debug)]
pub(super) struct BatchSize {
    bytes: u32,
}

impl BatchSize {
    pub(super) fn new() -> Self {
        Self { bytes: BYTES_MIN }
    }

    pub(super) fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Takes note of what came back.
    pub(super) fn came_back(&mut self, records: usize, bytes: usize) {
        let full = bytes >= self.bytes as usize / 4 * 3 || records >= RECORDS_MAX as usize;
        self.bytes = match (full, records) {
            (true, _) => (self.bytes * 2).min(BYTES_MAX),
            (false, 0) => (self.bytes / 2).max(BYTES_MIN),
            (false, _) => self.bytes,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_while_full_and_falls_when_idle() {
        let mut size = BatchSize::new();
        for _ in 0..10 {
            size.came_back(100, size.bytes() as usize);
        }
        assert_eq!(size.bytes(), BYTES_MAX);
        size.came_back(1, 100);
        assert_eq!(size.bytes(), BYTES_MAX);
        for _ in 0..10 {
            size.came_back(0, 0);
        }
        assert_eq!(size.bytes(), BYTES_MIN);
    }
}
