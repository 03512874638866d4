//! What a connector's options say of values.

/// `decimal.handling.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DecimalMode {
    #[default]
    Precise,
    Double,
    String,
}

/// `time.precision.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimeMode {
    #[default]
    Adaptive,
    AdaptiveTimeMicroseconds,
    Connect,
    Microseconds,
    Nanoseconds,
    IsoString,
}

/// `binary.handling.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BinaryMode {
    #[default]
    Bytes,
    Base64,
    Base64UrlSafe,
    Hex,
}

/// `interval.handling.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IntervalMode {
    #[default]
    Numeric,
    String,
}

/// `hstore.handling.mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HstoreMode {
    #[default]
    Json,
    Map,
}

/// How values are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueOptions {
    pub(crate) decimal: DecimalMode,
    pub(crate) time: TimeMode,
    pub(crate) binary: BinaryMode,
    pub(crate) interval: IntervalMode,
    pub(crate) hstore: HstoreMode,
    /// `money.fraction.digits`.
    pub(crate) money_fraction_digits: i32,
    /// `unavailable.value.placeholder`: what stands for a value that the server did not send.
    pub(crate) unavailable: Vec<u8>,
    /// `unknown.types=text`.
    pub(crate) unknown_as_text: bool,
    /// `max.value.bytes`.
    pub(crate) value_bytes_max: usize,
}

impl Default for ValueOptions {
    fn default() -> Self {
        Self {
            decimal: DecimalMode::default(),
            time: TimeMode::default(),
            binary: BinaryMode::default(),
            interval: IntervalMode::default(),
            hstore: HstoreMode::default(),
            money_fraction_digits: 2,
            unavailable: b"__debezium_unavailable_value".to_vec(),
            unknown_as_text: false,
            value_bytes_max: 64 << 20,
        }
    }
}
