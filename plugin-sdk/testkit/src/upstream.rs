//! An upstream that forgets what was acknowledged, as a replication slot does.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

thread_local! {
    static STREAMS: RefCell<BTreeMap<u32, FakeUpstream>> = const { RefCell::new(BTreeMap::new()) };
}

/// A stream of items counted from 1.
#[derive(Clone, Debug, Default)]
pub struct FakeUpstream(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<u64, String>,
    next: u64,
    confirmed: u64,
}

impl FakeUpstream {
    /// Makes a stream, in place of an older one of that id on this thread.
    #[must_use]
    pub fn make(stream: u32) -> Self {
        let upstream = Self::default();
        STREAMS.with_borrow_mut(|streams| streams.insert(stream, upstream.clone()));
        upstream
    }

    /// The stream of that id; a source under test reaches its upstream so.
    #[must_use]
    pub fn of(stream: u32) -> Option<Self> {
        STREAMS.with_borrow(|streams| streams.get(&stream).cloned())
    }

    /// Adds an item.
    pub fn add(&self, item: &str) {
        let mut state = self.0.borrow_mut();
        state.next += 1;
        let number = state.next;
        state.items.insert(number, item.to_owned());
    }

    /// The first item behind a number, and its own; what was confirmed is gone.
    #[must_use]
    pub fn after(&self, number: u64) -> Option<(u64, String)> {
        let state = self.0.borrow();
        let (number, item) = state.items.range(number + 1..).next()?;
        Some((*number, item.clone()))
    }

    /// Confirms everything up to a number: it is forgotten.
    pub fn confirm(&self, number: u64) {
        let mut state = self.0.borrow_mut();
        state.confirmed = state.confirmed.max(number);
        state.items = state.items.split_off(&(number + 1));
    }

    /// Up to where was confirmed.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.0.borrow().confirmed
    }
}
