//! A disk in memory that knows what was synced.

use std::io::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use store_embedded::backend::StorageBackend;

use super::damage::{Change, apply, lose};

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

/// What the disk shall do to whoever uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Work.
    Work,
    /// Lose power when so many further changes and syncs were asked for.
    LosePower { after: u64 },
    /// Fail once when so many further accesses were asked for, those of `only` alone.
    Fail { after: u64, kind: ErrorKind, only: Access },
}

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    /// A write, another length, or a sync.
    Change,
}

#[derive(Debug)]
struct State {
    /// What would be there after a loss of everything that was not synced.
    durable: Vec<u8>,
    /// What is read.
    current: Vec<u8>,
    /// The changes since the last sync.
    unsynced: Vec<Change>,
    plan: Plan,
    /// What a loss of power left; from then on nothing works.
    left: Option<Vec<u8>>,
    /// Whether the planned failure came about.
    failed: bool,
    rng: Rng,
}

impl Disk {
    /// A disk with this content, all of it durable.
    pub(crate) fn new(content: Vec<u8>, seed: u64) -> Self {
        let state = State {
            durable: content.clone(),
            current: content,
            unsynced: Vec::new(),
            plan: Plan::Work,
            left: None,
            failed: false,
            rng: Rng::with_seed(seed),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn plan(&self, plan: Plan) {
        self.state().plan = plan;
    }

    /// Whether the planned failure has come about.
    pub(super) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Whether power was lost already.
    pub(super) fn is_off(&self) -> bool {
        self.state().left.is_some()
    }

    /// What a loss of power leaves, now or at the moment when it came.
    pub(super) fn lose_power(&self) -> Vec<u8> {
        let mut state = self.state();
        state.left.take().unwrap_or_else(|| state.lose())
    }

    /// What the end of the process leaves.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.state().current.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole changes behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: Change) -> Result<()> {
        let mut state = self.state();
        let result = state.access(Access::Change, Some(&change));
        if result.is_ok() {
            apply(&mut state.current, &change);
            state.unsynced.push(change);
        }
        result
    }
}

impl State {
    fn lose(&mut self) -> Vec<u8> {
        lose(&self.durable, &self.unsynced, &mut self.rng)
    }

    /// Follows the plan. A change during which power is lost or the disk fails may happen in part.
    fn access(&mut self, access: Access, change: Option<&Change>) -> Result<()> {
        if self.left.is_some() {
            return Err(Error::other("the power is off"));
        }
        match &mut self.plan {
            Plan::LosePower { after } if access == Access::Change => {
                if *after > 0 {
                    *after -= 1;
                    return Ok(());
                }
                self.unsynced.extend(change.cloned());
                let left = self.lose();
                self.left = Some(left);
                Err(Error::other("the power is off"))
            }
            Plan::Fail { after, kind, only } if access == *only => {
                if *after > 0 {
                    *after -= 1;
                    return Ok(());
                }
                let error = Error::from(*kind);
                self.plan = Plan::Work;
                self.failed = true;
                if let Some(change) = change.filter(|_| self.rng.bool()) {
                    apply(&mut self.current, change);
                    self.unsynced.push(change.clone());
                }
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        let mut state = self.state();
        state.access(Access::Read, None)?;
        Ok(state.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let mut state = self.state();
        state.access(Access::Read, None)?;
        let start = usize::try_from(offset).map_err(Error::other)?;
        let end = start.checked_add(out.len());
        let found = end.and_then(|end| state.current.get(start..end));
        let found = found.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.change(Change::Length(usize::try_from(len).map_err(Error::other)?))
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let offset = usize::try_from(offset).map_err(Error::other)?;
        self.change(Change::Write { offset, data: data.into() })
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.state();
        state.access(Access::Change, None)?;
        let State { durable, unsynced, .. } = &mut *state;
        unsynced.drain(..).for_each(|change| apply(durable, &change));
        Ok(())
    }
}
