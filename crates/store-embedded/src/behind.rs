//! Storage whose sync can be left to another thread, while the next transaction is filled.
//!
//! A commit ends with writing its pages and a sync, during which the writer would only wait. Where
//! more operations are waiting already, the writer [leaves](Behind::leave) the sync: the pages stay
//! in memory, and [`finish`](Behind::finish) on another thread writes and syncs them. Only then is
//! the transaction acknowledged.
//!
//! At most one sync is left at a time, and nothing that comes after it reaches the storage before
//! it is done. So what is in the storage is at every moment what a slower database would have put
//! there, also when the process or the machine ends. After a failure nothing more is written.

use std::io::Error;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::backend::{Lock, forward_locks};
use crate::error::EmbeddedError;
use crate::writes::Writes;

type Io<T> = Result<T, Error>;

/// Most bytes that are held in memory for one sync; what is more is written at once. A transaction
/// takes operations of 8 MiB, or one that is larger.
const MOST_BYTES: usize = 16 << 20;

/// The database's storage, as the store sees it.
#[derive(Debug)]
pub(crate) struct Behind {
    storage: Box<dyn StorageBackend>,
    state: Mutex<State>,
    /// Told when a sync that was left is done.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the next sync is to be left.
    leave: bool,
    /// What was written since that was said.
    held: Writes,
    /// What belongs to the sync that was left.
    left: Option<Arc<Writes>>,
    /// Empty, with the room of what was held before: to let go of much memory and to ask for it
    /// again costs more than to keep it.
    spare: Writes,
    /// Whether a thread is finishing that sync, or was told to.
    handed: bool,
    failed: bool,
}

impl Behind {
    pub(crate) fn new(storage: Box<dyn StorageBackend>) -> Self {
        Self { storage, state: Mutex::default(), done: Condvar::new() }
    }

    /// Whether a sync was left and is not done.
    pub(crate) fn has_left(&self) -> bool {
        self.state().left.is_some()
    }

    /// Has the next sync left to whoever calls [`finish`](Self::finish).
    ///
    /// A change of the storage's length before it takes that back.
    pub(crate) fn leave(&self) {
        self.state().leave = true;
    }

    /// Whether the commit's sync was left, after the commit that was to leave it. If so, another
    /// thread must be told to [`finish`](Self::finish) it: whoever has something to write waits
    /// for that. If not, all is durable.
    pub(crate) fn hand_over(&self) -> Io<bool> {
        let mut state = self.state();
        state.leave = false;
        if state.left.is_some() && !state.handed {
            state.handed = true;
            return Ok(true);
        }
        drop(state);
        // Somebody else may be finishing it right now.
        self.wait()?;
        Ok(false)
    }

    /// Does what was left, and calls `then` before anything else can reach the storage.
    pub(crate) fn finish(&self, then: impl FnOnce()) -> Io<()> {
        let left = self.state().left.clone();
        let Some(left) = left else { return self.sound().map(drop) };
        let storage = &*self.storage;
        // A panic must not leave others waiting.
        let result = catch_unwind(AssertUnwindSafe(|| {
            left.write(storage)?;
            storage.sync_data()?;
            then();
            Ok(())
        }));
        let result = result.unwrap_or_else(|_| Err(Error::other(EmbeddedError::Panicked)));
        let mut state = self.state();
        (state.left, state.handed) = (None, false);
        state.failed |= result.is_err();
        if let Ok(mut writes) = Arc::try_unwrap(left) {
            writes.clear();
            state.spare = writes;
        }
        drop(state);
        self.done.notify_all();
        result
    }

    /// Has nothing more written, because a transaction failed.
    pub(crate) fn fail(&self) {
        self.state().failed = true;
    }

    /// Waits until no sync is left.
    pub(crate) fn wait(&self) -> Io<()> {
        self.idle().map(drop)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, unless something failed before.
    fn sound(&self) -> Io<MutexGuard<'_, State>> {
        checked(self.state())
    }

    /// The state, when no sync is left.
    fn idle(&self) -> Io<MutexGuard<'_, State>> {
        let mut state = self.sound()?;
        while state.left.is_some() {
            if state.handed {
                state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                // Nobody was told of it yet, and whoever would tell may be who waits here.
                state.handed = true;
                drop(state);
                self.finish(|| ())?;
                state = self.state();
            }
        }
        // Without letting go of the lock: else another sync could be left meanwhile.
        checked(state)
    }

    /// The state, when nothing is in memory only.
    fn written(&self) -> Io<MutexGuard<'_, State>> {
        let mut state = self.idle()?;
        debug_assert!(state.left.is_none(), "what is held comes after what was left");
        if !state.held.is_empty() {
            state.held.write(&*self.storage)?;
            state.held.clear();
        }
        Ok(state)
    }
}

