//! Stores the journal: every request that was to change something, a row each, within bounds by number
//! and by age. Its rows outlive the records of their clusters.

use std::{collections::BTreeMap, time::Duration};

use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    RecordStore, StoreError,
    run_times::{EndedRun, write_run},
};
use crate::cluster::request_entry::{
    KeptAttributes, RequestEntry, RequestFace, RequestOutcome, RequestVerb,
};

/// How much of the journal is kept; of what is more, the oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalLimits {
    /// How long a request is remembered.
    pub kept: Duration,
    /// Requests of one cluster that were not refused.
    pub per_cluster: usize,
    /// Requests of one project that were not refused.
    pub per_project: usize,
    /// Requests of one project that were refused: who is refused again and again drives out what was
    /// refused before, and nothing else.
    pub refused_per_project: usize,
    /// Bytes of what one request has given: names and values of attributes.
    pub attribute_bytes: usize,
    /// After that time a request that has no answer will have none: its host has ended.
    pub unanswered: Duration,
    /// How often it is looked for what has had its time.
    pub prune_every: Duration,
}

impl Default for JournalLimits {
    fn default() -> Self {
        Self {
            kept: Duration::from_secs(400 * 86_400),
            per_cluster: 500,
            per_project: 5_000,
            refused_per_project: 500,
            attribute_bytes: 16 * 1024,
            unanswered: Duration::from_secs(3_600),
            prune_every: Duration::from_secs(3_600),
        }
    }
}

/// Which part of the journal is asked for; what is none is not asked for.
#[derive(Clone, Debug, Default)]
pub struct JournalQuery<'a> {
    /// Whose.
    pub project_id: &'a str,
    /// Of the cluster of this id.
    pub cluster_id: Option<&'a str>,
    /// Of clusters of this id or name.
    pub cluster: Option<&'a str>,
    /// Of the user of this id or name.
    pub user: Option<&'a str>,
    /// With this outcome.
    pub outcome: Option<RequestOutcome>,
    /// Older than the request of this number.
    pub before: Option<i64>,
    /// So many at most.
    pub limit: usize,
}

/// A part of the journal, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalPage {
    /// The requests.
    pub entries: Vec<RequestEntry>,
    /// How many there are that the query means, whatever `before` and `limit` are.
    pub matching: usize,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestEnd<'a> {
    /// That.
    pub outcome: RequestOutcome,
    /// Why.
    pub reason: &'a str,
    /// The cluster that was found or made; none where that is known already, or there is none.
    pub cluster_id: Option<&'a str>,
    /// How many nodes its groups have, where that is known by now.
    pub node_counts: Option<&'a BTreeMap<String, u32>>,
    /// When.
    pub now_s: u64,
}

/// Requests of a cluster that are being carried out, up to one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunRequests {
    /// The cluster's id.
    pub cluster_id: String,
    /// The number of the newest.
    pub newest: i64,
}

impl BegunRequests {
    /// All of this cluster.
    pub fn all_of(cluster_id: &str) -> Self {
        Self {
            cluster_id: cluster_id.to_owned(),
            newest: i64::MAX,
        }
    }
}

impl RecordStore {
    /// Writes a new request and returns its number; that of `entry` does not matter.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn begin_request(&self, entry: &RequestEntry) -> Result<i64, StoreError> {
        let attributes = serde_json::to_string(&entry.attributes);
        let attributes = attributes.map_err(|source| StoreError::Record {
            id: "a request".to_owned(),
            source,
        })?;
        let insert = sqlx::query(
            "INSERT INTO request_journal (project_id, cluster_id, cluster_name, user_id, user_name, face, verb, \
                 asked_s, attributes, request_id, outcome, counted_as, reason) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let insert = insert
            .bind(&entry.project_id)
            .bind(&entry.cluster_id)
            .bind(&entry.cluster_name)
            .bind(&entry.user_id)
            .bind(&entry.user_name)
            .bind(entry.face.as_str())
            .bind(entry.verb.as_str());
        let insert = insert
            .bind(seconds(entry.asked_s))
            .bind(&attributes)
            .bind(&entry.request_id)
            .bind(entry.outcome.as_str())
            .bind(IN_FLIGHT)
            .bind(&entry.reason);
        let written = self.call(insert.execute(&self.pool)).await?;
        Ok(written.last_insert_rowid())
    }

