//! Records what the host counts and how long its work takes, in atomics without a lock: recording
//! must cost a request nothing that can be felt. Every layer may record; `admin` alone prints.
//!
//! Labels are bounded: each is one of a few texts that stand in this folder, never something that a
//! client or a cloud has sent.
//!
//! Layout
//! - [`HostMetrics`]: all counters and histograms of a process
//! - [`ServedApi`]: whose request it is; [`WorkOutcome`]: how a piece of work ended, as a label
//! - [`histogram`]: durations in fixed buckets

pub mod histogram;

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::{Method, StatusCode};

use histogram::{DurationHistogram, HistogramFamily, HistogramSeries};

/// Methods that have a series of their own; `HEAD` counts as `GET`, which it is but for its body.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
/// Services of a cloud that have series of their own.
const SERVICES: [&str; 7] = [
    "keystone", "heat", "nova", "glance", "neutron", "cinder", "other",
];

/// Whose request it is; in the extensions of an answer it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedApi {
    /// OCCI's, and what the server refuses by itself.
    Occi,
    /// The JSON API's.
    Json,
    /// A page's.
    Pages,
}

impl ServedApi {
    const LABELS: [&str; 3] = ["occi", "json", "pages"];
}

/// How a piece of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkOutcome {
    /// It did what it was to do.
    Succeeded,
    /// It was told no, and nothing is broken: a request that a plugin or the cloud does not accept.
    Refused,
    /// Something is broken or away.
    Failed,
}

impl WorkOutcome {
    const LABELS: [&str; 3] = ["succeeded", "refused", "failed"];

    /// Of work that is never refused.
    pub fn of_result<T, E>(result: &Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Succeeded,
            Err(_) => Self::Failed,
        }
    }
}

/// Histograms of one kind of work, one for each outcome.
type HistogramsByOutcome = [DurationHistogram; WorkOutcome::LABELS.len()];

/// Counters and histograms. All of them only rise, but for the connections that are open.
#[derive(Debug, Default)]
pub struct HostMetrics {
    open_connections: AtomicU64,
    rejected_connections: AtomicU64,
    /// By the first digit of the status.
    answers: [AtomicU64; 6],
    requests: [[DurationHistogram; METHODS.len()]; ServedApi::LABELS.len()],
    reconciles: HistogramsByOutcome,
    rollout_steps: HistogramsByOutcome,
    plugin_calls: HistogramsByOutcome,
    cloud_calls: [HistogramsByOutcome; SERVICES.len()],
}

/// A connection that counts as open until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<HostMetrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open_connections.fetch_sub(1, Relaxed);
    }
}

