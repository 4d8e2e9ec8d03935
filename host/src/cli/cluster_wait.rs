//! Waits until a cluster stands still, however long its login lasts: prints progress, logs in again
//! where that is due, and ends when nothing in this process goes on with the cluster.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{
    arguments::parse_duration, cloud::RenewalFailure, cluster_backend::ClusterBackend,
    line_printer::LinePrinter, progress_printer::ProgressPrinter,
};
use crate::{
    cluster::ClusterState,
    orchestrator::{ClusterView, DeletionStage},
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Looks in a row that find nobody at work on the cluster before that is believed: between two
/// tries of the background there is a moment without one.
const STANDSTILL_LOOKS: u32 = 3;

/// How long a command waits.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct TimeoutArgs {
    /// Wait no longer than this (90s, 30m, 1h30m), then end with exit code 7; the work stands
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
}

/// Which cluster.
pub(super) enum WaitTarget {
    /// The living one of this name.
    Living(String),
    /// The one with this name and id, which is being deleted, or is to be once Heat has taken that.
    Deleting { name: String, id: String },
}

impl WaitTarget {
    /// The deletion of this cluster.
    pub(super) fn deleting(view: ClusterView) -> Self {
        Self::Deleting {
            name: view.name,
            id: view.id,
        }
    }
}

/// How a wait ended.
pub(super) enum WaitEnd {
    /// The cluster stands still.
    Settled(Box<ClusterView>),
    /// Nothing is left of it.
    Deleted,
    /// The wait was not long enough; how the cluster was last.
    TimedOut(Option<Box<ClusterView>>),
    /// Nobody goes on with it, and why.
    Stuck(Option<Box<ClusterView>>, String),
}

/// A wait for one cluster.
pub(super) struct ClusterWait<'a, 'o> {
    pub(super) cloud: &'a mut ClusterBackend,
    pub(super) out: &'a mut LinePrinter<'o>,
    pub(super) progress: &'a mut ProgressPrinter,
    pub(super) target: WaitTarget,
}

impl ClusterWait<'_, '_> {
    /// Waits, no longer than `timeout`.
    pub(super) async fn run(mut self, timeout: Option<Duration>) -> Result<WaitEnd> {
        let mut last = None;
        let Some(timeout) = timeout else {
            return self.follow(&mut last).await;
        };
        match tokio::time::timeout(timeout, self.follow(&mut last)).await {
            Ok(end) => end,
            Err(_) => Ok(WaitEnd::TimedOut(last)),
        }
    }

    async fn follow(&mut self, last: &mut Option<Box<ClusterView>>) -> Result<WaitEnd> {
        let mut idle_looks = 0;
        loop {
            let login = self.cloud.keep_login().await;
            if let Err(RenewalFailure::Ended(why)) = login {
                return Ok(WaitEnd::Stuck(last.take(), why));
            }
            let mut view = match self.look().await? {
                TargetLook::Seen(view) => view,
                TargetLook::Unseen => continue,
                TargetLook::Gone => return Ok(WaitEnd::Deleted),
            };
            if let Err(RenewalFailure::Later(why)) = &login {
                view.cloud_error = Some(why.clone());
            }
            self.progress.print(self.out, &view)?;
            let is_to_go = matches!(self.target, WaitTarget::Deleting { .. });
            if is_to_go && view.deletion == DeletionStage::NotWanted {
                let why = view.cloud_error.clone();
                let why = why.unwrap_or_else(|| "its deletion was withdrawn".to_owned());
                return Ok(WaitEnd::Stuck(Some(view), why));
            }
            // Of one that Heat shows as deleted the record is about to go.
            let is_going = is_to_go
                && (view.state == ClusterState::Deleted || view.deletion == DeletionStage::Wished);
            if !view.state.is_moving() && !is_going {
                return Ok(WaitEnd::Settled(view));
            }
            let standstill = self.cloud.standstill(&view.id);
            let standstill = standstill.filter(|_| login.is_ok());
            *last = Some(view);
            match standstill {
                None => idle_looks = 0,
                Some(why) if idle_looks + 1 >= STANDSTILL_LOOKS => {
                    return Ok(WaitEnd::Stuck(last.take(), why));
                }
                Some(_) => idle_looks += 1,
            }
            if is_to_go || !self.cloud.waits_for_news() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// The cluster as it is now.
    async fn look(&mut self) -> Result<TargetLook> {
        match &self.target {
            WaitTarget::Living(name) => {
                let seen = self.cloud.next_view(name).await?;
                Ok(seen.map_or(TargetLook::Unseen, |view| TargetLook::Seen(Box::new(view))))
            }
            WaitTarget::Deleting { name, id } => {
                let mut view = match self.cloud.look_for(name, id).await? {
                    Some(Some(view)) => view,
                    Some(None) => return Ok(TargetLook::Gone),
                    None => return Ok(TargetLook::Unseen),
                };
                // What its nodes said while it lived is of no more interest.
                view.progress.clear();
                Ok(TargetLook::Seen(Box::new(view)))
            }
        }
    }
}

/// What a look has shown.
enum TargetLook {
    Seen(Box<ClusterView>),
    /// Nobody could say for now.
    Unseen,
    /// Nothing is left of one that was to be deleted.
    Gone,
}