    /// The request of this number has no answer any more: it goes on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn reopen_request(&self, number: i64) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE request_journal SET outcome = 'asked', counted_as = 0, reason = '', ended_s = NULL WHERE number = ?",
        );
        self.call(query.bind(number).execute(&self.pool)).await?;
        Ok(())
    }

    /// Answers the request of this number, where it has no answer yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn end_request(
        &self,
        number: i64,
        end: &RequestEnd<'_>,
        limits: &JournalLimits,
    ) -> Result<(), StoreError> {
        let (counted_as, most) = match end.outcome {
            RequestOutcome::Refused => (REFUSED, limits.refused_per_project),
            _ => (TAKEN, limits.per_project),
        };
        let counts = end.node_counts.map(serde_json::to_string).transpose();
        let counts = counts.map_err(|source| StoreError::Record {
            id: format!("request {number}"),
            source,
        })?;
        let ended_s = (end.outcome != RequestOutcome::Accepted).then(|| seconds(end.now_s));
        let write = async {
            let mut all = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            let update = sqlx::query(
                "UPDATE request_journal SET cluster_id = coalesce(?, cluster_id), \
                 node_counts = coalesce(?, node_counts), outcome = ?, counted_as = ?, reason = ?, ended_s = ? WHERE number = ? AND outcome = 'asked' RETURNING project_id, cluster_id",
            );
            let update = update
                .bind(end.cluster_id)
                .bind(&counts)
                .bind(end.outcome.as_str())
                .bind(counted_as)
                .bind(end.reason)
                .bind(ended_s)
                .bind(number);
            if let Some(row) = update.fetch_optional(&mut *all).await? {
                let (project, cluster): (String, Option<String>) =
                    (row.try_get(0)?, row.try_get(1)?);
                drop_oldest(&mut all, &project, counted_as, most).await?;
                if let Some(cluster) = cluster {
                    drop_oldest_of_cluster(&mut all, &cluster, limits.per_cluster).await?;
                }
            }
            all.commit().await
        };
        self.call(write).await
    }

    /// Forgets a request that has changed nothing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn drop_request(&self, number: i64) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM request_journal WHERE number = ?");
        self.call(query.bind(number).execute(&self.pool)).await?;
        Ok(())
    }

    /// What this cluster's requests that are being carried out have come to: those for its deletion,
    /// or all others. `run` is what was carried out, where how long it took is to be remembered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn settle_requests(
        &self,
        begun: &BegunRequests,
        of_deletion: bool,
        end: &RequestEnd<'_>,
        run: Option<&EndedRun>,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE request_journal SET outcome = ?, reason = ?, ended_s = ? \
             WHERE cluster_id = ? AND number <= ? AND outcome = 'accepted' AND (verb = 'delete') = ?",
        );
        let query = query
            .bind(end.outcome.as_str())
            .bind(end.reason)
            .bind(seconds(end.now_s))
            .bind(&begun.cluster_id)
            .bind(begun.newest)
            .bind(of_deletion);
        let write = async {
            let mut all = self.pool.begin_with("BEGIN IMMEDIATE").await?;
            if let Some(run) = run {
                write_run(&mut all, &begun.cluster_id, run, end.now_s).await?;
            }
            query.execute(&mut *all).await?;
            all.commit().await
        };
        self.call(write).await
    }

    /// What is being carried out, a row for each cluster: of one project, or of all.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn begun_requests(
        &self,
        project_id: Option<&str>,
    ) -> Result<Vec<BegunRequests>, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT cluster_id, max(number) FROM request_journal \
             WHERE counted_as = 1 AND outcome = 'accepted' AND cluster_id IS NOT NULL",
        );
        if let Some(project_id) = project_id {
            query.push(" AND project_id = ").push_bind(project_id);
        }
        query.push(" GROUP BY cluster_id");
        let reading = query.build_query_as().fetch_all(&self.pool);
        let rows: Vec<(String, i64)> = self.call(reading).await?;
        let begun = rows
            .into_iter()
            .map(|(cluster_id, newest)| BegunRequests { cluster_id, newest });
        Ok(begun.collect())
    }

    /// Forgets what has had its time, and gives up waiting for the answers of hosts that have ended.
    /// How many requests were forgotten.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn prune_requests(
        &self,
        now_s: u64,
        limits: &JournalLimits,
    ) -> Result<u64, StoreError> {
        let before = |age: Duration| seconds(now_s.saturating_sub(age.as_secs()));
        let old = sqlx::query("DELETE FROM request_journal WHERE asked_s < ?");
        let old = old.bind(before(limits.kept));
        let unanswered = sqlx::query(
            "UPDATE request_journal SET outcome = 'unknown', counted_as = 1, reason = 'the host ended before it had answered', \
             ended_s = ? WHERE outcome = 'asked' AND asked_s < ?",
        );
        let unanswered = unanswered
            .bind(seconds(now_s))
            .bind(before(limits.unanswered));
        let write = async {
            let dropped = old.execute(&self.pool).await?.rows_affected();
            unanswered.execute(&self.pool).await?;
            Ok(dropped)
        };
        self.call(write).await
    }

    /// A part of the journal.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn requests(&self, query: &JournalQuery<'_>) -> Result<JournalPage, StoreError> {
        let mut counting = QueryBuilder::new("SELECT count(*) FROM request_journal WHERE ");
        query.push_conditions(&mut counting);
        let mut listing = QueryBuilder::new(
            "SELECT number, project_id, cluster_id, cluster_name, user_id, user_name, face, verb, asked_s, \
             attributes, node_counts, request_id, outcome, reason, ended_s FROM request_journal WHERE ",
        );
        query.push_conditions(&mut listing);
        if let Some(before) = query.before {
            listing.push(" AND number < ").push_bind(before);
        }
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        listing
            .push(" ORDER BY number DESC LIMIT ")
            .push_bind(limit.saturating_add(1));
        let read = async {
            let matching: i64 = counting.build_query_scalar().fetch_one(&self.pool).await?;
            Ok((matching, listing.build().fetch_all(&self.pool).await?))
        };
        let (matching, rows) = self.call(read).await?;
        let has_more = rows.len() > query.limit;
        let mut entries = Vec::new();
        for row in rows.iter().take(query.limit) {
            entries.extend(read_entry(row)?);
        }
        Ok(JournalPage {
            entries,
            matching: usize::try_from(matching).unwrap_or(0),
            has_more,
        })
    }
}

