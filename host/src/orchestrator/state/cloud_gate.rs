//! How much this host asks of the cloud at once, for all clusters together: whoever wants to ask
//! takes a turn. A project has but a share of the turns, so that one whose calls are slow leaves the
//! others theirs; within a project, and among projects, it goes by who came first.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::orchestrator::locks::lock_mutex;

/// Turns of one kind of work.
#[derive(Debug)]
pub(crate) struct CloudGate {
    turns: Arc<Semaphore>,
    all_turns: u32,
    project_turns: usize,
    /// Of the projects that have turns or wait for some.
    projects: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(crate) struct CloudTurn {
    /// Given back before the project's own: who waits for that needs this one next.
    _turn: Option<OwnedSemaphorePermit>,
    _project_turn: Option<OwnedSemaphorePermit>,
}

impl CloudGate {
    /// So many turns, and of these so many for each project.
    pub(crate) fn new(turns: usize, project_turns: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            all_turns: u32::try_from(turns).unwrap_or(u32::MAX),
            project_turns,
            projects: Mutex::default(),
        }
    }

    /// Waits for a turn.
    pub(crate) async fn enter(&self, project_id: &str) -> CloudTurn {
        let own = self.project(project_id);
        // Neither is ever closed.
        let project_turn = own.acquire_owned().await.ok();
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        CloudTurn {
            _turn: turn,
            _project_turn: project_turn,
        }
    }

    /// Gives no more turns, and waits until those that were given are over.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.turns.acquire_many(self.all_turns).await {
            all.forget();
        }
    }

    fn project(&self, id: &str) -> Arc<Semaphore> {
        let mut projects = lock_mutex(&self.projects);
        if let Some(known) = projects.get(id).and_then(Weak::upgrade) {
            return known;
        }
        // Now and then, so that a project that is entered costs what those do that are here.
        if projects.len() == projects.capacity() {
            projects.retain(|_, known| known.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(self.project_turns));
        projects.insert(id.to_owned(), Arc::downgrade(&own));
        own
    }
}

/// How many background workers there are, which sets the pace of each.
#[derive(Debug, Default)]
pub(crate) struct WorkerCount(AtomicUsize);

/// One of them, until it is dropped.
pub(crate) struct CountedWorker<'a>(&'a WorkerCount);

impl WorkerCount {
    /// One more.
    pub(crate) fn enter(&self) -> CountedWorker<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        CountedWorker(self)
    }

    /// The pause between two looks of one worker with which all of them together take no more than
    /// `looks_a_second`.
    pub(crate) fn fair_pause(&self, pause: Duration, looks_a_second: u32) -> Duration {
        let workers = u32::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        pause.max(Duration::from_secs(1).saturating_mul(workers) / looks_a_second.max(1))
    }
}

impl Drop for CountedWorker<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    /// The turn, where there is one now.
    fn now(entering: impl Future<Output = CloudTurn>) -> Option<CloudTurn> {
        match pin!(entering).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn after_the_close_there_are_no_turns_and_those_that_were_given_are_waited_for() {
        let gate = CloudGate::new(2, 2);
        let given = now(gate.enter("a"));
        let mut closing = pin!(gate.close());
        let mut context = Context::from_waker(Waker::noop());
        assert!(closing.as_mut().poll(&mut context).is_pending());
        assert!(now(gate.enter("b")).is_none());
        drop(given);
        assert!(closing.as_mut().poll(&mut context).is_ready());
        assert!(now(gate.enter("b")).is_none());
    }

    #[test]
    fn a_project_has_its_share_and_all_together_have_no_more_than_there_are() {
        let gate = CloudGate::new(3, 2);
        let slow = [now(gate.enter("a")), now(gate.enter("a"))];
        assert!(slow.iter().all(Option::is_some));
        assert!(now(gate.enter("a")).is_none(), "its share is taken");
        let other = now(gate.enter("b"));
        assert!(other.is_some(), "the others have theirs");
        assert!(now(gate.enter("c")).is_none(), "all are taken");
        drop(other);
        assert!(now(gate.enter("c")).is_some());
        drop(slow);
        assert!(now(gate.enter("a")).is_some());
    }

    #[test]
    fn projects_that_are_gone_are_forgotten() {
        let gate = CloudGate::new(3, 2);
        for number in 0..10_000 {
            drop(now(gate.enter(&number.to_string())));
        }
        let kept = lock_mutex(&gate.projects).len();
        assert!(kept < 100, "{kept} are kept");
    }

    #[test]
    fn many_workers_look_less_often_each() {
        let count = WorkerCount::default();
        let two = Duration::from_secs(2);
        let few: Vec<_> = (0..50).map(|_| count.enter()).collect();
        assert_eq!(count.fair_pause(two, 25), two);
        let more: Vec<_> = (0..950).map(|_| count.enter()).collect();
        assert_eq!(count.fair_pause(two, 25), Duration::from_secs(40));
        drop((few, more));
        assert_eq!(count.fair_pause(two, 25), two);
    }
}
