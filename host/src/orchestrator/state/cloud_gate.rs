//! How much this host asks of the cloud at once, for all clusters together: whoever wants to ask
//! takes a turn. A project has but a share of the turns, and so has a region, so that one whose calls
//! are slow leaves the others theirs; within a project, and among projects, it goes by who came
//! first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::orchestrator::locks::lock_mutex;

/// Turns of one kind of work.
#[derive(Debug)]
pub(crate) struct CloudGate {
    turns: Arc<Semaphore>,
    all_turns: u32,
    regions: TurnShares,
    projects: TurnShares,
}

/// The shares of those that have turns or wait for some.
#[derive(Debug)]
struct TurnShares {
    turns: usize,
    known: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// So many turns of one kind of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnLimits {
    /// Over all clusters.
    pub(crate) all: usize,
    /// Of these, in one region.
    pub(crate) region: usize,
    /// Of these, for one project.
    pub(crate) project: usize,
}

/// A turn, until it is dropped.
pub(crate) struct CloudTurn {
    /// Given back before the region's and the project's own: who waits for those needs this one
    /// next.
    _turn: Option<OwnedSemaphorePermit>,
    _region_turn: Option<OwnedSemaphorePermit>,
    _project_turn: Option<OwnedSemaphorePermit>,
}

impl CloudGate {
    pub(crate) fn new(limits: TurnLimits) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(limits.all)),
            all_turns: u32::try_from(limits.all).unwrap_or(u32::MAX),
            regions: TurnShares::new(limits.region),
            projects: TurnShares::new(limits.project),
        }
    }

    /// Waits for a turn.
    pub(crate) async fn enter(&self, region: &str, project_id: &str) -> CloudTurn {
        // None is ever closed. Always in this order: whoever waits holds what is more its own.
        let project_turn = self
            .projects
            .share_of(project_id)
            .acquire_owned()
            .await
            .ok();
        let region_turn = self.regions.share_of(region).acquire_owned().await.ok();
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        CloudTurn {
            _turn: turn,
            _region_turn: region_turn,
            _project_turn: project_turn,
        }
    }

    /// Gives no more turns, and waits until those that were given are over.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.turns.acquire_many(self.all_turns).await {
            all.forget();
        }
    }
}

impl TurnShares {
    fn new(turns: usize) -> Self {
        Self {
            turns,
            known: Mutex::default(),
        }
    }

    fn share_of(&self, id: &str) -> Arc<Semaphore> {
        let mut all = lock_mutex(&self.known);
        if let Some(known) = all.get(id).and_then(Weak::upgrade) {
            return known;
        }
        // Now and then, so that one that is entered costs what those do that are here.
        if all.len() == all.capacity() {
            all.retain(|_, known| known.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(self.turns));
        all.insert(id.to_owned(), Arc::downgrade(&own));
        own
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

    fn gate(all: usize, region: usize, project: usize) -> CloudGate {
        CloudGate::new(TurnLimits {
            all,
            region,
            project,
        })
    }

    #[test]
    fn after_the_close_there_are_no_turns_and_those_that_were_given_are_waited_for() {
        let gate = gate(2, 2, 2);
        let given = now(gate.enter("r", "a"));
        let mut closing = pin!(gate.close());
        let mut context = Context::from_waker(Waker::noop());
        assert!(closing.as_mut().poll(&mut context).is_pending());
        assert!(now(gate.enter("r", "b")).is_none());
        drop(given);
        assert!(closing.as_mut().poll(&mut context).is_ready());
        assert!(now(gate.enter("r", "b")).is_none());
    }

    #[test]
    fn a_project_has_its_share_and_all_together_have_no_more_than_there_are() {
        let gate = gate(3, 3, 2);
        let slow = [now(gate.enter("r", "a")), now(gate.enter("r", "a"))];
        assert!(slow.iter().all(Option::is_some));
        assert!(now(gate.enter("r", "a")).is_none(), "its share is taken");
        let other = now(gate.enter("r", "b"));
        assert!(other.is_some(), "the others have theirs");
        assert!(now(gate.enter("r", "c")).is_none(), "all are taken");
        drop(other);
        assert!(now(gate.enter("r", "c")).is_some());
        drop(slow);
        assert!(now(gate.enter("r", "a")).is_some());
    }

    #[test]
    fn projects_that_are_gone_are_forgotten() {
        let gate = gate(3, 3, 2);
        for number in 0..10_000 {
            drop(now(gate.enter("r", &number.to_string())));
        }
        let kept = lock_mutex(&gate.projects.known).len();
        assert!(kept < 100, "{kept} are kept");
    }

    #[test]
    fn a_region_whose_heat_is_away_leaves_the_others_their_turns_however_many_projects_it_has() {
        let gate = gate(4, 3, 2);
        let away = ["a", "a", "b"].map(|project| now(gate.enter("away", project)));
        assert!(away.iter().all(Option::is_some));
        assert!(now(gate.enter("away", "c")).is_none(), "its share is taken");
        let here = now(gate.enter("here", "c"));
        assert!(here.is_some(), "the other region has its own");
        drop(away);
        assert!(now(gate.enter("away", "c")).is_some());
    }
}
