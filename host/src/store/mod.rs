//! Stores records in one SQLite file, a row a cluster. Knows no cloud, no plugin and no OCCI.
//!
//! Several processes may share the file (the server and the command line): a record is written only
//! over the revision that the writer has read.
//!
//! Layout
//! - [`record`]: [`ClusterRecord`], what is remembered of a cluster; `record_fields`: its fields
//! - [`transitions`], `change_transitions`, [`deletion_transitions`], `end_transitions`,
//!   `idle_transitions`: every way in which a record changes, by name
//! - [`snapshot`]: the part of it that a stack carries
//! - `record_v1`: how records were written before they had a version
//! - `cluster_ends`: when clusters end, and which end without jobs; `cluster_revisions`: which records
//!   have changed
//! - [`groups`]: groups that projects make of their clusters
//! - [`request_journal`]: who has asked for what; [`run_times`]: how long it took
//! - [`error`]: how it fails
//! - `migrations`: the tables

mod change_transitions;
mod cluster_ends;
mod cluster_revisions;
pub mod deletion_transitions;
mod end_transitions;
pub mod error;
pub mod groups;
mod idle_transitions;
mod migrations;
pub mod record;
mod record_fields;
mod record_v1;
pub mod request_journal;
pub mod run_times;
pub mod snapshot;
pub mod transitions;

use std::{fmt::Debug, path::Path, pin::Pin, sync::Arc, time::Duration};

use sqlx::{
    Row, SqlitePool,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

pub use cluster_ends::{StoredEnd, StoredIdle};
pub use error::StoreError;
pub use groups::{ClusterGroup, MembershipChange};
pub use record::{ClusterRecord, RecordIdentity};
pub use record_fields::{ActionLease, NodeNotifications, ObservedState, RecordFields, RequestMark};
pub use snapshot::StackSnapshot;
pub use transitions::{DeployIntent, RefusedTransition, TransitionResult};

/// The store's file in the data directory.
pub const FILE_NAME: &str = "stampede.sqlite";

/// How long a write waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call waits for the one connection, while others of this process use it.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// All records. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RecordStore {
    pool: SqlitePool,
    path: Arc<Path>,
    gate: Option<Arc<dyn StoreGate>>,
}

/// Is passed before and after every call to the file: whoever holds several hosts at their gates
/// chooses the order in which they get at it.
pub trait StoreGate: Debug + Send + Sync {
    /// Ends when the call may go on.
    fn pass(&self, point: GatePoint) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Where a call stands at its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatePoint {
    /// The file was not asked yet.
    Before,
    /// The file has answered.
    After,
}

impl RecordStore {
    /// Opens the store in `data_dir`, and makes both where they are not there yet, readable by this
    /// user alone.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Corrupt`], [`StoreError::Foreign`],
    /// [`StoreError::Newer`].
    pub async fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let path = data_dir.join(FILE_NAME);
        create_file(data_dir, &path).map_err(|error| StoreError::Open {
            path: path.clone(),
            source: error.into(),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        Self::with(options, &path).await
    }

    /// A store that ends with the process; for tests and trials.
    ///
    /// # Errors
    /// When SQLite cannot be used at all.
    pub async fn in_memory() -> Result<Self, StoreError> {
        Self::with(
            SqliteConnectOptions::new().in_memory(true),
            Path::new(":memory:"),
        )
        .await
    }

    async fn with(options: SqliteConnectOptions, path: &Path) -> Result<Self, StoreError> {
        // One connection: SQLite has one writer, and a database in memory lives as long as its
        // connection.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None);
        let pool = pool
            .connect_with(options)
            .await
            .map_err(|error| opening_error(error, path))?;
        let mut connection = pool
            .acquire()
            .await
            .map_err(|error| opening_error(error, path))?;
        migrations::bring_up(&mut connection, path)
            .await
            .map_err(|error| match error {
                StoreError::Failed(error) => opening_error(error, path),
                other => other,
            })?;
        drop(connection);
        Ok(Self {
            pool,
            path: path.into(),
            gate: None,
        })
    }

    /// The same store, each call of which passes this gate.
    #[must_use]
    pub fn with_gate(self, gate: Arc<dyn StoreGate>) -> Self {
        Self {
            gate: Some(gate),
            ..self
        }
    }

    /// Every call to the file goes through here: a newer version may have taken the file over since
    /// it was opened.
    async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let checked = async {
            migrations::check_layout(&self.pool, &self.path).await?;
            Ok(work.await?)
        };
        match &self.gate {
            None => checked.await,
            Some(gate) => {
                gate.pass(GatePoint::Before).await;
                let outcome = checked.await;
                gate.pass(GatePoint::After).await;
                outcome
            }
        }
    }

