//! Where the instance's connector lives between calls.

use std::cell::RefCell;

use longshore_model::{Fault, FaultClass};

/// Holds a connector. A call takes it out and puts it back, so that no borrow is held over an await.
pub struct Slot<T>(RefCell<Option<T>>);

impl<T> Slot<T> {
    /// An empty slot.
    #[expect(
        clippy::new_without_default,
        reason = "the macro needs a const constructor"
    )]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    pub(crate) fn put(&self, connector: T) {
        *self.0.borrow_mut() = Some(connector);
    }

    pub(crate) fn take(&self) -> Result<T, Fault> {
        self.0.borrow_mut().take().ok_or_else(|| {
            Fault::new(
                FaultClass::Fatal,
                "not-open",
                "the instance was called before it was opened, or while another call ran",
            )
        })
    }
}