fn checked(state: MutexGuard<'_, State>) -> Io<MutexGuard<'_, State>> {
    if state.failed { Err(Error::other("an earlier commit failed")) } else { Ok(state) }
}

/// What the database has of it.
#[derive(Debug)]
pub(crate) struct Storage(pub(crate) Arc<Behind>);

impl Storage {
    fn inner(&self) -> &dyn StorageBackend {
        &*self.0.storage
    }
}

#[deny(clippy::missing_trait_methods)]
impl StorageBackend for Storage {
    forward_locks!();

    fn len(&self) -> Io<u64> {
        self.inner().len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Io<()> {
        let state = self.0.sound()?;
        let touches = |writes: &Writes| writes.touch(offset, out.len());
        if touches(&state.held) || state.left.as_deref().is_some_and(touches) {
            drop(state);
            drop(self.0.written()?);
        } else {
            drop(state);
        }
        self.inner().read(offset, out)
    }

    fn set_len(&self, len: u64) -> Io<()> {
        self.0.written()?.leave = false;
        self.inner().set_len(len)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Io<()> {
        let mut state = self.0.sound()?;
        if state.leave && state.held.bytes() + data.len() <= MOST_BYTES {
            state.held.push(offset, data);
            return Ok(());
        }
        drop(state);
        drop(self.0.written()?);
        self.inner().write(offset, data)
    }

    fn sync_data(&self) -> Io<()> {
        let mut state = self.0.idle()?;
        if state.leave {
            let spare = std::mem::take(&mut state.spare);
            let writes = std::mem::replace(&mut state.held, spare);
            (state.leave, state.left) = (false, Some(Arc::new(writes)));
            return Ok(());
        }
        drop(state);
        self.inner().sync_data()
    }

    fn close(&self) -> Io<()> {
        let written = self.0.written().map(drop);
        self.inner().close().and(written)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use mockall::{Sequence, mock};

    use super::*;

    mock! {
        #[derive(Debug)]
        Disk {}

        impl StorageBackend for Disk {
            fn len(&self) -> Io<u64>;
            fn read(&self, offset: u64, out: &mut [u8]) -> Io<()>;
            fn set_len(&self, len: u64) -> Io<()>;
            fn sync_data(&self) -> Io<()>;
            fn write(&self, offset: u64, data: &[u8]) -> Io<()>;
            fn close(&self) -> Io<()>;
        }
    }

    /// A disk that expects exactly these operations: writes by their offset, and syncs.
    fn expecting(operations: &[Option<u64>]) -> MockDisk {
        let (mut disk, mut sequence) = (MockDisk::new(), Sequence::new());
        for operation in operations {
            if let Some(offset) = *operation {
                let write = disk.expect_write().withf(move |at, _| *at == offset);
                write.times(1).in_sequence(&mut sequence).returning(|_, _| Ok(()));
            } else {
                let sync = disk.expect_sync_data();
                sync.times(1).in_sequence(&mut sequence).returning(|| Ok(()));
            }
        }
        disk
    }

    fn behind(disk: MockDisk) -> (Arc<Behind>, Storage) {
        let behind = Arc::new(Behind::new(Box::new(disk)));
        (Arc::clone(&behind), Storage(behind))
    }

    #[test]
    fn what_is_not_left_goes_straight_to_the_storage() {
        let (behind, storage) = behind(expecting(&[Some(0), Some(8), None]));
        storage.write(0, &[1; 8]).unwrap();
        storage.write(8, &[1; 8]).unwrap();
        storage.sync_data().unwrap();
        assert!(!behind.hand_over().unwrap() && !behind.has_left());
    }

    #[test]
    fn a_sync_that_is_left_comes_before_everything_later() {
        let order = [Some(0), Some(16), None, Some(0), None];
        let (behind, storage) = behind(expecting(&order));
        behind.leave();
        storage.write(16, &[1; 8]).unwrap();
        storage.write(0, &[1; 8]).unwrap();
        storage.sync_data().unwrap();
        assert!(behind.hand_over().unwrap() && behind.has_left());
        behind.leave();
        storage.write(0, &[2; 8]).unwrap();
        storage.write(8, &[2; 8]).unwrap();
        let told = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| storage.sync_data());
            let tell = || {
                told.fetch_add(1, Ordering::SeqCst);
            };
            behind.finish(tell).unwrap();
            second.join().unwrap().unwrap();
        });
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert!(behind.hand_over().unwrap());
        behind.finish(|| ()).unwrap();
    }

    /// A disk that fails where a write of one transaction comes before the sync of the one before.
    #[derive(Debug, Default)]
    struct Ordered {
        synced: AtomicU64,
    }

    impl StorageBackend for Ordered {
        fn len(&self) -> Io<u64> {
            Ok(8)
        }

        fn read(&self, _: u64, _: &mut [u8]) -> Io<()> {
            Ok(())
        }

        fn set_len(&self, _: u64) -> Io<()> {
            Ok(())
        }

        fn sync_data(&self) -> Io<()> {
            self.synced.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        fn write(&self, _: u64, data: &[u8]) -> Io<()> {
            let transaction = u64::from_le_bytes(data.try_into().unwrap());
            let synced = self.synced.load(Ordering::SeqCst);
            if transaction == synced + 1 { Ok(()) } else { Err(Error::other("out of order")) }
        }
    }

    #[test]
    fn readers_bring_no_transaction_before_the_sync_of_the_one_before() {
        let behind = Arc::new(Behind::new(Box::<Ordered>::default()));
        let storage = Storage(Arc::clone(&behind));
        let (hand_over, handed_over) = std::sync::mpsc::sync_channel(1);
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let behind = &behind;
            let finisher = scope.spawn(move || {
                for () in handed_over {
                    behind.finish(|| ()).unwrap();
                }
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_done.load(Ordering::SeqCst) {
                        // It touches what is held, so that has to be written first.
                        storage.read(0, &mut [0; 8]).unwrap();
                    }
                });
            }
            for transaction in 1..=20_000_u64 {
                behind.leave();
                storage.write(0, &transaction.to_le_bytes()).unwrap();
                storage.sync_data().unwrap();
                if behind.hand_over().unwrap() {
                    hand_over.send(()).unwrap();
                }
            }
            drop(hand_over);
            finisher.join().unwrap();
            is_done.store(true, Ordering::SeqCst);
        });
    }

    #[test]
    fn who_waits_for_a_sync_that_nobody_was_told_of_does_it() {
        let (behind, storage) = behind(expecting(&[Some(0), None, None]));
        behind.leave();
        storage.write(0, &[1; 8]).unwrap();
        storage.sync_data().unwrap();
        storage.sync_data().unwrap();
        assert!(!behind.hand_over().unwrap());
    }

    #[test]
    fn adjacent_writes_are_one_and_overlapping_ones_keep_their_order() {
        let check = |writes: &[(u64, &[u8])], expected: &[(u64, &[u8])]| {
            let (mut disk, mut sequence) = (MockDisk::new(), Sequence::new());
            for (at, bytes) in expected {
                let (at, bytes) = (*at, bytes.to_vec());
                let write = disk.expect_write().withf(move |to, data| (*to, data) == (at, &bytes));
                write.times(1).in_sequence(&mut sequence).returning(|_, _| Ok(()));
            }
            let mut held = Writes::default();
            for (at, bytes) in writes {
                held.push(*at, bytes);
            }
            held.write(&disk).unwrap();
        };
        check(&[(8, b"cd"), (20, b"x"), (6, b"ab"), (10, b"e")], &[(6, b"abcde"), (20, b"x")]);
        check(&[(8, b"cd"), (7, b"ab"), (8, b"x")], &[(8, b"cd"), (7, b"ab"), (8, b"x")]);
        check(&[(4, b"old"), (4, b"new")], &[(4, b"old"), (4, b"new")]);
        check(&[], &[]);
    }

    #[test]
    fn reads_see_what_is_held() {
        let mut disk = expecting(&[Some(0), None, Some(8)]);
        disk.expect_read().times(2).returning(|_, _| Ok(()));
        let (behind, storage) = behind(disk);
        behind.leave();
        storage.write(0, &[1; 8]).unwrap();
        storage.sync_data().unwrap();
        behind.leave();
        storage.write(8, &[1; 8]).unwrap();
        // This one has nothing to do with it.
        storage.read(16, &mut [0; 8]).unwrap();
        assert!(behind.has_left());
        storage.read(4, &mut [0; 8]).unwrap();
        assert!(!behind.has_left());
    }

    #[test]
    fn a_new_length_takes_it_back() {
        let mut disk = expecting(&[Some(0), Some(8), None]);
        disk.expect_set_len().times(1).returning(|_| Ok(()));
        let (behind, storage) = behind(disk);
        behind.leave();
        storage.write(0, &[1; 8]).unwrap();
        storage.set_len(64).unwrap();
        storage.write(8, &[1; 8]).unwrap();
        storage.sync_data().unwrap();
        assert!(!behind.hand_over().unwrap());
    }

    #[test]
    fn after_a_failure_or_a_panic_nothing_more_is_written() {
        let check = |fail: fn() -> Io<()>| {
            let mut disk = MockDisk::new();
            disk.expect_write().times(1).returning(|_, _| Ok(()));
            disk.expect_sync_data().times(1).returning(fail);
            disk.expect_close().times(1).returning(|| Ok(()));
            let (behind, storage) = behind(disk);
            behind.leave();
            storage.write(0, &[1; 8]).unwrap();
            storage.sync_data().unwrap();
            assert!(behind.hand_over().unwrap());
            behind.finish(|| unreachable!("it is not durable")).unwrap_err();
            storage.write(8, &[1; 8]).unwrap_err();
            storage.sync_data().unwrap_err();
            storage.set_len(64).unwrap_err();
            behind.wait().unwrap_err();
            storage.close().unwrap_err();
        };
        check(|| Err(Error::other("the disk is gone")));
        check(|| panic!("the disk panics"));
    }
}
