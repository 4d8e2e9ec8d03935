//! Typed errors of the store, each with the error of SQLite, serde or the file system as its
//! source.

use std::{error::Error, path::PathBuf};

/// Why the store did not open, read or write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be made or opened.
    #[error("cannot open the store {}: {source}; check that the folder is there and may be written by this user", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's or SQLite's error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It is no SQLite file, or a damaged one.
    #[error("the store {} is damaged or no store: {source}; move it away (clusters go on running) or restore it from a backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: sqlx::Error,
    },
    /// Another program's database.
    #[error("{} is another program's database; name another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later Stampede wrote it.
    #[error("the store {} has layout {found}, this version knows layouts up to {known}; use the newer stampede", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Another Stampede has brought it to its own layout while this one was running.
    #[error("another stampede has taken over the store {}: it has layout {found} now, this version works with {known}; end this one", path.display())]
    TakenOver {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A record cannot be read.
    #[error("the record of cluster {id} in the store cannot be read: {source}")]
    Record {
        /// The cluster's id.
        id: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The project already has a living cluster of that name.
    #[error("there is a cluster of that name already")]
    Taken,
    /// The project has as many already as it may.
    #[error("the project has as many as it may have")]
    Full,
    /// Others use it, in this process or another one, longer than a call waits.
    #[error("the store is busy: {0}")]
    Busy(#[source] sqlx::Error),
    /// Reading or writing failed.
    #[error("the store does not work: {0}; check the disk of the data directory")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_busy(&error) {
            Self::Busy(error)
        } else {
            Self::Failed(error)
        }
    }
}

/// SQLite's primary codes for a file (5) or a table (6) that somebody else has locked.
fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => error
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            .is_some_and(|code| matches!(code & 0xff, 5 | 6)),
        _ => false,
    }
}