    /// Writes a new record.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the project has a living cluster of that name.
    pub async fn insert(&self, record: &ClusterRecord) -> Result<(), StoreError> {
        self.insert_within(record, usize::MAX).await
    }

    /// The same, where the project has fewer than `most` records, whoever else writes some.
    ///
    /// # Errors
    /// As there; [`StoreError::Full`].
    pub async fn insert_within(
        &self,
        record: &ClusterRecord,
        most: usize,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO cluster (id, project_id, region, name, live, revision, record) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 \
             WHERE (SELECT count(*) FROM cluster WHERE project_id = ?2) < ?8",
        );
        let query = query
            .bind(&record.id)
            .bind(&record.project_id)
            .bind(&record.region)
            .bind(&record.name)
            .bind(record.is_live());
        let query = query.bind(record.revision).bind(serialize_record(record)?);
        let query = query.bind(i64::try_from(most).unwrap_or(i64::MAX));
        outcome_of_insert(self.call(query.execute(&self.pool)).await)
    }

    /// Writes a record whose predecessor has `record.revision - 1`; false, and nothing written,
    /// when it has another one or is gone.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn update(&self, record: &ClusterRecord) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE cluster SET live = ?, region = ?, revision = ?, record = ? WHERE id = ? AND revision = ?",
        );
        let query = query
            .bind(record.is_live())
            .bind(&record.region)
            .bind(record.revision)
            .bind(serialize_record(record)?)
            .bind(&record.id)
            .bind(record.revision - 1);
        Ok(self.call(query.execute(&self.pool)).await?.rows_affected() == 1)
    }

    /// The record of this id.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, id: &str) -> Result<Option<ClusterRecord>, StoreError> {
        let query = sqlx::query("SELECT id, record FROM cluster WHERE id = ?").bind(id);
        let row = self.call(query.fetch_optional(&self.pool)).await?;
        row.as_ref().map(deserialize_record).transpose()
    }

    /// The living record of this name in this region. One that names no region was written on a
    /// cloud that has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn find(
        &self,
        project_id: &str,
        region: &str,
        name: &str,
    ) -> Result<Option<ClusterRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT id, record FROM cluster WHERE project_id = ? AND region IN (?, '') AND name = ? AND live = 1 ORDER BY region DESC",
        );
        let query = query.bind(project_id).bind(region).bind(name);
        let row = self.call(query.fetch_optional(&self.pool)).await?;
        row.as_ref().map(deserialize_record).transpose()
    }

    /// The living records of this name in all regions, by region.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn find_everywhere(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<ClusterRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT id, record, name FROM cluster WHERE project_id = ? AND name = ? AND live = 1 ORDER BY region",
        );
        let query = query.bind(project_id).bind(name);
        let rows = self.call(query.fetch_all(&self.pool)).await?;
        rows.iter().map(deserialize_record).collect()
    }

    /// The records of this name that are under deletion.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn deleting(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<ClusterRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT id, record, name FROM cluster WHERE project_id = ? AND name = ? AND live = 0 ORDER BY id",
        );
        let query = query.bind(project_id).bind(name);
        let rows = self.call(query.fetch_all(&self.pool)).await?;
        Ok(StoredRecords::from_rows(&rows)?.records)
    }

    /// All records of a project by name, those under deletion among them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn of_project(&self, project_id: &str) -> Result<StoredRecords, StoreError> {
        let query = sqlx::query(
            "SELECT id, record, name FROM cluster WHERE project_id = ? ORDER BY name, region, id",
        );
        let query = query.bind(project_id);
        StoredRecords::from_rows(&self.call(query.fetch_all(&self.pool)).await?)
    }

    /// How many records a project has, those under deletion among them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn count(&self, project_id: &str) -> Result<usize, StoreError> {
        let query = sqlx::query_scalar("SELECT count(*) FROM cluster WHERE project_id = ?");
        let count: i64 = self
            .call(query.bind(project_id).fetch_one(&self.pool))
            .await?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// The projects that have records.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn projects(&self) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT DISTINCT project_id FROM cluster");
        self.call(query.fetch_all(&self.pool)).await
    }

    /// All records.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn all(&self) -> Result<StoredRecords, StoreError> {
        let query = sqlx::query("SELECT id, record, name FROM cluster ORDER BY id");
        StoredRecords::from_rows(&self.call(query.fetch_all(&self.pool)).await?)
    }

    /// Drops a record that has this revision; false, and nothing dropped, when it has another one.
    /// One that is gone is dropped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn remove(&self, id: &str, revision: i64) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM cluster WHERE id = ? AND revision = ?");
        let query = query.bind(id).bind(revision);
        if self.call(query.execute(&self.pool)).await?.rows_affected() == 1 {
            return Ok(true);
        }
        let query = sqlx::query_scalar("SELECT count(*) FROM cluster WHERE id = ?").bind(id);
        let left: i64 = self.call(query.fetch_one(&self.pool)).await?;
        Ok(left == 0)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let query = sqlx::query("SELECT count(*) FROM cluster");
        self.call(query.execute(&self.pool)).await?;
        Ok(())
    }

    /// Closes the file, so that another may open it; clones can no longer be used.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Records that were read, and those that could not be.
