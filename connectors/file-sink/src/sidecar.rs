//! What is known to be in the file.

use std::collections::BTreeMap;

use longshore_sdk::{Assignment, Ctx, Fault, FaultClass, TopicPosition};
use serde_json::{Value, json};

/// How much is read at once.
const PAGE_BYTES: u32 = 1 << 20;

/// Largest sidecar, some hundred thousand partitions.
const SIDECAR_BYTES_MAX: usize = 64 << 20;

/// A topic's partition.
pub(crate) type Partition = (String, u32);

/// How far a partition is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A topic deleted and created again is another topic, and its offsets mean something else.
    pub(crate) topic_id: String,
    /// The next record.
    pub(crate) offset: i64,
}

/// Up to which length the file is good, and for which records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sidecar {
    pub(crate) generation: u64,
    pub(crate) length: u64,
    pub(crate) places: BTreeMap<Partition, Place>,
}

pub(crate) fn path_of(file: &str) -> String {
    format!("{file}.longshore")
}

impl Sidecar {
    /// The sidecar of a file; none where it has none yet.
    pub(crate) async fn load(ctx: &Ctx, file: &str) -> Result<Option<Self>, Fault> {
        let path = path_of(file);
        if ctx.files().stat(&path).await?.is_none() {
            return Ok(None);
        }
        let sidecar = ctx.files().open(&path).await?;
        let mut bytes = Vec::new();
        loop {
            let page = sidecar.read_at(bytes.len() as u64, PAGE_BYTES).await?;
            if page.is_empty() || bytes.len() > SIDECAR_BYTES_MAX {
                break;
            }
            bytes.extend_from_slice(&page);
        }
        match Self::parse(&bytes) {
            Some(sidecar) => Ok(Some(sidecar)),
            None => Err(unreadable(&path)),
        }
    }

    /// Puts this in the place of what stood there, durably and as one.
    pub(crate) async fn store(&self, ctx: &Ctx, file: &str) -> Result<(), Fault> {
        let path = path_of(file);
        let new = format!("{path}.new");
        let sidecar = ctx.files().create(&new).await?;
        sidecar.truncate(0).await?;
        sidecar.append(self.to_json().into_bytes()).await?;
        sidecar.sync().await?;
        ctx.files().rename(&new, &path).await
    }

    /// Checks that the offsets are those of the topics assigned now.
    pub(crate) fn check_history(&self, file: &str, assigned: &[Assignment]) -> Result<(), Fault> {
        for now in assigned {
            let key = (now.topic.clone(), now.partition);
            let other = self
                .places
                .get(&key)
                .filter(|place| place.topic_id != now.topic_id);
            if let Some(place) = other {
                return Err(another_history(file, now, place));
            }
        }
        Ok(())
    }

    /// Where to read on, as far as it is known here.
    pub(crate) fn start_of(&self, assigned: &[Assignment]) -> Vec<TopicPosition> {
        let start = |now: &Assignment| {
            let place = self.places.get(&(now.topic.clone(), now.partition))?;
            Some(TopicPosition {
                topic: now.topic.clone(),
                partition: now.partition,
                offset: place.offset,
            })
        };
        assigned.iter().filter_map(start).collect()
    }

    fn to_json(&self) -> String {
        let place = |((topic, partition), place): (&Partition, &Place)| {
            json!({
                "topic": topic,
                "topic_id": place.topic_id,
                "partition": partition,
                "offset": place.offset,
            })
        };
        json!({
            "version": 1,
            "generation": self.generation,
            "length": self.length,
            "partitions": self.places.iter().map(place).collect::<Vec<_>>(),
        })
        .to_string()
    }

    fn parse(json: &[u8]) -> Option<Self> {
        let sidecar: Value = serde_json::from_slice(json).ok()?;
        if sidecar.get("version")?.as_u64()? != 1 {
            return None;
        }
        let place = |entry: &Value| {
            let text = |name| Some(entry.get(name)?.as_str()?.to_owned());
            let partition = u32::try_from(entry.get("partition")?.as_u64()?).ok()?;
            let place = Place {
                topic_id: text("topic_id")?,
                offset: entry.get("offset")?.as_i64()?,
            };
            Some(((text("topic")?, partition), place))
        };
        let partitions = sidecar.get("partitions")?.as_array()?;
        Some(Self {
            generation: sidecar.get("generation")?.as_u64()?,
            length: sidecar.get("length")?.as_u64()?,
            places: partitions.iter().map(place).collect::<Option<_>>()?,
        })
    }
}

fn unreadable(path: &str) -> Fault {
    let message = format!(
        "{path} is not a sidecar that this version reads; without it nothing tells which records are \
         in the file: remove it to append behind what stands there, from the group's offsets"
    );
    Fault::new(FaultClass::Fatal, "sidecar-unreadable", message).with("file", path)
}

fn another_history(file: &str, now: &Assignment, place: &Place) -> Fault {
    let Assignment {
        topic, topic_id, ..
    } = now;
    let path = path_of(file);
    let message = format!(
        "{path} holds offsets of topic {topic} with the id {}, and the topic now has the id {topic_id}: \
         it was deleted and created again; remove {path} to append its records behind those of the \
         old one",
        place.topic_id
    );
    Fault::new(FaultClass::Fatal, "another-topic", message)
        .with("file", path)
        .with("topic", topic)
        .with("topic_id", topic_id)
        .with("stored_topic_id", &place.topic_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sidecar_comes_back_as_it_was_stored() {
        let place = Place {
            topic_id: "id".to_owned(),
            offset: 7,
        };
        let sidecar = Sidecar {
            generation: 3,
            length: 42,
            places: BTreeMap::from([(("topic".to_owned(), 1), place)]),
        };
        assert_eq!(Sidecar::parse(sidecar.to_json().as_bytes()), Some(sidecar));
    }

    #[test]
    fn what_is_not_a_sidecar_is_not_read_as_one() {
        let partial = r#"{"version":1,"generation":1,"length":2,"partitions":[{"topic":"t"}]}"#;
        let newer = r#"{"version":2,"generation":1,"length":2,"partitions":[]}"#;
        for json in ["", "{", "[]", "{}", partial, newer] {
            assert_eq!(Sidecar::parse(json.as_bytes()), None, "{json}");
        }
    }
}
