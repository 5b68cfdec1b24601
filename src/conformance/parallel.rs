//! Work on all processors at a time.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};

/// What becomes of each of so many pieces of work, in their order. There is a worker for each processor; it takes numbers as
/// long as there are any, and gives what became of each, with its number.
///
/// # Panics
/// Where a worker does.
pub fn on_all_processors<T: Send>(
    pieces: usize,
    worker: impl Fn(&mut dyn Iterator<Item = usize>) -> Vec<(usize, T)> + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        worker(&mut core::iter::from_fn(|| {
            Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < pieces)
        }))
    };
    let mut done: Vec<(usize, T)> = std::thread::scope(|scope| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        let result = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(result).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::on_all_processors;

    #[test]
    fn each_piece_is_done_once_and_in_its_place() {
        for pieces in [0, 1, 2, 1000] {
            let done = on_all_processors(pieces, |numbers| numbers.map(|number| (number, number * 3)).collect());
            assert_eq!(done, (0..pieces).map(|number| number * 3).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "the third")]
    fn a_panic_is_handed_on() {
        on_all_processors(9, |numbers| numbers.map(|number| (number, assert_ne!(number, 2, "the third"))).collect());
    }
}
