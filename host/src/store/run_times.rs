//! How long what was asked for took, in the journal's rows: written when a run has come to its end, read
//! by project, kind and frameworks.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{RecordStore, StoreError};
use crate::cluster::former_runs::{FormerRun, RUN_AGE_S, RUNS_LOOKED_AT, RunShape};

/// The former runs, and when the one of a cluster began.
const READ_RUNS: &str = "SELECT took_s, run_nodes, run_flavors, \
    (SELECT min(asked_s) FROM request_journal WHERE cluster_id = ?1 AND outcome IN ('asked', 'accepted') \
    AND verb IN ('create', 'deploy', 'change') AND (verb = 'change') = ?2) AS began_s \
    FROM request_journal WHERE project_id = ?3 AND run_kind = ?4 AND run_frameworks = ?5 \
    AND took_s IS NOT NULL AND outcome = 'succeeded' AND ended_s >= ?6 \
    ORDER BY number DESC LIMIT ?7";

/// A create or a change that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// What it was.
    pub shape: RunShape,
    /// When its nodes said something last, in seconds since 1970: often somebody looks later.
    pub told_s: Option<u64>,
}

/// The run of a cluster that is under way, and what is known of those before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunHistory {
    /// When the cluster's own was asked for; none where no request for it is under way.
    pub began_s: Option<u64>,
    /// Those of this project, kind and frameworks that were carried out, the newest first.
    pub former: Vec<FormerRun>,
}

impl RecordStore {
    /// What the journal knows of runs of this kind in a project, and of the one of this cluster. One
    /// query, by an index of its own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn run_history(
        &self,
        project_id: &str,
        cluster_id: Option<&str>,
        shape: &RunShape,
        now_s: u64,
    ) -> Result<RunHistory, StoreError> {
        let query = sqlx::query(READ_RUNS);
        let query = query
            .bind(cluster_id)
            .bind(shape.kind.is_change())
            .bind(project_id)
            .bind(shape.kind.as_str())
            .bind(&shape.frameworks)
            .bind(seconds(now_s.saturating_sub(RUN_AGE_S)))
            .bind(i64::try_from(RUNS_LOOKED_AT).unwrap_or(i64::MAX));
        let rows = self.call(query.fetch_all(&self.pool)).await?;
        let mut history = RunHistory::default();
        for row in &rows {
            let began_s: Option<i64> = row.try_get("began_s")?;
            history.began_s = began_s.and_then(|at| u64::try_from(at).ok());
            history.former.push(read_run(row)?);
        }
        Ok(history)
    }
}

/// Writes beside the request that has begun the run of this cluster how long that took. What came
/// again while it was under way is no run of its own.
pub(super) async fn write_run(
    all: &mut SqliteConnection,
    cluster_id: &str,
    run: &EndedRun,
    now_s: u64,
) -> Result<(), sqlx::Error> {
    let shape = &run.shape;
    let flavors = serde_json::to_string(&shape.flavors).unwrap_or_default();
    let ended_s = run.told_s.map_or(now_s, |told_s| told_s.min(now_s));
    // A cloud whose clock stands before the request says nothing of its length.
    let query = sqlx::query(
        "UPDATE request_journal SET run_kind = ?1, run_frameworks = ?2, run_nodes = ?3, run_flavors = ?4, \
             took_s = max(0, iif(?5 >= asked_s, ?5, ?6) - asked_s) \
         WHERE number = (SELECT min(number) FROM request_journal WHERE cluster_id = ?7 AND outcome = 'accepted' \
             AND verb IN ('create', 'deploy', 'change') AND (verb = 'change') = ?8)",
    );
    let query = query
        .bind(shape.kind.as_str())
        .bind(&shape.frameworks)
        .bind(i64::from(shape.nodes))
        .bind(flavors)
        .bind(seconds(ended_s))
        .bind(seconds(now_s))
        .bind(cluster_id)
        .bind(shape.kind.is_change());
    query.execute(all).await.map(drop)
}

fn read_run(row: &SqliteRow) -> Result<FormerRun, sqlx::Error> {
    let (took_s, nodes): (i64, i64) = (row.try_get("took_s")?, row.try_get("run_nodes")?);
    let flavors: String = row.try_get("run_flavors")?;
    Ok(FormerRun {
        took_s: u64::try_from(took_s).unwrap_or(0),
        nodes: u32::try_from(nodes).unwrap_or(u32::MAX),
        flavors: serde_json::from_str(&flavors).unwrap_or_default(),
    })
}

fn seconds(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "run_times_tests.rs"]
mod tests;
