//! Permits whose number can change while they are out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// The cap was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CapClosed;

/// So many permits; who waits for one gets it in the order of coming.
#[derive(Debug, Clone)]
pub(crate) struct Cap(Arc<Permits>);

#[derive(Debug)]
struct Permits {
    semaphore: Semaphore,
    /// Permits that are to vanish when they come back, since the cap was lowered meanwhile.
    debt: AtomicUsize,
}

impl Cap {
    pub(crate) fn new(size: usize) -> Self {
        Self(Arc::new(Permits { semaphore: Semaphore::new(size), debt: AtomicUsize::new(0) }))
    }

    /// Waits for a permit. Dropping the future gives up the place in the queue and nothing else.
    pub(crate) async fn acquire(&self) -> Result<Permit, CapClosed> {
        let permit = self.0.semaphore.acquire().await.map_err(|_| CapClosed)?;
        permit.forget();
        Ok(Permit(Arc::clone(&self.0)))
    }

    /// Takes a permit if one is free and nobody waits for it.
    pub(crate) fn try_acquire(&self) -> Option<Permit> {
        let permit = self.0.semaphore.try_acquire().ok()?;
        permit.forget();
        Some(Permit(Arc::clone(&self.0)))
    }

    /// Adds permits.
    pub(crate) fn grow(&self, by: usize) {
        let paid = self.pay(by);
        self.0.semaphore.add_permits(by - paid);
    }

    /// Removes permits, those that are out as they come back.
    pub(crate) fn shrink(&self, by: usize) {
        let forgotten = self.0.semaphore.forget_permits(by);
        self.0.debt.fetch_add(by - forgotten, Ordering::AcqRel);
    }

    /// Refuses everybody, those who wait included.
    pub(crate) fn close(&self) {
        self.0.semaphore.close();
    }

    #[cfg(test)]
    pub(crate) fn available(&self) -> usize {
        self.0.semaphore.available_permits()
    }

    fn pay(&self, most: usize) -> usize {
        self.0.pay(most)
    }
}

impl Permits {
    /// Settles a part of the debt and returns how much.
    fn pay(&self, most: usize) -> usize {
        let pay = |debt: usize| (debt > 0).then(|| debt - debt.min(most));
        let before = self.debt.fetch_update(Ordering::AcqRel, Ordering::Acquire, pay);
        before.map_or(0, |debt| debt.min(most))
    }
}

/// One permit; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Permits>);

impl Drop for Permit {
    fn drop(&mut self) {
        if self.0.pay(1) == 0 {
            self.0.semaphore.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn permits_that_are_out_vanish_as_they_come_back() {
        let cap = Cap::new(3);
        let first = cap.acquire().await.unwrap();
        let second = cap.try_acquire().unwrap();
        cap.shrink(2);
        assert_eq!(cap.available(), 0);
        drop(first);
        assert_eq!(cap.available(), 0);
        drop(second);
        assert_eq!(cap.available(), 1);
        let held = cap.try_acquire().unwrap();
        cap.shrink(1);
        cap.grow(2);
        assert_eq!(cap.available(), 1);
        drop(held);
        assert_eq!(cap.available(), 2);
        cap.close();
        assert_eq!(cap.acquire().await.unwrap_err(), CapClosed);
    }

    #[tokio::test]
    async fn who_comes_first_is_served_first() {
        let cap = Cap::new(1);
        let held = cap.try_acquire().unwrap();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let waiters: Vec<_> = (0..10)
            .map(|number| {
                let (cap, order) = (cap.clone(), Arc::clone(&order));
                tokio::spawn(async move {
                    let _permit = cap.acquire().await.unwrap();
                    order.lock().unwrap().push(number);
                })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(cap.try_acquire().is_none());
        drop(held);
        for waiter in waiters {
            waiter.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), (0..10).collect::<Vec<_>>());
    }
}
