//! The wish to stop, handed to what is being done.

use std::future::Future;

use tokio::sync::watch;

use crate::error::CliError;

/// Says that what is being done shall end.
pub(crate) struct Stopper(watch::Sender<bool>);

/// Learns of it.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Both ends.
pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub(crate) fn ask(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether it was asked for.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked for.
    pub(crate) async fn asked(&self) {
        let mut receiver = self.0.clone();
        // Without the other end nobody can ask any more.
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Does something that may be given up at any point.
    pub(crate) async fn or<T, E: Into<CliError>>(
        &self,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CliError> {
        tokio::select! {
            done = doing => done.map_err(Into::into),
            () = self.asked() => Err(CliError::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_may_be_given_up_is_given_up() {
        let (stopper, stop) = stop();
        assert_eq!(stop.or(async { Ok::<_, CliError>(1) }).await.unwrap(), 1);
        assert!(!stop.is_asked());
        stopper.ask();
        assert!(stop.is_asked());
        let never = std::future::pending::<Result<(), CliError>>();
        assert!(matches!(stop.or(never).await, Err(CliError::Interrupted)));
    }
}
