//! Digests of contents.

use crate::error::RedisStoreError;

/// Makes 128-bit digests under a key of the store's own, so that nobody who chooses
/// contents can look for collisions.
#[derive(Clone)]
pub(crate) struct Digests([u8; 32]);

impl Digests {
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// With a key that nobody has.
    pub(crate) fn random() -> Result<Self, RedisStoreError> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| RedisStoreError::NoRandomness(error.into()))?;
        Ok(Self(key))
    }

    /// What is stored, so that all processes use the same.
    pub(crate) fn key(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn of_content(&self, payload: &str) -> [u8; 16] {
        let mut half = [0; 16];
        let digest = blake3::keyed_hash(&self.0, payload.as_bytes());
        half.copy_from_slice(&digest.as_bytes()[..16]);
        half
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
    fn digests_depend_on_key_and_text() {
        let (one, two) = (Digests::new([1; 32]), Digests::new([2; 32]));
        let all = [one.of_content("same"), one.of_content("sam"), two.of_content("same")];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        assert_eq!(one.of_content("same"), all[0]);
        assert_eq!(format!("{one:?}"), "Digests(***)");
    }
}
