//! What contradicts itself.

/// What contradicts what, in words for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) &'static str);

impl Damage {
    /// What a script found, by the word behind `DAMAGED`.
    pub(crate) fn of_script(detail: &str) -> Self {
        Self(match detail.split_whitespace().next() {
            Some("lengths") => "its lists and its numbers disagree, or one of its keys is gone",
            Some("meta") => "its numbers are missing or cannot be read",
            Some("ids") => "its callers' ids are not whole",
            Some("type") => Self::TYPE.0,
            _ => "what is stored cannot be read",
        })
    }

    /// A key that has another type than it must have, or a number that is none.
    pub(crate) const TYPE: Self = Self("one of its keys is not of its type");
}
