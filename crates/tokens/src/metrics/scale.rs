//! Buckets on a logarithmic scale, for numbers of any size in little memory.

/// Each doubling has so many buckets, so a bucket's upper edge is at most an eighth above a number
/// in it.
const SUB_BUCKETS: usize = 8;

/// 40 doublings: up to 2^40. What is larger goes into the last bucket.
pub(crate) const BUCKETS: usize = 40 * SUB_BUCKETS;

/// The bucket of a number: its highest bit, and the three bits after it.
#[expect(clippy::cast_possible_truncation, reason = "four bits are left of the value")]
pub(crate) fn bucket(value: u64) -> usize {
    let value = value.max(1);
    let octave = value.ilog2() as usize;
    let sub = if octave >= 3 { value >> (octave - 3) } else { value << (3 - octave) } as usize;
    (octave * SUB_BUCKETS + sub - SUB_BUCKETS).min(BUCKETS - 1)
}

/// The first number above a bucket.
pub(crate) fn upper_edge(bucket: usize) -> u64 {
    let (octave, sub) = (bucket / SUB_BUCKETS, (bucket % SUB_BUCKETS + 1) as u64);
    (1_u64 << octave) + (sub << octave).div_ceil(SUB_BUCKETS as u64)
}

/// The bucket that the given part of all samples, in thousandths, does not go beyond; none where
/// there is no sample.
pub(crate) fn quantile(
    buckets: impl Iterator<Item = u64> + Clone,
    thousandths: u64,
) -> Option<usize> {
    let samples: u64 = buckets.clone().sum();
    let rank = samples.saturating_mul(thousandths).div_ceil(1000).max(1);
    let mut below = 0;
    buckets.enumerate().find_map(|(bucket, count)| {
        below += count;
        (below >= rank).then_some(bucket)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_below_its_buckets_edge_and_near_it() {
        for octave in 0..39 {
            for value in [1 << octave, (1 << octave) + 1, (1 << octave) * 15 / 8, (2 << octave) - 1]
            {
                let edge = upper_edge(bucket(value));
                assert!(edge > value && edge <= value + value / 8 + 1, "{value} {edge}");
            }
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
        assert_eq!(bucket(0), 0);
    }

    #[test]
    fn a_quantile_is_the_bucket_of_its_rank() {
        let check = |buckets: &[u64], thousandths, expected| {
            assert_eq!(quantile(buckets.iter().copied(), thousandths), expected, "{buckets:?}");
        };
        check(&[], 500, None);
        check(&[0, 0], 500, None);
        check(&[0, 1], 0, Some(1));
        check(&[1, 1], 500, Some(0));
        check(&[1, 1], 501, Some(1));
        check(&[99, 0, 1], 990, Some(0));
        check(&[98, 1, 1], 990, Some(1));
        check(&[98, 1, 1], 1000, Some(2));
    }
}