#[derive(Debug, Default)]
pub struct StoredRecords {
    /// Those that were read.
    pub records: Vec<ClusterRecord>,
    /// Put aside: a later version wrote them, or they are damaged. They stay as they are.
    pub unreadable: Vec<UnreadableRecord>,
}

/// A record that this version cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableRecord {
    /// The cluster's id.
    pub id: String,
    /// The cluster's name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

impl StoredRecords {
    /// From rows of id, record and name.
    fn from_rows(rows: &[SqliteRow]) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for row in rows {
            match deserialize_record(row) {
                Ok(record) => found.records.push(record),
                Err(StoreError::Record { id, source }) => found.unreadable.push(UnreadableRecord {
                    id,
                    name: row.try_get(2)?,
                    problem: source.to_string(),
                }),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

fn serialize_record(record: &ClusterRecord) -> Result<String, StoreError> {
    record.to_json().map_err(|source| StoreError::Record {
        id: record.id.clone(),
        source,
    })
}

fn deserialize_record(row: &SqliteRow) -> Result<ClusterRecord, StoreError> {
    let (id, text): (String, String) = (row.try_get(0)?, row.try_get(1)?);
    ClusterRecord::from_json(&text).map_err(|source| StoreError::Record { id, source })
}

fn create_file(data_dir: &Path, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if !data_dir.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)?;
    }
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

/// SQLite's primary codes for a file that is damaged (11) or not a database (26).
fn opening_error(error: sqlx::Error, path: &Path) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => StoreError::Corrupt {
            path: path.to_owned(),
            source: error,
        },
        _ => StoreError::Open {
            path: path.to_owned(),
            source: error.into(),
        },
    }
}

#[cfg(test)]
mod tests;

/// What became of a row that is to be the only one of its kind, and one of so many.
fn outcome_of_insert(
    written: Result<sqlx::sqlite::SqliteQueryResult, StoreError>,
) -> Result<(), StoreError> {
    match written {
        Ok(done) if done.rows_affected() == 0 => Err(StoreError::Full),
        Ok(_) => Ok(()),
        Err(StoreError::Failed(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Err(StoreError::Taken)
        }
        Err(error) => Err(error),
    }
}
