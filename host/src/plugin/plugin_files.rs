//! The files of a folder of plugins: which there are, what they hold, and working on several at
//! once.

use std::fs::{self, File};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{LoadError, LoadFailure, PluginLimits};

/// The plugins of a folder, by name.
pub(super) fn wasm_files(dir: &Path, limits: PluginLimits) -> Result<Vec<PathBuf>, LoadError> {
    let files = files_of(dir)?;
    if files.len() > limits.plugins {
        return Err(LoadError::TooMany {
            dir: dir.to_owned(),
            most: limits.plugins,
        });
    }
    Ok(files)
}

fn files_of(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unread = |source| LoadError::Folder {
        dir: dir.to_owned(),
        source,
    };
    let paths: io::Result<Vec<PathBuf>> = fs::read_dir(dir)
        .map_err(unread)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect();
    let mut files: Vec<PathBuf> = paths
        .map_err(unread)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "wasm") && path.is_file())
        .collect();
    files.sort();
    Ok(files)
}

pub(super) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, LoadFailure> {
    let file = File::open(path).map_err(LoadFailure::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(LoadFailure::Unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(LoadFailure::TooLarge { limit_bytes: most })
    }
}

/// Every file's outcome in the order of the files; as many at once as there are processors, at most
/// `most`. On threads of its own, since a caller may be tokio's. A panic is its file's outcome.
pub(super) fn load_in_parallel<T: Send>(
    files: Vec<PathBuf>,
    most: usize,
    load: impl Fn(&Path) -> Result<T, LoadFailure> + Sync,
) -> Vec<(PathBuf, Result<T, LoadFailure>)> {
    let load = |path: &Path| {
        catch_unwind(AssertUnwindSafe(|| load(path)))
            .unwrap_or_else(|_| Err(LoadFailure::Compiler("broke down".to_owned())))
    };
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<T, LoadFailure>)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(most)
        .min(files.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, path)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|i| Some((i, files.get(i)?)))
                {
                    let outcome = load(path);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    files
        .into_iter()
        .zip(done.into_iter().map(|(_, outcome)| outcome))
        .collect()
}
