//! ULIDs, as the gateway takes and gives them: 26 characters of upper-case Crockford base32.

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The ULID of this moment, milliseconds since the epoch, and the lower 80 bits of `random`.
pub fn encode(unix_ms: i64, random: u128) -> String {
    let time = u128::from(u64::try_from(unix_ms).unwrap_or(0)) & ((1 << 48) - 1);
    let value = (time << 80) | (random & ((1 << 80) - 1));
    (0..26).rev().map(|i| char::from(CROCKFORD[usize::from((value >> (5 * i)) as u8 & 31)])).collect()
}

/// Whether `text` is a canonical ULID, one that fits 128 bits.
pub fn is_ulid(text: &str) -> bool {
    text.len() == 26 && text.as_bytes()[0] <= b'7' && text.bytes().all(|c| CROCKFORD.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ulids_are_canonical_and_sort_by_time() {
        let (early, late) = (encode(1_795_343_980_028, u128::MAX), encode(1_795_343_980_029, 0));
        assert!(is_ulid(&early) && is_ulid(&late) && early < late);
        assert!(early.starts_with("01M81DE5FW"), "the recorded id of that millisecond starts so: {early}");
    }

    #[test]
    fn near_misses_are_not_ulids() {
        for text in
            ["", "xyz", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01arz3ndektsv4rrffq69g5fav", "81ARZ3NDEKTSV4RRFFQ69G5FAV"]
        {
            assert!(!is_ulid(text), "{text}");
        }
        assert!(is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAV"));
    }
}
