//! What the nodes of a cluster tell of its jobs, together, and what is said of its end without any.
//! No I/O, no clock.

use crate::{
    cluster::{ClusterJobs, ClusterState},
    orchestrator::state::status::cluster_state,
    store::ClusterRecord,
    system::utc_time::format_utc,
};

/// What all components that tell of jobs say, on all their nodes; none where the cluster is not at
/// rest.
pub(crate) fn cluster_jobs(record: &ClusterRecord) -> Option<ClusterJobs> {
    let is_at_rest = record.change().is_none()
        && record.is_live()
        && cluster_state(record) == ClusterState::Active;
    if !is_at_rest {
        return None;
    }
    let pins = record.spec.as_ref().and_then(|spec| spec.pins.as_deref());
    let placements = pins.iter().flat_map(|pins| {
        let tells = |name: &str| pins.job_tellers.contains(name);
        let placements = pins.placements.iter();
        placements.filter(move |placement| tells(&placement.component))
    });
    let told = placements.flat_map(|placement| {
        placement.members.iter().map(|member| {
            let of_node = record.observed.health.get(&member.node)?;
            of_node.get(&placement.component)?.jobs
        })
    });
    Some(ClusterJobs::of_all(told))
}

/// What is known of a cluster that ends without jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdleView {
    /// How long it may be without jobs, in seconds.
    pub after_s: u64,
    /// Since when it has none, in seconds since 1970; none: it has some, or it is not known.
    pub since_s: Option<u64>,
    /// When it is deleted, unless a job runs before.
    pub ends_s: Option<u64>,
    /// Whether jobs run or wait, as far as is known.
    pub is_busy: bool,
}

/// The same of a record.
pub(crate) fn idle_view(record: &ClusterRecord) -> Option<IdleView> {
    let idle = record.idle?;
    let jobs = cluster_jobs(record).unwrap_or(ClusterJobs::Unknown);
    Some(IdleView {
        after_s: idle.after_s,
        since_s: idle.since_s(jobs),
        ends_s: idle.ends_s(jobs),
        is_busy: jobs == ClusterJobs::Busy,
    })
}

/// What is to be said of an end without jobs that was announced, or has come.
pub(crate) fn describe_idle_end(record: &ClusterRecord) -> Option<String> {
    let notice = record.idle.filter(|_| record.is_live())?.notice?;
    let jobs = cluster_jobs(record);
    if jobs == Some(ClusterJobs::Busy) {
        // It is taken back as soon as the nodes were asked again.
        return None;
    }
    let (since, at) = (format_utc(notice.since_s), format_utc(notice.at_s));
    Some(match notice.is_over {
        false => format!(
            "no job has run since {since}: it will be deleted at {at}, with all that is on it, unless one runs before"
        ),
        true => format!(
            "no job has run since {since}: it was to be deleted at {at}, and nobody is logged in who may; when its owner signs in next it is, unless a job has run"
        ),
    })
}
