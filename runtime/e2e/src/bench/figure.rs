//! How a figure is printed.

use std::fmt;

/// A measured number, its unit, and what it is compared with.
pub(super) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    against: Option<(f64, &'static str)>,
    target: Option<(String, bool)>,
}

impl Figure {
    pub(super) fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self {
            name,
            value,
            unit,
            against: None,
            target: None,
        }
    }

    /// As a ratio to a baseline of the same run.
    pub(super) fn against(mut self, baseline: f64, name: &'static str) -> Self {
        self.against = Some((self.value / baseline, name));
        self
    }

    /// What it has to reach, and whether it does.
    pub(super) fn target(mut self, target: impl Into<String>, is_met: bool) -> Self {
        self.target = Some((target.into(), is_met));
        self
    }

    pub(super) fn print(self) {
        println!("{self}");
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.value < 10.0 { 2 } else { 0 };
        let Self {
            name, value, unit, ..
        } = self;
        write!(f, "  {name:<34}{value:>9.digits$} {unit:<10}")?;
        if let Some((ratio, baseline)) = &self.against {
            write!(f, " {ratio:.2} of {baseline}")?;
        }
        if let Some((target, is_met)) = &self.target {
            write!(f, " [{target}: {}]", if *is_met { "met" } else { "MISSED" })?;
        }
        Ok(())
    }
}

/// Bytes a second in megabytes.
#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
pub(super) fn mb_s(bytes: u64, seconds: f64) -> f64 {
    bytes as f64 / 1e6 / seconds
}

/// One number of bytes by another.
#[expect(clippy::cast_precision_loss, reason = "a ratio needs no 53 bits")]
pub(super) fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}
