//! Creates the tables, and brings a file of an older layout to the newest, a step a layout. A step
//! that was released is never changed.

use std::path::Path;

use sqlx::{Executor, SqliteConnection, SqlitePool};

use super::StoreError;

/// Marks the file as ours (`PRAGMA application_id`): "Stmp".
const APPLICATION_ID: i64 = 0x5374_6d70;

/// One step a layout: `STEPS[0]` makes layout 1 of an empty file.
const STEPS: &[&str] = &[
    "
CREATE TABLE cluster (
    id         TEXT    PRIMARY KEY,
    project_id TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    live       INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    record     TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX cluster_by_name ON cluster (project_id, name) WHERE live = 1;
CREATE INDEX cluster_by_project ON cluster (project_id);
PRAGMA application_id = 1400139120;
PRAGMA user_version = 1;
",
    "
CREATE TABLE cluster_group (
    project_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    place      TEXT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (project_id, name),
    UNIQUE (project_id, place)
) STRICT;
CREATE TABLE cluster_group_member (
    project_id TEXT NOT NULL,
    name       TEXT NOT NULL,
    cluster_id TEXT NOT NULL REFERENCES cluster (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, name, cluster_id),
    FOREIGN KEY (project_id, name) REFERENCES cluster_group (project_id, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX cluster_group_member_by_cluster ON cluster_group_member (cluster_id);
PRAGMA user_version = 2;
",
    // The tables stay. Records are written with a version from here on, and a host that would not
    // understand them is told so at its start.
    "PRAGMA user_version = 3;",
    // The region is part of what identifies a cluster. A record that cannot be read keeps its place.
    "
ALTER TABLE cluster ADD COLUMN region TEXT NOT NULL DEFAULT '';
UPDATE cluster SET region = coalesce(json_extract(record, '$.region'), '') WHERE json_valid(record);
DROP INDEX cluster_by_name;
CREATE UNIQUE INDEX cluster_by_name ON cluster (project_id, region, name) WHERE live = 1;
PRAGMA user_version = 4;
",
    // The tables stay. Records are written by node groups from here on, which a former host would
    // not understand; those of former versions are read, and written anew with their next change.
    "PRAGMA user_version = 5;",
    // Requests that were to change something. They outlive their clusters' records.
    "
CREATE TABLE request_journal (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   TEXT    NOT NULL,
    cluster_id   TEXT,
    cluster_name TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    user_name    TEXT    NOT NULL,
    face         TEXT    NOT NULL,
    verb         TEXT    NOT NULL,
    asked_s      INTEGER NOT NULL,
    attributes   TEXT    NOT NULL,
    node_counts  TEXT    NOT NULL DEFAULT '{}',
    request_id   TEXT,
    outcome      TEXT    NOT NULL,
    counted_as   INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    ended_s      INTEGER
) STRICT;
CREATE INDEX request_journal_by_project ON request_journal (project_id, counted_as, number);
CREATE INDEX request_journal_by_cluster ON request_journal (cluster_id, number);
CREATE INDEX request_journal_by_moment ON request_journal (asked_s);
PRAGMA user_version = 6;
",
    // How long what was carried out took, and of what kind it was; what is older says neither.
    "
ALTER TABLE request_journal ADD COLUMN run_kind TEXT;
ALTER TABLE request_journal ADD COLUMN run_frameworks TEXT;
ALTER TABLE request_journal ADD COLUMN run_nodes INTEGER;
ALTER TABLE request_journal ADD COLUMN run_flavors TEXT;
ALTER TABLE request_journal ADD COLUMN took_s INTEGER;
CREATE INDEX request_journal_by_run ON request_journal (project_id, run_kind, run_frameworks, number)
    WHERE took_s IS NOT NULL;
PRAGMA user_version = 7;
",
];

/// Brings the file to the newest layout.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::Newer`], or what SQLite says.
pub(super) async fn bring_up(db: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    db.execute("BEGIN IMMEDIATE").await?;
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *db)
        .await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *db)
        .await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut *db)
        .await?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
    }
    if found > known {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        db.execute(*step).await?;
    }
    db.execute("COMMIT").await?;
    Ok(())
}

/// Whether the file still has the layout that it was brought to.
///
/// # Errors
/// [`StoreError::TakenOver`], or what SQLite says.
pub(super) async fn check_layout(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(pool)
        .await?;
    if found == known {
        return Ok(());
    }
    Err(StoreError::TakenOver {
        path: path.to_owned(),
        found,
        known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_marks_the_file_as_ours() {
        assert!(STEPS[0].contains(&format!("application_id = {APPLICATION_ID}")));
    }
}
