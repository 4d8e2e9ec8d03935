//! Reads which records there are and how often each was written, without reading them; and those that
//! somebody has not seen yet.

use super::{RecordStore, StoreError, StoredRecords};

impl RecordStore {
    /// The id and the revision of each record.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn revisions(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let query = sqlx::query_as("SELECT id, revision FROM cluster");
        self.call(query.fetch_all(&self.pool)).await
    }

    /// The records of these ids, as far as they are there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn records_of(&self, ids: &[&str]) -> Result<StoredRecords, StoreError> {
        let query = sqlx::query(
            "SELECT id, record, name FROM cluster WHERE id IN (SELECT value FROM json_each(?))",
        );
        let query = query.bind(serde_json::json!(ids).to_string());
        StoredRecords::from_rows(&self.call(query.fetch_all(&self.pool)).await?)
    }
}
