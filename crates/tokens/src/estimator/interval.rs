//! What a count may be, by its estimate.

/// How much wider the interval of a short text is: chance evens out as a text grows.
const WIDER: u64 = 8;

/// An estimate, and the tokens between which the exact count is expected.
///
/// [`Estimator`](crate::Estimator) says how often the count lies within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Interval {
    /// The least tokens that are expected.
    pub lower: u64,
    /// The guess.
    pub estimate: u64,
    /// The most tokens that are expected.
    pub upper: u64,
}

impl Interval {
    /// The interval around a guess for a text of so many bytes. `spread` is in the `unit`th part of
    /// a token.
    pub(super) fn around(estimate: u64, spread: u64, unit: u64, bytes: u64) -> Self {
        let root = estimate.max(1).isqrt();
        let spread = (spread + spread * WIDER / root).div_ceil(unit);
        Self {
            lower: estimate.saturating_sub(spread).max(bytes.min(1)),
            estimate,
            upper: (estimate + spread).min(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_wider_for_short_texts_and_within_what_a_text_can_have() {
        let check = |(estimate, spread, bytes), lower, upper| {
            let interval = Interval::around(estimate, spread, 100, bytes);
            assert_eq!(interval, Interval { lower, estimate, upper });
        };
        // 10 tokens and 8 / 20 of them, 1 token and 8 / 2 of them.
        check((400, 1000, 1600), 386, 414);
        check((4, 100, 16), 1, 9);
        check((4, 100, 7), 1, 7);
        check((4, 0, 16), 4, 4);
        check((0, 0, 0), 0, 0);
    }
}