impl JournalQuery<'_> {
    fn push_conditions(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push("project_id = ").push_bind(self.project_id);
        if let Some(id) = self.cluster_id {
            query.push(" AND cluster_id = ").push_bind(id);
        }
        for (id, name, asked) in [
            ("cluster_id", "cluster_name", self.cluster),
            ("user_id", "user_name", self.user),
        ] {
            if let Some(asked) = asked {
                query.push(format_args!(" AND ({id} = ")).push_bind(asked);
                query.push(format_args!(" OR {name} = ")).push_bind(asked);
                query.push(")");
            }
        }
        if let Some(outcome) = self.outcome {
            query.push(" AND outcome = ").push_bind(outcome.as_str());
        }
    }
}

/// A request that has no answer yet counts for no bound: it may be refused.
const IN_FLIGHT: i64 = 0;
/// One that was taken.
const TAKEN: i64 = 1;
/// One that was refused.
const REFUSED: i64 = 2;

/// Drops the oldest of a project's that count alike, above so many.
async fn drop_oldest(
    all: &mut SqliteConnection,
    project_id: &str,
    counted_as: i64,
    most: usize,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "DELETE FROM request_journal WHERE project_id = ?1 AND counted_as = ?2 AND number <= (SELECT number FROM \
         request_journal WHERE project_id = ?1 AND counted_as = ?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)",
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let query = query.bind(project_id).bind(counted_as).bind(most);
    query.execute(all).await.map(drop)
}

/// The same of a cluster's that were taken.
async fn drop_oldest_of_cluster(
    all: &mut SqliteConnection,
    cluster_id: &str,
    most: usize,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(
        "DELETE FROM request_journal WHERE cluster_id = ?1 AND counted_as = 1 AND number <= (SELECT number FROM \
         request_journal WHERE cluster_id = ?1 AND counted_as = 1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    query
        .bind(cluster_id)
        .bind(most)
        .execute(all)
        .await
        .map(drop)
}

/// None where a later version has written words that this one does not know.
fn read_entry(row: &SqliteRow) -> Result<Option<RequestEntry>, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let (Some(face), Some(verb), Some(outcome)) = (
        RequestFace::from_word(&text("face")?),
        RequestVerb::from_word(&text("verb")?),
        RequestOutcome::from_word(&text("outcome")?),
    ) else {
        return Ok(None);
    };
    let number: i64 = row.try_get("number")?;
    let broken = |source| StoreError::Record {
        id: format!("request {number}"),
        source,
    };
    let attributes: KeptAttributes = serde_json::from_str(&text("attributes")?).map_err(broken)?;
    let node_counts = serde_json::from_str(&text("node_counts")?).map_err(broken)?;
    let moment = |at: i64| u64::try_from(at).unwrap_or(0);
    Ok(Some(RequestEntry {
        number,
        project_id: text("project_id")?,
        cluster_id: row.try_get("cluster_id")?,
        cluster_name: text("cluster_name")?,
        user_id: text("user_id")?,
        user_name: text("user_name")?,
        face,
        verb,
        asked_s: moment(row.try_get("asked_s")?),
        attributes,
        node_counts,
        request_id: row.try_get("request_id")?,
        outcome,
        reason: text("reason")?,
        ended_s: row.try_get::<Option<i64>, _>("ended_s")?.map(moment),
    }))
}

fn seconds(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "request_journal_tests.rs"]
mod tests;
