//! What there is to count of clusters, for an operator who watches all projects: as the store has
//! them, without asking the cloud.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::Mutex;

use crate::orchestrator::{error::OrchestratorError, state::status};
use crate::{
    cluster::{
        ClusterSpec,
        health::{HealthColour, cluster_colour},
    },
    store::{ClusterRecord, RecordStore},
};

/// The figures of one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterFigures {
    /// Whose it is.
    pub project_id: String,
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub region: String,
    /// `active`, as clients are told.
    pub state: &'static str,
    /// How many nodes it has.
    pub nodes: u64,
    /// The colour of its worst service, where a node has said something.
    pub health: Option<HealthColour>,
    /// When it was asked for, in seconds since 1970.
    pub created_s: u64,
    /// When it ends, where it does.
    pub ends_s: Option<u64>,
    /// How long each stage took on the node where it took longest, where nodes have said so.
    pub stages_s: BTreeMap<&'static str, u64>,
}

/// The stages whose seconds are told; a node may say any other.
const STAGES: [&str; 5] = ["setup", "ready", "smoke", "drain", "change"];

/// Records that are read at once; between them others get at the store.
const READ_AT_ONCE: usize = 100;

/// The figures that were made last, by cluster, each of the revision that it was made of: a record that
/// has not changed is not read again, however often somebody asks.
#[derive(Debug, Default)]
pub(crate) struct KnownFigures(Mutex<HashMap<String, RevisionFigures>>);

/// None for a record that cannot be read.
#[derive(Debug)]
struct RevisionFigures {
    revision: i64,
    figures: Option<ClusterFigures>,
}

impl KnownFigures {
    /// The figures of all clusters of all projects, those under deletion among them, the newest first.
    ///
    /// # Errors
    /// `Internal`: the store cannot be read.
    pub(crate) async fn read(
        &self,
        store: &RecordStore,
    ) -> Result<Vec<ClusterFigures>, OrchestratorError> {
        // Whoever asks meanwhile waits, and finds what was read.
        let mut known = self.0.lock().await;
        let revisions: HashMap<String, i64> = store.revisions().await?.into_iter().collect();
        known.retain(|id, one| revisions.get(id) == Some(&one.revision));
        let others = revisions.iter().filter(|(id, _)| !known.contains_key(*id));
        let others: Vec<(&str, i64)> = others.map(|(id, at)| (id.as_str(), *at)).collect();
        for some in others.chunks(READ_AT_ONCE) {
            let ids: Vec<&str> = some.iter().map(|(id, _)| *id).collect();
            let stored = store.records_of(&ids).await?;
            for (id, revision) in some {
                let figures = None;
                let unread = RevisionFigures {
                    revision: *revision,
                    figures,
                };
                known.insert((*id).to_owned(), unread);
            }
            for record in stored.records {
                let read = RevisionFigures {
                    revision: record.revision,
                    figures: Some(figures_of(&record)),
                };
                known.insert(record.id.clone(), read);
            }
        }
        let figures = known.values().filter_map(|one| one.figures.clone());
        let mut figures: Vec<ClusterFigures> = figures.collect();
        figures.sort_by(|a, b| {
            let order = b.created_s.cmp(&a.created_s);
            order.then_with(|| (&a.project_id, &a.name).cmp(&(&b.project_id, &b.name)))
        });
        Ok(figures)
    }
}

fn figures_of(record: &ClusterRecord) -> ClusterFigures {
    let nodes = |spec: &ClusterSpec| u64::from(spec.groups.node_count());
    ClusterFigures {
        project_id: record.project_id.clone(),
        name: record.name.clone(),
        region: record.region.clone(),
        state: status::cluster_state(record).as_str(),
        nodes: record.spec.as_ref().map_or(0, nodes),
        health: cluster_colour(&status::services(record)),
        created_s: record.created_s,
        ends_s: record.end.map(|end| end.at_s),
        stages_s: longest_stages(record),
    }
}

fn longest_stages(record: &ClusterRecord) -> BTreeMap<&'static str, u64> {
    let mut longest = BTreeMap::new();
    for report in &record.observed.reports {
        let stage = STAGES.iter().find(|stage| **stage == report.stage);
        if let (Some(stage), Some(seconds)) = (stage, report.seconds) {
            let seen = longest.entry(*stage).or_insert(0);
            *seen = (*seen).max(u64::from(seconds));
        }
    }
    longest
}
