//! Digests of ids and contents.

use memory_core::MessageId;

/// Makes 128-bit digests under a key of the store's own, so that nobody who chooses ids or
/// contents can look for collisions.
#[derive(Clone)]
pub(crate) struct Digests([u8; 32]);

impl Digests {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn of_id(&self, id: &MessageId) -> u128 {
        self.digest(b'i', id.as_str())
    }

    pub(crate) fn of_content(&self, payload: &str) -> u128 {
        self.digest(b'c', payload)
    }

    fn digest(&self, kind: u8, text: &str) -> u128 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[kind]);
        hasher.update(text.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(half)
    }
}

impl std::fmt::Debug for Digests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digests(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_key_kind_and_text() {
        let (one, two) = (Digests::new([1; 32]), Digests::new([2; 32]));
        let id = MessageId::new("same").unwrap();
        let all = [one.of_id(&id), one.of_content("same"), one.of_content("sam"), two.of_id(&id)];
        for (index, digest) in all.iter().enumerate() {
            assert!(!all[..index].contains(digest), "{index}");
        }
        assert_eq!(one.of_id(&id), all[0]);
        assert_eq!(format!("{one:?}"), "Digests(***)");
    }
}
