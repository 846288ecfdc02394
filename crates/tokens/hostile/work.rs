//! The strings, shared between the processors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::equality::{Generator, Pair, Tried};

/// Strings that a thread takes at once.
const BLOCK: u64 = 2000;
/// Strings between two lines of progress.
const STEP: u64 = 500_000;

/// Compares strings on all processors until one differs; the error names the first one known.
pub(crate) fn run(
    strings: u64,
    generator: &Generator,
    pairs: &[Pair; 2],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Tried, String> {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut tried = Tried::default();
        loop {
            let start = next.fetch_add(BLOCK, Ordering::Relaxed);
            if start >= strings {
                return Ok(tried);
            }
            if start > 0 && start.is_multiple_of(STEP) {
                progress(start);
            }
            for number in start..strings.min(start + BLOCK) {
                tried += Pair::compare(pairs, &generator.text(number)).map_err(|difference| {
                    // No thread begins another block.
                    next.store(strings, Ordering::Relaxed);
                    (number, difference)
                })?;
            }
        }
    };
    let results: Vec<Result<Tried, (u64, String)>> = thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..processors).map(|_| scope.spawn(worker)).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap_or_else(|_| Err((0, "a thread panicked".to_owned())))
            })
            .collect()
    });
    let mut sum = Tried::default();
    for result in results {
        sum += result.map_err(|(number, difference)| format!("string {number}: {difference}"))?;
    }
    Ok(sum)
}
