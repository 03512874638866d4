//! Which partition a record goes to: where the Java client would put it.

/// Kafka's murmur2, as `org.apache.kafka.common.utils.Utils.murmur2` computes it.
#[must_use]
pub fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut h = SEED ^ length;
    let words = data.chunks_exact(4);
    let tail = words.remainder();
    for word in words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (i, byte) in tail.iter().enumerate() {
            h ^= u32::from(*byte) << (8 * i);
        }
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    h ^ (h >> 15)
}

/// The partition of a key, as the Java client's default partitioner chooses it.
#[must_use]
pub fn partition_of_key(key: &[u8], partitions: u32) -> u32 {
    if partitions == 1 {
        return 0;
    }
    (murmur2(key) & 0x7fff_ffff) % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From Kafka's `UtilsTest.testMurmur2`.
    #[test]
    fn gives_what_the_java_client_gives() {
        let golden: [(&str, i32); 7] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            (
                "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            ("abc", 479_470_107),
            ("", 275_646_681),
        ];
        for (key, hash) in &golden[..6] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), *hash, "{key}");
        }
        assert_eq!(murmur2(golden[6].0.as_bytes()).cast_signed(), golden[6].1);
    }

    #[test]
    fn a_partition_is_always_within_the_topic() {
        for partitions in 1..10 {
            for key in 0u32..100 {
                assert!(partition_of_key(&key.to_le_bytes(), partitions) < partitions);
            }
        }
    }
}
