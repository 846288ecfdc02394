//! Work on all processors, with the results in order.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many processors there are, as far as the system tells.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does `work` for each item, on this thread and on one for each further processor.
pub(super) fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        let start = |number: usize| {
            let thread = thread::Builder::new().name(format!("turnledger-count-{number}"));
            // Where the system refuses a thread, the others do its work.
            thread.spawn_scoped(scope, run).ok()
        };
        let helpers = cores().min(items.len()).saturating_sub(1);
        let helpers: Vec<_> = (0..helpers).filter_map(start).collect();
        let mut done = run();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_its_result_in_its_place() {
        for length in [0, 1, 2, 1000] {
            let items: Vec<_> = (0..length).collect();
            let expected: Vec<_> = items.iter().map(|item| item * 3).collect();
            assert_eq!(on_all_cores(&items, |item| item * 3), expected);
        }
    }
}
