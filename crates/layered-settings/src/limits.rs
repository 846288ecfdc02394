//! Ranges that say in words what they allow.

use std::ops::{Bound, RangeBounds};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits<T> {
    low: Bound<T>,
    high: Bound<T>,
}

impl<T: Copy + PartialOrd> Limits<T> {
    pub(crate) fn new(range: &impl RangeBounds<T>) -> Self {
        Self { low: range.start_bound().cloned(), high: range.end_bound().cloned() }
    }

    pub(crate) fn allow(&self, value: &T) -> bool {
        (self.low, self.high).contains(value)
    }

    /// One of the values at the ends, where an end is allowed itself.
    pub(crate) fn bound(&self) -> Option<T> {
        [self.low, self.high].into_iter().find_map(|bound| match bound {
            Bound::Included(value) => Some(value),
            _ => None,
        })
    }

    /// ` from 1 to 9`, ` above 0s`, or nothing where everything is allowed; starts with a blank.
    pub(crate) fn words(&self, show: impl Fn(T) -> String) -> String {
        if let (Bound::Included(low), Bound::Included(high)) = (self.low, self.high) {
            return format!(" from {} to {}", show(low), show(high));
        }
        let low = match self.low {
            Bound::Included(low) => format!(" of at least {}", show(low)),
            Bound::Excluded(low) => format!(" above {}", show(low)),
            Bound::Unbounded => String::new(),
        };
        let high = match self.high {
            Bound::Included(high) => format!(" of at most {}", show(high)),
            Bound::Excluded(high) => format!(" below {}", show(high)),
            Bound::Unbounded => String::new(),
        };
        let and = if low.is_empty() || high.is_empty() { "" } else { " and" };
        format!("{low}{and}{high}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_speak() {
        fn check(range: impl RangeBounds<i64>, inside: i64, outside: Option<i64>, words: &str) {
            let limits = Limits::new(&range);
            assert!(limits.allow(&inside), "{words}");
            assert!(outside.is_none_or(|outside| !limits.allow(&outside)), "{words}");
            assert_eq!(limits.words(|n| n.to_string()), words);
        }
        check(1..=9, 9, Some(10), " from 1 to 9");
        check(1.., 1, Some(0), " of at least 1");
        check(..=9, 9, Some(10), " of at most 9");
        check(1..9, 8, Some(9), " of at least 1 and below 9");
        check((Bound::Excluded(0), Bound::Unbounded), 1, Some(0), " above 0");
        check(.., i64::MIN, None, "");
    }
}