impl HostMetrics {
    /// Counts one more open connection, until the guard goes.
    #[must_use]
    pub fn open_connection(self: &Arc<Self>) -> OpenConnection {
        self.open_connections.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// Counts a connection that there was no room for.
    pub fn count_rejected(&self) {
        self.rejected_connections.fetch_add(1, Relaxed);
    }

    /// Counts an answer.
    pub fn count_answer(&self, status: StatusCode) {
        if let Some(counter) = self.answers.get(usize::from(status.as_u16() / 100)) {
            counter.fetch_add(1, Relaxed);
        }
    }

    /// Records a request, from its head to its answer, the reading of its body among it; of an answer
    /// that streams to its beginning.
    pub fn observe_request(&self, api: ServedApi, method: &Method, took: Duration) {
        let method = if method == Method::HEAD {
            Method::GET.as_str()
        } else {
            method.as_str()
        };
        let [occi, json, pages] = &self.requests;
        let requests = match api {
            ServedApi::Occi => occi,
            ServedApi::Json => json,
            ServedApi::Pages => pages,
        };
        observe(requests, &METHODS, method, |histogram| {
            histogram.observe(took);
        });
    }

    /// Records one step of a cluster's reconcile: from what was decided to what was recorded.
    pub fn observe_reconcile(&self, outcome: WorkOutcome, took: Duration) {
        by_outcome(&self.reconciles, outcome, took);
    }

    /// Records one step of a rollout: from its request to Heat to the nodes' last signal.
    pub fn observe_rollout_step(&self, outcome: WorkOutcome, took: Duration) {
        by_outcome(&self.rollout_steps, outcome, took);
    }

    /// Records a call of a plugin, the wait for a free place among it.
    pub fn observe_plugin_call(&self, outcome: WorkOutcome, took: Duration) {
        by_outcome(&self.plugin_calls, outcome, took);
    }

    /// Records one HTTP call to a service of the cloud (`keystone`, `heat`, `nova`, `glance`,
    /// `neutron`, `cinder`); any other name counts as `other`.
    pub fn observe_cloud_call(&self, service: &str, outcome: WorkOutcome, took: Duration) {
        observe(&self.cloud_calls, &SERVICES, service, |by| {
            by_outcome(by, outcome, took);
        });
    }

    /// Connections that are open.
    pub fn open_connections(&self) -> u64 {
        self.open_connections.load(Relaxed)
    }

    /// Connections that there was no room for.
    pub fn rejected_connections(&self) -> u64 {
        self.rejected_connections.load(Relaxed)
    }

    /// Answers by the first digit of their status, from 2.
    pub fn answers(&self) -> impl Iterator<Item = (usize, u64)> {
        self.answers
            .iter()
            .map(|counter| counter.load(Relaxed))
            .enumerate()
            .skip(2)
    }

    /// All histograms. A series that nothing was recorded in is left out, as a label that has not
    /// occurred yet is elsewhere.
    pub fn histograms(&self) -> [HistogramFamily; 5] {
        [
            HistogramFamily {
                name: "stampede_request_seconds",
                help: "Requests of clients, from the head to the answer.",
                series: self
                    .requests
                    .iter()
                    .zip(ServedApi::LABELS)
                    .flat_map(|(of_api, api)| series(of_api, &METHODS, "method", &[("api", api)]))
                    .collect(),
            },
            HistogramFamily {
                name: "stampede_reconcile_seconds",
                help: "Steps of the reconciles of clusters.",
                series: series(&self.reconciles, &WorkOutcome::LABELS, "outcome", &[]),
            },
            HistogramFamily {
                name: "stampede_rollout_step_seconds",
                help: "Steps of the rollouts of changes.",
                series: series(&self.rollout_steps, &WorkOutcome::LABELS, "outcome", &[]),
            },
            HistogramFamily {
                name: "stampede_plugin_call_seconds",
                help: "Calls of plugins.",
                series: series(&self.plugin_calls, &WorkOutcome::LABELS, "outcome", &[]),
            },
            HistogramFamily {
                name: "stampede_cloud_call_seconds",
                help: "HTTP calls to the cloud.",
                series: self
                    .cloud_calls
                    .iter()
                    .zip(SERVICES)
                    .flat_map(|(by, service)| {
                        let fixed = [("service", service)];
                        series(by, &WorkOutcome::LABELS, "outcome", &fixed)
                    })
                    .collect(),
            },
        ]
    }
}

fn by_outcome(histograms: &HistogramsByOutcome, outcome: WorkOutcome, took: Duration) {
    let [succeeded, refused, failed] = histograms;
    match outcome {
        WorkOutcome::Succeeded => succeeded.observe(took),
        WorkOutcome::Refused => refused.observe(took),
        WorkOutcome::Failed => failed.observe(took),
    }
}

/// Records in the member of that label; the last label takes all that are not listed.
fn observe<T, const N: usize>(
    members: &[T; N],
    labels: &[&str; N],
    label: &str,
    record: impl FnOnce(&T),
) {
    let listed = labels.iter().position(|listed| *listed == label);
    if let Some(member) = members.get(listed.unwrap_or(N - 1)) {
        record(member);
    }
}

/// The series of these histograms that something was recorded in.
fn series<const N: usize>(
    histograms: &[DurationHistogram; N],
    values: &[&'static str; N],
    label: &'static str,
    fixed: &[(&'static str, &'static str)],
) -> Vec<HistogramSeries> {
    let all: [HistogramSeries; N] = array::from_fn(|index| HistogramSeries {
        labels: fixed
            .iter()
            .copied()
            .chain([(label, values[index])])
            .collect(),
        durations: histograms[index].snapshot(),
    });
    all.into_iter()
        .filter(|series| series.durations.count() > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(metrics: &HostMetrics, name: &str) -> Vec<Vec<&'static str>> {
        let families = metrics.histograms();
        let family = families.iter().find(|family| family.name == name).unwrap();
        family
            .series
            .iter()
            .map(|series| series.labels.iter().map(|(_, text)| *text).collect())
            .collect()
    }

    #[test]
    fn a_label_that_is_not_listed_counts_as_other() {
        let metrics = HostMetrics::default();
        let took = Duration::from_millis(3);
        for service in ["heat", "swift", "<script>"] {
            metrics.observe_cloud_call(service, WorkOutcome::Failed, took);
        }
        assert_eq!(
            labels(&metrics, "stampede_cloud_call_seconds"),
            [["heat", "failed"], ["other", "failed"]]
        );
        metrics.observe_request(ServedApi::Occi, &Method::HEAD, took);
        metrics.observe_request(ServedApi::Pages, &Method::PUT, took);
        metrics.observe_request(ServedApi::Json, &Method::PATCH, took);
        let unknown = Method::from_bytes(b"BREW").unwrap();
        metrics.observe_request(ServedApi::Json, &unknown, took);
        assert_eq!(
            labels(&metrics, "stampede_request_seconds"),
            [
                ["occi", "GET"],
                ["json", "PATCH"],
                ["json", "other"],
                ["pages", "PUT"]
            ]
        );
    }

    #[test]
    fn each_outcome_has_its_series() {
        let metrics = HostMetrics::default();
        let took = Duration::from_millis(3);
        metrics.observe_plugin_call(WorkOutcome::Succeeded, took);
        metrics.observe_plugin_call(WorkOutcome::Refused, took);
        metrics.observe_reconcile(WorkOutcome::Failed, took);
        metrics.observe_rollout_step(WorkOutcome::of_result::<_, ()>(&Ok(())), took);
        assert_eq!(
            labels(&metrics, "stampede_plugin_call_seconds"),
            [["succeeded"], ["refused"]]
        );
        assert_eq!(labels(&metrics, "stampede_reconcile_seconds"), [["failed"]]);
        assert_eq!(
            labels(&metrics, "stampede_rollout_step_seconds"),
            [["succeeded"]]
        );
    }
}
