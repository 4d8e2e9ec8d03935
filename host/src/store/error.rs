//! The error type of the store: each text says what to do about it.

use std::path::PathBuf;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be made or opened.
    #[error("cannot open the store {}: {reason}; check that the folder is there and may be written by this user", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It is no SQLite file, or a damaged one.
    #[error("the store {} is damaged or no store: {reason}; move it away (clusters go on running) or restore it from a backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
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
    /// A record cannot be read.
    #[error("the record of cluster {id} in the store cannot be read: {reason}")]
    Record {
        /// The cluster's id.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The project already has a living cluster of that name.
    #[error("there is a cluster of that name already")]
    Taken,
    /// Reading or writing failed.
    #[error("the store does not work: {0}; check the disk of the data directory")]
    Failed(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}
