//! Reads when clusters end, without reading their records: most have nothing to be done.

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{RecordStore, StoreError};
use crate::cluster::{ClusterEnd, ClusterIdle};

/// When a cluster ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnd {
    /// The cluster's id.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// When it ends; what was told of it stands in the record.
    pub end: ClusterEnd,
}

/// A cluster that ends when it has been without jobs for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIdle {
    /// The cluster's id.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// For how long, and what was told of it.
    pub idle: ClusterIdle,
}

impl RecordStore {
    /// All living clusters that end without jobs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn idle_limits(&self) -> Result<Vec<StoredIdle>, StoreError> {
        let query = sqlx::query(
            "SELECT id, project_id, idle FROM (SELECT id, project_id, \
             CASE WHEN json_valid(record) THEN json_extract(record, '$.idle') END AS idle FROM cluster WHERE live = 1) \
             WHERE typeof(idle) = 'text' ORDER BY id",
        );
        let rows = self.call(query.fetch_all(&self.pool)).await?;
        let mut limits = Vec::new();
        for row in &rows {
            let text: String = row.try_get(2)?;
            // What is none was not written by this version, and ends nothing.
            if let Ok(idle) = serde_json::from_str(&text) {
                limits.push(StoredIdle {
                    id: row.try_get(0)?,
                    project_id: row.try_get(1)?,
                    idle,
                });
            }
        }
        Ok(limits)
    }

    /// The ends of all living clusters that have one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn ends(&self) -> Result<Vec<StoredEnd>, StoreError> {
        let query = sqlx::query(
            "SELECT id, project_id, at_s FROM (SELECT id, project_id, \
             CASE WHEN json_valid(record) THEN json_extract(record, '$.end.at_s') END AS at_s FROM cluster WHERE live = 1) \
             WHERE typeof(at_s) = 'integer' ORDER BY at_s",
        );
        let rows = self.call(query.fetch_all(&self.pool)).await?;
        let read = |row: &SqliteRow| {
            let at_s: i64 = row.try_get(2)?;
            Ok(StoredEnd {
                id: row.try_get(0)?,
                project_id: row.try_get(1)?,
                end: ClusterEnd::new(u64::try_from(at_s).unwrap_or(0)),
            })
        };
        rows.iter().map(read).collect()
    }
}
