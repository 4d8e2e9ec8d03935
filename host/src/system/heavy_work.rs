//! Runs work that keeps a processor busy on threads of its own, a few at once, so that the threads
//! that serve everyone go on.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Pieces of such work at once; more wait.
pub const AT_ONCE: usize = 4;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// The work panicked; its message is on standard error.
#[derive(Debug, thiserror::Error)]
#[error("a part of this program broke down")]
pub struct WorkPanicked;

/// A place for one piece of work: whoever has it need not wait for others.
pub struct WorkPlace {
    _permit: Option<SemaphorePermit<'static>>,
}

/// Waits for a place. What the work itself may take is counted from here on.
pub async fn take_place() -> WorkPlace {
    // The semaphore is never closed; without a place the work would only be less bounded.
    let _permit = PLACES.acquire().await.ok();
    WorkPlace { _permit }
}

impl WorkPlace {
    /// What the work gives. Whoever stops waiting does not stop the work.
    ///
    /// # Errors
    /// The work panicked.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkPanicked> {
        let result = tokio::task::spawn_blocking(move || {
            let _place = self;
            work()
        });
        result.await.map_err(|_| WorkPanicked)
    }
}

/// What the work gives, once there is a place for it.
///
/// # Errors
/// The work panicked.
pub async fn run_heavy<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, WorkPanicked> {
    take_place().await.run(work).await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// One test, since the places are the process's.
    #[tokio::test]
    async fn so_many_run_beside_the_callers_thread_and_one_more_waits_and_a_panic_is_told() {
        let (started, starts) = mpsc::channel();
        let mut ends = Vec::new();
        let mut running = Vec::new();
        for number in 0..=AT_ONCE {
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let started = started.clone();
            running.push(tokio::spawn(run_heavy(move || {
                let _ = started.send(number);
                let _ = ended.recv_timeout(Duration::from_secs(60));
                number
            })));
        }
        let mut begun: Vec<usize> = Vec::new();
        while begun.len() < AT_ONCE {
            // This thread is free while they work.
            tokio::task::yield_now().await;
            begun.extend(starts.try_iter());
        }
        tokio::task::yield_now().await;
        assert_eq!(starts.try_iter().count(), 0, "all places are taken");
        drop(ends);
        for (number, work) in running.into_iter().enumerate() {
            assert_eq!(work.await.unwrap().unwrap(), number);
        }
        let broken: Result<(), WorkPanicked> =
            run_heavy(|| std::panic::resume_unwind(Box::new(()))).await;
        assert!(broken.is_err());
    }
}
