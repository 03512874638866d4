//! Class names and settings.

/// What is wrong with a converter's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ConfigProblem {
    /// The setting, without the converter's prefix; empty where it is the class itself.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl ConfigProblem {
    pub(crate) fn new(key: &str, message: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            message: message.into(),
        }
    }
}

/// What a converter is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    KeyOrValue,
    Header,
}

/// The converters that work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Json,
    String,
    ByteArray,
    SimpleHeader,
}

/// Each with its package, its simple name and its aliases.
const NAMES: [(Name, &str, &str, &[&str]); 4] = [
    (
        Name::Json,
        "org.apache.kafka.connect.json.",
        "JsonConverter",
        &["Json", "json"],
    ),
    (
        Name::String,
        "org.apache.kafka.connect.storage.",
        "StringConverter",
        &["String", "string"],
    ),
    (
        Name::ByteArray,
        "org.apache.kafka.connect.converters.",
        "ByteArrayConverter",
        &["ByteArray", "bytes"],
    ),
    (
        Name::SimpleHeader,
        "org.apache.kafka.connect.storage.",
        "SimpleHeaderConverter",
        &["SimpleHeader", "simple"],
    ),
];

/// Converters that people have in their configs and that do not work yet.
const NOT_YET: [&str; 9] = [
    "org.apache.kafka.connect.converters.BooleanConverter",
    "org.apache.kafka.connect.converters.ShortConverter",
    "org.apache.kafka.connect.converters.IntegerConverter",
    "org.apache.kafka.connect.converters.LongConverter",
    "org.apache.kafka.connect.converters.FloatConverter",
    "org.apache.kafka.connect.converters.DoubleConverter",
    "io.confluent.connect.avro.AvroConverter",
    "io.confluent.connect.protobuf.ProtobufConverter",
    "io.confluent.connect.json.JsonSchemaConverter",
];

/// The full class names of the converters of keys and values.
pub fn classes() -> impl Iterator<Item = String> {
    full_names(Place::KeyOrValue)
}

/// The full class names of the converters of headers.
pub fn header_classes() -> impl Iterator<Item = String> {
    full_names(Place::Header)
}

fn full_names(place: Place) -> impl Iterator<Item = String> {
    let fitting = NAMES.iter().filter(move |(name, ..)| name.fits(place));
    fitting.map(|(_, package, simple, _)| format!("{package}{simple}"))
}

impl Name {
    fn fits(self, place: Place) -> bool {
        place == Place::Header || self != Self::SimpleHeader
    }

    pub(crate) fn find(class: &str, place: Place) -> Result<Self, ConfigProblem> {
        let class = class.trim();
        let found = NAMES.iter().find(|(_, package, simple, aliases)| {
            let full = class.strip_prefix(package) == Some(simple);
            full || class == *simple || aliases.contains(&class)
        });
        if let Some((name, ..)) = found
            && name.fits(place)
        {
            return Ok(*name);
        }
        let simple = |full: &str| full.rsplit('.').next() == Some(class);
        let what = match found {
            Some(_) => "converts headers only",
            None if NOT_YET.iter().any(|full| *full == class || simple(full)) => {
                "does not work yet"
            }
            None => "is no converter",
        };
        let work = NAMES.iter().filter(|(name, ..)| name.fits(place));
        let work: Vec<_> = work.map(|(_, _, simple, _)| *simple).collect();
        let message = format!("{class} {what}; those that work: {}", work.join(", "));
        Err(ConfigProblem::new("", message))
    }

    fn simple(self) -> &'static str {
        let found = NAMES.iter().find(|(name, ..)| *name == self);
        found
            .map(|(_, _, simple, _)| *simple)
            .expect("every converter has its row")
    }
}

/// Settings of a converter, taken one by one.
pub(crate) struct Settings<'s> {
    converter: &'static str,
    left: Vec<(&'s str, &'s str)>,
}

impl<'s> Settings<'s> {
    pub(crate) fn new(name: Name, settings: &'s [(String, String)]) -> Self {
        let left = settings.iter().map(|(key, value)| (&**key, value.trim()));
        Self {
            converter: name.simple(),
            left: left.collect(),
        }
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<&'s str> {
        let at = self.left.iter().position(|(k, _)| *k == key)?;
        Some(self.left.swap_remove(at).1)
    }

    pub(crate) fn boolean(&mut self, key: &str, default: bool) -> Result<bool, ConfigProblem> {
        match self.take(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ConfigProblem::new(key, "must be true or false")),
        }
    }

    pub(crate) fn count(&mut self, key: &str, default: usize) -> Result<usize, ConfigProblem> {
        match self.take(key).map(str::parse) {
            None => Ok(default),
            Some(Ok(count)) => Ok(count),
            Some(Err(_)) => Err(ConfigProblem::new(key, "must be a number, at least 0")),
        }
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<(), ConfigProblem> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => {
                let message = format!("is no setting of {} that works", self.converter);
                Err(ConfigProblem::new(key, message))
            }
        }
    }
}
